// Whatever TwiML runs on one call: its own, and beside it what a callee hears before the bridge, or what a transfer tries.
import type { DialOutcome, Parameters, Role } from '../../twiml/index.ts';
import type { TwimlSource, WebhookTarget } from '../order.ts';
import type { TwimlOrigin, TwimlRunner, TwimlRunnerDeps } from './twiml-runner.ts';

/** What differs between the runners of one call. */
export interface RunnerOwn extends Pick<TwimlRunnerDeps, 'bridge'> {
  /** A callee of a Dial rings, or is heard before the answer. */
  ringing(): void;
  /** A callee of a Dial is about to talk with the party. */
  connected(): void;
  /** A Dial is over. */
  dialed(outcome: DialOutcome): void;
}

/** What comes of a transfer; one of the last two, once. */
export interface TransferEvents {
  /** Somebody rings; said of each. */
  ringing(): void;
  /** Somebody was reached, or whoever asked for it is gone: the party is not given back. */
  reached(): void;
  /** Told as a status of SIP. */
  reachedNobody(status: number): void;
}

interface Beside {
  readonly runner: TwimlRunner;
  /** Of a transfer. */
  readonly events?: TransferEvents;
}

const IDLE: RunnerOwn = { bridge() {}, ringing() {}, connected() {}, dialed() {} };
/** The document itself failed, or rang nobody. */
const NOBODY = 500;
/** The party left, or does something else. */
const TERMINATED = 487;
const STATUS: Readonly<Record<DialOutcome['status'], number>> = {
  completed: NOBODY,
  busy: 486,
  'no-answer': 480,
  failed: NOBODY,
  canceled: TERMINATED,
};

export class CallTwiml {
  readonly #make: (role: Role, own: RunnerOwn) => TwimlRunner;
  #own: TwimlRunner | undefined;
  #beside: Beside | undefined;

  constructor(make: (role: Role, own: RunnerOwn) => TwimlRunner) {
    this.#make = make;
  }

  get hasRun(): boolean {
    return this.#own !== undefined;
  }

  /** Leaves the TwiML that runs for another. */
  run(source: TwimlSource, origin: TwimlOrigin = 'order'): void {
    this.#own ??= this.#make('call', IDLE);
    this.#own.start(source, origin);
  }

  /** The same by the wish of the API: what runs beside is left too. */
  redirect(source: TwimlSource): void {
    this.#leaveBeside(TERMINATED);
    this.run(source, 'update');
  }

  /** Lets a callee hear TwiML before the bridge; `taken` is called when it takes the call, which else ends. */
  screen(source: TwimlSource, taken: () => void): void {
    const runner = this.#make('screening', {
      ...IDLE,
      bridge: () => {
        this.#beside = undefined;
        taken();
      },
    });
    this.#beside = { runner };
    runner.start(source);
  }

  /** Goes on with a document; resolves when it is there, or cannot be had. */
  follow(target: WebhookTarget, parameters: Parameters): Promise<void> {
    this.#own ??= this.#make('call', IDLE);
    return this.#own.follow(target, parameters);
  }

  /** Runs a document beside the call's own, in whose place it comes once a Dial of it is answered. */
  tryElsewhere(target: WebhookTarget, parameters: Parameters, events: TransferEvents): void {
    let status = NOBODY;
    const runner = this.#make('transfer', {
      bridge: () => this.#leaveBeside(status),
      ringing: () => {
        if (this.#beside?.runner === runner) events.ringing();
      },
      connected: () => this.goOnElsewhere(),
      dialed: (outcome) => {
        status = STATUS[outcome.status];
      },
    });
    this.#beside = { runner, events };
    void runner.follow(target, parameters);
  }

  /** The document of a transfer is the call's own from here on. */
  goOnElsewhere(): void {
    const { runner, events } = this.#beside ?? {};
    if (!runner || !events) return;
    this.#beside = undefined;
    const before = this.#own;
    this.#own = runner;
    runner.becomeOwn();
    before?.stop();
    events.reached();
  }

  /** A party of the Dial that runs sent REFER; whether it is sent elsewhere. */
  transfer(target: string, by: 'caller' | 'callee'): boolean {
    return this.#own?.transfer(target, by) ?? false;
  }

  /** The party pressed a key. */
  key(key: string): void {
    (this.#beside?.runner ?? this.#own)?.key(key);
  }

  /** The call is over; whether something is still to be told to the app, which the runner says when it is done. */
  callEnded(): boolean {
    this.#leaveBeside(TERMINATED);
    this.#own?.callEnded();
    return this.#own !== undefined;
  }

  #leaveBeside(status: number): void {
    const beside = this.#beside;
    this.#beside = undefined;
    beside?.runner.stop();
    beside?.events?.reachedNobody(status);
  }
}
