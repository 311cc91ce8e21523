// Runs a call's TwiML: fetches documents, performs what they ask for one action at a time, and tells the interpreter.
import type { Clock } from '../../lib/clock.ts';
import {
  type Action,
  advance,
  beginDocument,
  type DialOutcome,
  type DialRules,
  type DocumentStep,
  documentText,
  type FetchAction,
  type Input,
  type Parameters,
  parseDocument,
  plainDocument,
  type RecordRules,
  type ReferOutcome,
  type Role,
  type SipAddress,
  soundDocument,
  TwimlError,
  type TwimlWarning,
} from '../../twiml/index.ts';
import type { TwimlSource, WebhookTarget } from '../order.ts';
import type { WebhookAnswer, WebhookResult } from '../webhook/request.ts';
import { withoutSecrets } from '../webhook/url-display.ts';
import { GatherRun } from './gather-run.ts';
import { PromptPlayer, type PromptPlayerDeps } from './prompt-player.ts';

/** Documents one after the other with nothing that takes time between them: a loop of redirects ends here. */
const MAX_DOCUMENTS = 100;
const NO_LOOP_MS = 100;
const TWIML_TYPES = new Set(['text/xml', 'application/xml', 'text/html', 'text/plain']);
/** Warnings that Twilio logs as errors. */
const ERRORS = new Set([13201, 13338, 13621, 13802, 32218]);
/** Twilio: an action of the TwiML that a live call was given is relative to nothing. */
const RELATIVE_ACTION = 15_004;
const APOLOGY = {
  type: 'say',
  text: 'We are sorry. An application error has occurred. Goodbye.',
  voice: 'man',
  language: 'en-US',
} as const;

/** A verb that takes its time: its outcome comes once, also after `stop`. */
export interface VerbRun<T> {
  readonly outcome: Promise<T>;
  stop(): void;
  /** The party pressed a key. */
  key?(key: string): void;
  /** One of the two that talk leaves, or stays for now, and the other goes on with a document; false where nobody talks. */
  handOver?(action: Action & { type: 'hand-over' }): boolean;
}

/** Why TwiML runs: the call came with it, or was given it over the API while it was up. */
export type TwimlOrigin = 'order' | 'update';

export interface TwimlRunnerDeps extends PromptPlayerDeps {
  readonly clock: Clock;
  /** Asks the app for a document, with the call's parameters and `extra` ones. */
  fetch(target: WebhookTarget, extra: Parameters): Promise<WebhookResult>;
  /** What it is at the moment. */
  fallback(): WebhookTarget | undefined;
  /** Resolves when media flows; a call that ends before never resolves it. */
  answer(): Promise<void>;
  record(rules: RecordRules): VerbRun<Input & { type: 'recorded' }>;
  dial(rules: DialRules): VerbRun<DialOutcome>;
  refer(target: SipAddress): VerbRun<ReferOutcome>;
  reject(reason: 'rejected' | 'busy'): void;
  /** Refuses a caller who is not answered as the app has failed; false where such callers hear the apology. */
  refuse(why: string): boolean;
  /** A callee's screening is over, and it takes the call; or a transfer's document is over, and has reached nobody. */
  bridge(): void;
  /** The document ran to an end that hangs up. */
  hangUp(why: string): void;
  /** The call had ended, and nothing is left to be told to the app. */
  over(): void;
}

export class TwimlRunner {
  readonly #deps: TwimlRunnerDeps;
  #role: Role;
  readonly #player: PromptPlayer;
  /** Changes with every start and stop: what an earlier run still awaits is then ignored. */
  #run = 0;
  #documents = 0;
  /** Undefined while a document is fetched. */
  #step: DocumentStep | undefined;
  #gather: GatherRun | undefined;
  #verb: Omit<VerbRun<unknown>, 'outcome'> | undefined;
  /** Where the running document came from. */
  #url: string | undefined;
  #origin: TwimlOrigin = 'order';
  #hasEnded = false;

  /** @param role A failure declines the call of a screening, and ends a transfer: neither has a fallback's apology. */
  constructor(deps: TwimlRunnerDeps, role: Role = 'call') {
    this.#deps = deps;
    this.#role = role;
    this.#player = new PromptPlayer(deps);
  }

