// Runs a call's TwiML on its media: fetches documents, speaks, waits, and says when the call is to be hung up.
import type { Clock, Timer } from '../lib/clock.ts';
import type { MediaSession, Prompt } from '../media/index.ts';
import { begin, parseTwiml, step, type TwimlAction, TwimlError, type TwimlState } from '../twiml/index.ts';
import type { TwimlSource, WebhookTarget } from './control.ts';
import { withoutSecrets } from './url-display.ts';
import type { WebhookResult } from './webhook-client.ts';

/** Documents of one call, redirects included: a loop of redirects ends here. */
const MAX_DOCUMENTS = 100;
const TWIML_TYPES = new Set(['text/xml', 'application/xml', 'text/html', 'text/plain']);
const APOLOGY = 'We are sorry. An application error has occurred. Goodbye.';

export interface TwimlRunnerDeps {
  readonly media: MediaSession;
  readonly clock: Clock;
  /** Asks the app for a document, with the call's parameters and `extra` ones. */
  fetch(target: WebhookTarget, extra: Readonly<Record<string, string>>): Promise<WebhookResult>;
  /** Fetches audio. */
  download(url: string): Promise<WebhookResult>;
  readonly fallback: WebhookTarget | undefined;
  note(kind: 'twiml' | 'warning', text: string): void;
  /** The document ran to an end that hangs up. */
  hangUp(why: string): void;
}

export class TwimlRunner {
  readonly #deps: TwimlRunnerDeps;
  /** Changes with every start and stop: what an earlier run still awaits is then ignored. */
  #run = 0;
  #documents = 0;
  #pause: Timer | undefined;

  constructor(deps: TwimlRunnerDeps) {
    this.#deps = deps;
  }

  /** Leaves whatever runs and starts with `source`. */
  start(source: TwimlSource): void {
    this.stop();
    const run = this.#run;
    if ('twiml' in source) this.#execute(run, source.twiml, undefined);
    else void this.#fetch(run, source);
  }

  /** Ends the run; nothing of it is heard or told any more. */
  stop(): void {
    this.#run += 1;
    this.#deps.clock.cancel(this.#pause);
    this.#pause = undefined;
    this.#deps.media.stopPlaying();
  }

  async #fetch(
    run: number,
    target: WebhookTarget,
    extra: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    this.#documents += 1;
    if (this.#documents > MAX_DOCUMENTS) return this.#deps.hangUp(`more than ${MAX_DOCUMENTS} documents`);
    const result = await this.#deps.fetch(target, extra);
    if (run !== this.#run) return;
    if (result.kind === 'failure') return this.#failed(run, result.code, result.message, target.url);
    const type = result.contentType.split(';')[0]?.trim().toLowerCase() ?? '';
    if (!TWIML_TYPES.has(type))
      return this.#failed(run, 12300, `content type "${type}" is no TwiML`, target.url);
    this.#execute(run, result.body.toString(), target.url);
  }

  #execute(run: number, text: string, url: string | undefined): void {
    try {
      const document = parseTwiml(text);
      for (const { code, message, line, column } of document.warnings) {
        this.#deps.note('warning', `${code}: ${message} (line ${line}, column ${column})`);
      }
      void this.#perform(run, begin(document.verbs), url);
    } catch (error) {
      if (!(error instanceof TwimlError)) throw error;
      void this.#failed(run, error.code, error.message, url);
    }
  }

  async #perform(run: number, start: TwimlState, url: string | undefined): Promise<void> {
    let state = start;
    while (run === this.#run) {
      const next = step(state);
      state = next.state;
      if (next.action.type === 'hangup') return this.#deps.hangUp(next.action.why);
      if (next.action.type === 'fetch') return this.#redirect(run, next.action, url);
      await (next.action.type === 'play'
        ? this.#playUrl(run, next.action.url, url)
        : this.#play(next.action));
    }
  }

  /** Audio that cannot be had or played is skipped, with a warning. */
  async #playUrl(run: number, address: string, base: string | undefined): Promise<void> {
    const target = URL.parse(address, base);
    if (!target) return this.#deps.note('warning', `11100: <Play> of "${address}", which is no absolute URL`);
    this.#deps.note('twiml', `<Play> of ${withoutSecrets(target.href)}`);
    const result = await this.#deps.download(target.href);
    if (run !== this.#run) return;
    if (result.kind === 'failure') return this.#deps.note('warning', `${result.code}: ${result.message}`);
    await this.#hear({ kind: 'audio', file: result.body });
  }

  #redirect(run: number, action: TwimlAction & { type: 'fetch' }, base: string | undefined): Promise<void> {
    const target = URL.parse(action.url, base);
    this.#deps.note('twiml', `<Redirect> to ${action.url}`);
    if (!target) return this.#failed(run, 11100, `"${action.url}" is no absolute URL`, base);
    return this.#fetch(run, { url: target.href, method: action.method });
  }

  async #play(action: TwimlAction & { type: 'say' | 'pause' }): Promise<void> {
    if (action.type === 'pause') {
      this.#deps.note('twiml', `<Pause> of ${action.durationMs / 1000} s`);
      return new Promise((resolve) => (this.#pause = this.#deps.clock.after(action.durationMs, resolve)));
    }
    this.#deps.note('twiml', `<Say> "${excerpt(action.text)}"`);
    const { text, voice, language } = action;
    await this.#hear({ kind: 'speech', text, voice, language });
  }

  async #hear(prompt: Prompt): Promise<void> {
    await this.#deps.media.play(prompt).catch((error: Error) => this.#deps.note('warning', error.message));
  }

  /** Tries the fallback URL once; without one the caller hears an apology and the call ends, as at Twilio. */
  async #failed(run: number, code: number, message: string, url: string | undefined): Promise<void> {
    this.#deps.note('warning', `${code}: ${message}`);
    const { fallback } = this.#deps;
    if (fallback && fallback.url !== url) {
      return this.#fetch(run, fallback, { ErrorCode: String(code), ErrorUrl: url ?? '' });
    }
    await this.#play({ type: 'say', text: APOLOGY, voice: 'man', language: 'en-US' });
    if (run === this.#run) this.#deps.hangUp(`TwiML failed: ${message}`);
  }
}

const excerpt = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text);
