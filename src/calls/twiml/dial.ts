// Performs a Dial: rings callees as calls of their own, lets the caller hear what belongs, bridges, and tells the outcome.
import type { Clock, Timer } from '../../lib/clock.ts';
import { MediaError, type MediaSession } from '../../media/index.ts';
import type { Action, DialOutcome, DialRules, DialTarget } from '../../twiml/index.ts';
import type { CallRow } from '../call-life.ts';
import type { CallScript } from '../call-script.ts';
import type { RecordingEvent } from '../control.ts';
import type { SipFacts } from '../leg/leg.ts';
import type { LiveCall } from '../live-call.ts';
import type { LiveRecording } from '../recording/live.ts';
import type { FormParameters } from '../webhook/signature.ts';
import { type ChildOrder, childOrder } from './dial-order.ts';
import {
  beginDial,
  type DialAction,
  type DialInput,
  type DialState,
  type DialStep,
  stepDial,
} from './dial-state.ts';
import type { VerbRun } from './twiml-runner.ts';

/** Children may last as long as a call can; the Dial has a limit of its own. */
const LONGEST_CALL_S = 86_400;

/** The call that dials. */
export interface Caller {
  readonly row: CallRow;
  /** Where the caller is heard and spoken to: from the answer on, or earlier where early media was opened. */
  readonly audible: MediaSession | undefined;
  readonly session: MediaSession | undefined;
  /** Lets a caller who is not answered hear sound, where that can be; `then` runs when they do. */
  openEarly(then: () => void): void;
  /** Resolves when media flows. */
  answer(): Promise<void>;
  record: LiveCall['record'];
  note: LiveCall['note'];
  /** A callee asks to be sent elsewhere; whether the document that is asked for takes the Dial's place. */
  transfer(target: string): boolean;
  end: LiveCall['end'];
}

export interface DialDeps {
  readonly clock: Clock;
  /** Begins a callee's call. */
  place(order: ChildOrder): LiveCall;
}

export class DialRun implements VerbRun<DialOutcome> {
  readonly outcome: Promise<DialOutcome>;
  readonly #deps: DialDeps;
  readonly #caller: Caller;
  readonly #rules: DialRules;
  readonly #children: LiveCall[] = [];
  readonly #resolve: (outcome: DialOutcome) => void;
  #state: DialState;
  /** Inputs that came while another's actions are performed. */
  readonly #inputs: DialInput[] = [];
  #isPerforming = false;
  #timeLimit: Timer | undefined;
  #recording: LiveRecording | undefined;
  /** The caller is about to leave, once the callee has its document. */
  #leaving: Promise<void> | undefined;

  constructor(deps: DialDeps, caller: Caller, rules: DialRules) {
    this.#deps = deps;
    this.#caller = caller;
    this.#rules = rules;
    const { promise, resolve } = Promise.withResolvers<DialOutcome>();
    this.outcome = promise;
    this.#resolve = resolve;
    const first = beginDial({
      branches: rules.targets.map((target) => ({ prepares: isPrepared(target) })),
      sequential: rules.sequential,
      ownTone: rules.ringTone !== undefined,
      hangupOnStar: rules.hangupOnStar,
    });
    this.#state = first.state;
    if (rules.record?.from === 'ringing') this.#record();
    this.#go(first);
    this.#takeInputs();
  }

  key(key: string): void {
    if (key === '*') this.#feed({ type: 'star' });
  }

  stop(): void {
    this.#feed({ type: 'stop' });
  }

  handOver({ to, parameters }: Action & { type: 'hand-over' }): boolean {
    const { phase, winner } = this.#state;
    const callee = winner === undefined ? undefined : this.#children[winner];
    if (phase !== 'talking' || !callee) return false;
    // Now: a caller who hangs up without waiting does not take the callee along.
    const document = callee.goOnAlone(to, parameters);
    this.#leaving = document.then(() => this.#caller.end('it was sent elsewhere, as it had asked by REFER'));
    this.#feed({ type: 'moved', branch: winner as number });
    return true;
  }

  #feed(input: DialInput): void {
    this.#inputs.push(input);
    if (!this.#isPerforming) this.#takeInputs();
  }