  /** Leaves whatever runs and starts with `source`. */
  start(source: TwimlSource, origin: TwimlOrigin = 'order'): void {
    this.stop();
    if (this.#hasEnded) return;
    this.#origin = origin;
    if ('twiml' in source) this.#execute(source.twiml, undefined);
    else void this.#fetch(source);
  }

  /** The same with a document that is asked for with more parameters; resolves when it is there, or cannot be had. */
  async follow(target: WebhookTarget, parameters: Parameters): Promise<void> {
    this.stop();
    if (!this.#hasEnded) await this.#fetch(target, parameters);
  }

  /** Ends the run; nothing of it is heard or told any more. */
  stop(): void {
    this.#run += 1;
    this.#step = undefined;
    this.#gather?.stop();
    this.#gather = undefined;
    this.#leaveVerb();
    this.#player.stop();
  }

  /** A Dial goes on until the document that takes its place is there. */
  #leaveVerb(): void {
    const verb = this.#verb;
    this.#verb = undefined;
    verb?.stop();
  }

  /** The party pressed a key. */
  key(key: string): void {
    if (this.#gather) this.#gather.key(key);
    else this.#verb?.key?.(key);
  }

  /** A party of the running Dial sent REFER; whether it is sent elsewhere: the other goes on with a document. */
  transfer(target: string, by: 'caller' | 'callee'): boolean {
    const verb = this.#verb;
    const action = verb && this.#go({ type: 'transfer', target, by })?.action;
    if (action?.type === 'hand-over') return verb?.handOver?.(action) ?? false;
    return action?.type === 'fetch';
  }

  /** What began as a transfer's document is the call's own: where it ends, the call does. */
  becomeOwn(): void {
    this.#role = 'call';
    if (this.#step) this.#step = { ...this.#step, state: { ...this.#step.state, role: 'call' } };
  }

  /** The call is over. What is still to be told to the app is; `over` says when that is done. */
  callEnded(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (!this.#step) return this.#over();
    this.#go({ type: 'call-ended' });
    this.#verb?.stop();
  }

  #over(): void {
    this.stop();
    this.#deps.over();
  }

  /** @returns what comes next */
  #go(input: Input): DocumentStep | undefined {
    if (!this.#step) return undefined;
    const step = advance(this.#step.state, input);
    this.#perform(step);
    return step;
  }

  /** Feeds what a promise brings, unless the run has changed. */
  #await(outcome: Promise<Input>): void {
    const run = this.#run;
    const startedMs = this.#deps.clock.monotonic();
    void outcome.then((input) => {
      if (run !== this.#run) return;
      if (this.#deps.clock.monotonic() - startedMs >= NO_LOOP_MS) this.#documents = 0;
      this.#gather = undefined;
      this.#verb = undefined;
      this.#go(input);
    });
  }

  #perform(step: DocumentStep): void {
    this.#step = step;
    for (const warning of step.warnings) this.#warnOf(warning);
    const { action } = step;
    switch (action.type) {
      case 'answer':
        return this.#await(this.#deps.answer().then(() => ({ type: 'answered' })));
      case 'say':
      case 'play':
      case 'play-digits':
      case 'pause':
        return this.#await(this.#player.play(action).then(() => ({ type: 'done' })));
      case 'gather':
      case 'record':
      case 'dial':
      case 'refer':
        return this.#begin(action);
      case 'fetch':
        return this.#ask(action);
      case 'fail':
        this.#step = undefined;
        return void this.#failed(this.#codeOf(action), action.message);
      default:
        return this.#conclude(action);
    }
  }

  #begin(action: Action & { type: 'gather' | 'record' | 'dial' | 'refer' }): void {
    const { clock, note, record, dial, refer } = this.#deps;
    this.#player.stop();
    note(`<${action.type[0]?.toUpperCase()}${action.type.slice(1)}>`);
    switch (action.type) {
      case 'gather':
        return this.#startGather(clock, action);
      case 'record':
        return this.#startVerb(record(action.rules), (input) => input);
      case 'dial':
        return this.#startVerb(dial(action.rules), (outcome) => ({ type: 'dialed', outcome }));
      case 'refer':
        return this.#startVerb(refer(action.target), (outcome) => ({ type: 'referred', outcome }));
    }
  }

  #startGather(clock: Clock, action: Action & { type: 'gather' }): void {
    const { promise, resolve } = Promise.withResolvers<Input>();
    this.#gather = new GatherRun({ clock, player: this.#player, done: resolve }, action);
    this.#await(promise);
  }

  #startVerb<T>(run: VerbRun<T>, inputOf: (outcome: T) => Input): void {
    this.#verb = run;
    this.#await(run.outcome.then(inputOf));
  }

  #codeOf({ code, by }: Action & { type: 'fail' }): number {
    const isGiven = this.#origin === 'update' && this.#url === undefined;
    return isGiven && by.endsWith(' action>') ? RELATIVE_ACTION : code;
  }

