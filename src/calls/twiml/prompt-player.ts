// Lets a party hear one prompt after the other: speech, audio from a URL, keys, silence.
import type { Clock, Timer } from '../../lib/clock.ts';
import { type MediaSession, withSunHeader } from '../../media/index.ts';
import type { PromptAction } from '../../twiml/index.ts';
import type { Notice } from '../call-log.ts';
import type { WebhookAnswer, WebhookResult } from '../webhook/request.ts';
import { withoutSecrets } from '../webhook/url-display.ts';

/** Twilio: audio whose type cannot be played, alone and in a Gather. */
const UNPLAYABLE = { alone: 13420, gather: 13325 } as const;
/** µ-law that need not have a header. */
const BARE_ULAW = new Set(['audio/basic', 'audio/ulaw', 'audio/x-ulaw', 'audio/mulaw', 'audio/x-mulaw']);

export interface PromptPlayerDeps {
  readonly clock: Clock;
  /** Undefined before the answer, and where the call is over: nothing is heard then. */
  media(): MediaSession | undefined;
  /** Fetches audio. */
  download(url: string): Promise<WebhookResult>;
  /** Tells what is done, in words. */
  note(text: string): void;
  /** Tells what went wrong. */
  notify(notice: Pick<Notice, 'code' | 'level' | 'text'>): void;
}

export class PromptPlayer {
  readonly #deps: PromptPlayerDeps;
  /** Changes with every prompt and stop: what an earlier one still awaits is then ignored. */
  #current = 0;
  /** The session that plays. */
  #playing: MediaSession | undefined;
  /** What the next file to be played is, where it is here already. */
  sound: WebhookAnswer | undefined;
  /** What was played last, for as long as it may be played again; undefined where that cannot be. */
  #file: Buffer | undefined;
  #pause: { readonly timer: Timer; end(): void } | undefined;

  constructor(deps: PromptPlayerDeps) {
    this.#deps = deps;
  }

  /** Resolves when it was heard to its end, cannot be played, or was stopped. */
  async play(prompt: PromptAction, where: keyof typeof UNPLAYABLE = 'alone'): Promise<void> {
    const before = prompt.type === 'play' && prompt.isAgain ? this.#file : undefined;
    this.stop();
    const current = this.#current;
    switch (prompt.type) {
      case 'pause':
        this.#deps.note(`<Pause> of ${prompt.durationMs / 1000} s`);
        return this.#wait(prompt.durationMs);
      case 'say': {
        this.#deps.note(`<Say> "${excerpt(prompt.text)}"`);
        const { text, voice, language } = prompt;
        return this.#hear((media) => media.play({ kind: 'speech', text, voice, language }));
      }
      case 'play-digits':
        this.#deps.note(`<Play> of ${prompt.digits.length} digits`);
        return this.#hear((media) => media.sendDigits(prompt.digits));
      case 'play': {
        const file = prompt.isAgain ? before : await this.#download(prompt.url);
        if (!file || current !== this.#current) return;
        this.#file = file;
        await this.#hear((media) => media.play({ kind: 'audio', file }), UNPLAYABLE[where]);
      }
    }
  }

  /** Silence now; what played counts as heard, and is not played again. */
  stop(): void {
    this.#file = undefined;
    this.#current += 1;
    this.#deps.clock.cancel(this.#pause?.timer);
    this.#pause?.end();
    this.#pause = undefined;
    // Media is in another thread: what it need not hear costs a message.
    this.#playing?.stopPlaying();
    this.#playing = undefined;
  }

  #wait(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#pause = { timer: this.#deps.clock.after(durationMs, resolve), end: resolve };
    });
  }

  async #download(url: string): Promise<Buffer | undefined> {
    this.#deps.note(`<Play> of ${withoutSecrets(url)}`);
    const result = this.sound ?? (await this.#deps.download(url));
    this.sound = undefined;
    if (result.kind === 'answer') return fileOf(result);
    this.#notify('warning', result.code, result.message);
    return undefined;
  }

  async #hear(
    begin: (media: MediaSession) => Promise<unknown>,
    unplayable: number = UNPLAYABLE.alone,
  ): Promise<void> {
    const media = this.#deps.media();
    if (!media) return;
    const current = this.#current;
    this.#playing = media;
    await begin(media).catch((error: Error) => {
      if (current === this.#current) this.#file = undefined;
      this.#notify('error', unplayable, error.message);
    });
    if (current === this.#current) this.#playing = undefined;
  }

  #notify(level: Notice['level'], code: number, text: string): void {
    this.#deps.notify({ code, level, text });
  }
}

function fileOf({ contentType, body }: WebhookAnswer): Buffer {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  return BARE_ULAW.has(type) ? withSunHeader(body) : body;
}

const excerpt = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text);
