// A session as its owner sees it: forwards to the worker that runs it, and knows which prompt plays.
import { checkDigits } from './digit-source.ts';
import {
  MediaError,
  type MediaRecording,
  type MediaSession,
  type MediaStatistics,
  type PeerMedia,
  type Prompt,
  type RecordingOptions,
  type RecordingResult,
} from './engine.ts';
import { checkRecording, EngineRecording } from './engine-recording.ts';
import type { Playable } from './prompt-source.ts';
import type { WorkerLink } from './worker-link.ts';
import type { SessionRequest } from './worker-messages.ts';

export type RenderedPrompt = Extract<Prompt, { kind: 'speech' | 'audio' }>;

/** Twilio's `<Record playBeep>`. */
const BEEP = { kind: 'tone', frequenciesHz: [1000], durationMs: 500 } as const;

export interface EngineSessionOptions {
  readonly number: number;
  readonly link: WorkerLink;
  readonly local: MediaSession['local'];
  /** Samples of a prompt that is not made on the way. */
  render(prompt: RenderedPrompt): Promise<Int16Array>;
  /** A recording has begun: its file is complete when `done` resolves. */
  recording(done: Promise<RecordingResult>): void;
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
  #recordings = 0;
  #onDigit: (digit: string) => void = () => {};
  #onLost: () => void = () => {};
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
    return this.#startPlaying(({ number, reject }) => {
      if (prompt.kind !== 'speech' && prompt.kind !== 'audio') return this.#start(number, prompt);
      this.#options.render(prompt).then(
        (samples) => this.#start(number, { kind: 'samples', samples }),
        (error: unknown) => {
          if (this.#takePlaying(number)) reject(error);
        },
      );
    });
  }

  async sendDigits(digits: string): Promise<'finished' | 'stopped'> {
    checkDigits(digits);
    return this.#startPlaying(({ number }) => this.#tell({ type: 'press', number, digits }));
  }

  onDigit(handler: (digit: string) => void): void {
    this.#onDigit = handler;
  }

  onLost(handler: () => void): void {
    this.#onLost = handler;
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

  bridge(other: MediaSession): void {
    if (!(other instanceof EngineSession) || other === this || !this.#isBeside(other))
      throw new MediaError('not-bridgeable', 'only open sessions of one family can be bridged');
    this.#tell({ type: 'bridge', other: other.#options.number });
  }

  unbridge(): void {
    this.#tell({ type: 'unbridge' });
  }

  record(options: RecordingOptions): MediaRecording {
    checkRecording(options);
    const number = this.#recordings++;
    const { link, number: session } = this.#options;
    const recording = new EngineRecording({
      begin: () =>
        this.#closed ? undefined : link.ask({ type: 'record', session, recording: number, options }),
      change: (change) => this.#tell({ type: 'recording', recording: number, change }),
      after: options.beep ? this.play(BEEP) : undefined,
    });
    this.#options.recording(recording.done);
    return recording;
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

  /** The worker's word: the peer pressed a key. */
  pressed(digit: string): void {
    if (!this.#closed) this.#onDigit(digit);
  }

  /** The worker's word: nothing comes of the peer any more. */
  lost(): void {
    if (!this.#closed) this.#onLost();
  }

  /** The worker is gone, and this session with it. */
  fail(reason: Error): void {
    this.#failure = reason;
    if (this.#playing) this.#takePlaying(this.#playing.number)?.reject(reason);
  }

  /** Stops whatever plays; `begin` makes the next one play. */
  #startPlaying(begin: (playing: Playing) => void): Promise<'finished' | 'stopped'> {
    this.stopPlaying();
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#closed) return Promise.resolve('stopped');
    return new Promise((resolve, reject) => {
      this.#playing = { number: ++this.#plays, resolve, reject };
      begin(this.#playing);
    });
  }

  /** Both are open, and in one worker. */
  #isBeside(other: EngineSession): boolean {
    const open = !this.#closed && !other.#closed && !this.#failure && !other.#failure;
    return open && other.#options.link === this.#options.link;
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
