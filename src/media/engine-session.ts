// A session as its owner sees it: forwards to the worker that runs it, and knows which prompt plays.
import {
  MediaError,
  type MediaSession,
  type MediaStatistics,
  type PeerMedia,
  type Prompt,
} from './engine.ts';
import type { Playable } from './prompt-source.ts';
import type { WorkerLink } from './worker-link.ts';
import type { SessionRequest } from './worker-messages.ts';

export type RenderedPrompt = Extract<Prompt, { kind: 'speech' | 'audio' }>;

export interface EngineSessionOptions {
  readonly number: number;
  readonly link: WorkerLink;
  readonly local: MediaSession['local'];
  /** Samples of a prompt that is not made on the way. */
  render(prompt: RenderedPrompt): Promise<Int16Array>;
  /** Called once. */
  closed(): void;
}

interface Playing {
  readonly number: number;
  resolve(how: 'finished' | 'stopped'): void;
  reject(reason: unknown): void;
}

export class EngineSession implements MediaSession {
  readonly local: MediaSession['local'];
  readonly #options: EngineSessionOptions;
  #playing: Playing | undefined;
  #plays = 0;
  #failure: Error | undefined;
  #closed = false;

  constructor(options: EngineSessionOptions) {
    this.#options = options;
    this.local = options.local;
  }

  connect(peer: PeerMedia): void {
    this.#tell({ type: 'connect', peer });
  }

  play(prompt: Prompt): Promise<'finished' | 'stopped'> {
    this.stopPlaying();
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#closed) return Promise.resolve('stopped');
    const number = ++this.#plays;
    return new Promise((resolve, reject) => {
      this.#playing = { number, resolve, reject };
      if (prompt.kind === 'tone' || prompt.kind === 'silence') return this.#start(number, prompt);
      this.#options.render(prompt).then(
        (samples) => this.#start(number, { kind: 'samples', samples }),
        (error: unknown) => this.#takePlaying(number)?.reject(error),
      );
    });
  }

  stopPlaying(): void {
    if (!this.#playing) return;
    this.#tell({ type: 'stop' });
    this.#takePlaying(this.#playing.number)?.resolve('stopped');
  }

  echo(): void {
    this.#tell({ type: 'echo' });
  }

  mute(): void {
    this.stopPlaying();
    this.#tell({ type: 'mute' });
  }

  captured(): Promise<Int16Array> {
    return this.#closed
      ? closedSession()
      : this.#options.link.ask({ type: 'captured', session: this.#options.number });
  }

  statistics(): Promise<MediaStatistics> {
    return this.#closed
      ? closedSession()
      : this.#options.link.ask({ type: 'statistics', session: this.#options.number });
  }

  close(): void {
    if (this.#closed) return;
    this.stopPlaying();
    this.#tell({ type: 'close' });
    this.#closed = true;
    this.#options.closed();
  }

  /** The worker's word: this prompt was sent to its end. */
  finished(number: number): void {
    this.#takePlaying(number)?.resolve('finished');
  }

  /** The worker is gone, and this session with it. */
  fail(reason: Error): void {
    this.#failure = reason;
    if (this.#playing) this.#takePlaying(this.#playing.number)?.reject(reason);
  }

  #start(number: number, playable: Playable): void {
    if (this.#playing?.number === number) this.#tell({ type: 'play', number, playable });
  }

  /** The prompt with this number, if it still plays; from now on it does not. */
  #takePlaying(number: number): Playing | undefined {
    const playing = this.#playing?.number === number ? this.#playing : undefined;
    if (playing) this.#playing = undefined;
    return playing;
  }

  #tell(request: SessionRequest): void {
    if (!this.#closed && !this.#failure)
      this.#options.link.tell({ ...request, session: this.#options.number });
  }
}

const closedSession = (): Promise<never> =>
  Promise.reject(new MediaError('engine-failed', 'the session is closed'));