  #conclude(action: Action): void {
    switch (action.type) {
      case 'reject':
        this.#step = undefined;
        return this.#deps.reject(action.reason);
      case 'bridge':
        this.#step = undefined;
        return this.#deps.bridge();
      case 'hangup':
        this.#step = undefined;
        return this.#deps.hangUp(action.why);
      case 'over':
        return this.#over();
      default:
        // `await`: the input that was waited for is still to come.
        return undefined;
    }
  }

  #ask({ by, url, method, parameters, answer }: FetchAction): void {
    this.#deps.note(`${by} asks ${withoutSecrets(url)}`);
    if (answer === 'run') return void this.#fetch({ url, method }, parameters);
    void this.#deps.fetch({ url, method }, parameters).then(() => this.#over());
  }

  async #fetch(target: WebhookTarget, extra: Parameters = {}): Promise<void> {
    const run = ++this.#run;
    this.#step = undefined;
    this.#documents += 1;
    if (this.#documents > MAX_DOCUMENTS) return this.#deps.hangUp(`more than ${MAX_DOCUMENTS} documents`);
    const result = await this.#deps.fetch(target, extra);
    if (run !== this.#run) return;
    this.#leaveVerb();
    this.#url = target.url;
    if (result.kind === 'failure') return this.#failed(result.code, result.message);
    const type = result.contentType.split(';')[0]?.trim().toLowerCase() ?? '';
    if (type.startsWith('audio/')) return this.#execute(soundDocument(target.url), target.url, result);
    if (!TWIML_TYPES.has(type)) return this.#failed(12300, `content type "${type}" is no TwiML`);
    const text = documentText(result.body, result.contentType);
    this.#execute(type === 'text/plain' ? plainDocument(text) : text, target.url);
  }

  /** @param sound What the document's only prompt plays, where it came in the document's place. */
  #execute(text: string, url: string | undefined, sound?: WebhookAnswer): void {
    this.#url = url;
    this.#player.sound = sound;
    try {
      const document = parseDocument(text, url);
      for (const warning of document.warnings) this.#warnOf(warning);
      const answered = this.#deps.media() !== undefined;
      this.#perform(beginDocument(document, { answered, role: this.#role }));
    } catch (error) {
      if (!(error instanceof TwimlError)) throw error;
      void this.#failed(error.code, error.message);
    }
  }

  #warnOf({ code, message, line, column }: TwimlWarning): void {
    const level = ERRORS.has(code) ? 'error' : 'warning';
    this.#deps.notify({ code, level, text: `${message} (line ${line}, column ${column})` });
  }

  /** Tries the fallback URL once; without one the caller hears an apology and the call ends, as at Twilio. */
  async #failed(code: number, message: string): Promise<void> {
    const { notify, fallback, media, answer, hangUp } = this.#deps;
    const run = this.#run;
    notify({ code, level: 'error', text: message });
    if (this.#role === 'transfer') return this.#deps.bridge();
    const spare = fallback();
    if (spare && spare.url !== this.#url) {
      return this.#fetch(spare, { ErrorCode: String(code), ErrorUrl: this.#url ?? '' });
    }
    const why = `TwiML failed: ${message}`;
    if (this.#role === 'call') {
      if (!media() && this.#deps.refuse(why)) return;
      if (!media()) await answer();
      if (run === this.#run) await this.#player.play(APOLOGY);
    }
    if (run === this.#run) hangUp(why);
  }
}