  #takeInputs(): void {
    for (let next = this.#inputs.shift(); next; next = this.#inputs.shift()) {
      this.#go(stepDial(this.#state, next));
    }
  }

  #go({ state, actions }: DialStep): void {
    this.#state = state;
    this.#isPerforming = true;
    for (const action of actions) this.#perform(action);
    this.#isPerforming = false;
  }

  #perform(action: DialAction): void {
    switch (action.type) {
      case 'ring':
        return this.#ring(action.branch);
      case 'tone':
        return this.#tone();
      case 'early':
        return this.#early(action.branch);
      case 'prepare':
        return this.#prepare(action.branch);
      case 'bridge':
        return this.#connect(action.branch);
      case 'drop':
        return this.#children[action.branch]?.giveUp(action.why);
      case 'done':
        return void this.#finish(action.branch);
    }
  }

  #ring(branch: number): void {
    const target = this.#rules.targets[branch] as DialTarget;
    const order = childOrder({
      target,
      rules: this.#rules,
      caller: this.#caller.row,
      script: this.#script(branch),
    });
    this.#children[branch] = this.#deps.place(order);
  }

  /** What a callee's call tells of itself. */
  #script(branch: number): CallScript {
    const isSip = this.#rules.targets[branch]?.noun === 'Sip';
    const parameters = () => (isSip ? sipParameters(this.#children[branch]?.sip) : []);
    return {
      get parameters() {
        return parameters();
      },
      timeLimitS: LONGEST_CALL_S,
      ringing: () => this.#feed({ type: 'ringing', branch }),
      early: () => this.#feed({ type: 'early', branch }),
      connected: () => this.#feed({ type: 'answered', branch }),
      redirected: () => this.#feed({ type: 'moved', branch }),
      ended: () => this.#feed({ type: 'ended', branch }),
      referred: (_child, target) => this.#state.winner === branch && this.#caller.transfer(target),
    };
  }

  #tone(): void {
    const session = this.#caller.audible;
    session?.unbridge();
    const country = this.#rules.ringTone;
    session?.play({ kind: 'ringback', ...(country !== undefined && { country }) }).catch(() => {});
  }

  #early(branch: number): void {
    this.#caller.openEarly(() => {
      if (this.#state.sound === branch) this.#bridge(branch);
    });
  }

  #prepare(branch: number): void {
    const target = this.#rules.targets[branch] as DialTarget;
    const child = this.#children[branch] as LiveCall;
    const ready = () => this.#feed({ type: 'ready', branch });
    const screen = () => (target.screening ? child.screen(target.screening, ready) : ready());
    const keys = target.noun === 'Number' ? target.sendDigits : '';
    if (keys) void child.session?.sendDigits(keys).then(screen, screen);
    else screen();
  }

  #connect(branch: number): void {
    const begin = () => {
      if (this.#state.phase !== 'talking') return;
      this.#bridge(branch);
      this.#record();
    };
    if (this.#caller.session) begin();
    else void this.#caller.answer().then(begin);
    this.#timeLimit = this.#deps.clock.after(this.#rules.timeLimitMs, () =>
      this.#feed({ type: 'time-limit' }),
    );
    this.#caller.note('twiml', `<Dial> connects ${this.#children[branch]?.row.to}`);
  }

  #bridge(branch: number): void {
    const caller = this.#caller.audible;
    const callee = this.#children[branch]?.audible;
    if (!caller || !callee) return;
    caller.stopPlaying();
    callee.stopPlaying();
    try {
      caller.bridge(callee);
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#children[branch]?.giveUp(`no bridge: ${error.message}`);
    }
  }

  #record(): void {
    const { record } = this.#rules;
    const { session } = this.#caller;
    if (!record || !session || this.#recording) return;
    const { channels, track, trimSilence, callback } = record;
    this.#recording = this.#caller.record(session, {
      source: 'DialVerb',
      channels,
      track,
      trimSilence,
      ...(callback && { callback: { ...callback, events: callback.events as readonly RecordingEvent[] } }),
    });
  }

  async #finish(branch: number): Promise<void> {
    this.#deps.clock.cancel(this.#timeLimit);
    const caller = this.#caller.audible;
    caller?.unbridge();
    caller?.stopPlaying();
    const told = this.#outcome(branch);
    const recorded = await this.#recording?.stop();
    await this.#leaving;
    const recordingUrl = recorded && recorded.status !== 'absent' ? this.#recording?.url : undefined;
    this.#resolve({ ...told, ...(recordingUrl !== undefined && { recordingUrl }) });
  }

  #outcome(branch: number): DialOutcome {
    const child = this.#children[branch] as LiveCall;
    const { sid, status, duration } = child.row;
    const { winner, hasMoved } = this.#state;
    const bridged = winner !== undefined;
    const { sip } = child;
    return {
      status: hasMoved ? 'completed' : (status as DialOutcome['status']),
      callSid: sid,
      bridged,
      ...(bridged && !hasMoved && duration !== null && { durationS: duration }),
      ...(this.#rules.targets[branch]?.noun === 'Sip' && sip && { sip }),
    };
  }
}

/** What a callee's own requests tell of its SIP leg (Twilio: "SIP noun", `url`). */
const sipParameters = (sip: SipFacts | undefined): FormParameters =>
  sip
    ? [
        ['SipCallId', sip.callId],
        ...sip.headers.map(({ name, value }) => [`SipHeader_${name}`, value] as const),
      ]
    : [];

const isPrepared = (target: DialTarget): boolean =>
  target.screening !== undefined || (target.noun === 'Number' && target.sendDigits !== '');
