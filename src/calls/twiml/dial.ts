// Performs a Dial: rings callees as calls of their own, lets the caller hear what belongs, bridges, and tells the outcome.
import type { Clock, Timer } from '../../lib/clock.ts';
import { MediaError } from '../../media/index.ts';
import type { Action, DialOutcome, DialRules, DialTarget } from '../../twiml/index.ts';
import type { Call, CallScript, ChildOrder } from '../call.ts';
import type { RecordingEvent } from '../order.ts';
import type { LiveRecording } from '../recording/live.ts';
import { childOrder } from './dial-order.ts';
import {
  beginDial,
  type DialAction,
  type DialInput,
  type DialState,
  type DialStep,
  stepDial,
} from './dial-state.ts';
import type { VerbRun } from './twiml-runner.ts';

const SENT_ELSEWHERE = 'it was sent elsewhere, as it had asked by REFER';
/** Children may last as long as a call can; the Dial has a limit of its own. */
const LONGEST_CALL_S = 86_400;

export interface DialDeps {
  readonly clock: Clock;
  /** Begins a callee's call. */
  place(order: ChildOrder): Call;
  /** A callee rings, or is heard before the answer. */
  ringing(): void;
  /** A callee has won: the two are about to talk. */
  connected(): void;
  /** It is over. */
  over(outcome: DialOutcome): void;
}

export class DialRun implements VerbRun<DialOutcome> {
  readonly outcome: Promise<DialOutcome>;
  readonly #deps: DialDeps;
  /** The call that dials. */
  readonly #caller: Call;
  readonly #rules: DialRules;
  readonly #children: Call[] = [];
  readonly #resolve: (outcome: DialOutcome) => void;
  #state: DialState;
  /** Inputs that came while another's actions are performed. */
  readonly #inputs: DialInput[] = [];
  #isPerforming = false;
  #timeLimit: Timer | undefined;
  #recording: LiveRecording | undefined;
  /** The caller is about to leave, once the callee has its document. */
  #leaving: Promise<void> | undefined;

  constructor(deps: DialDeps, caller: Call, rules: DialRules) {
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

  handOver(action: Action & { type: 'hand-over' }): boolean {
    const { phase, winner, leaving } = this.#state;
    const callee = winner === undefined ? undefined : this.#children[winner];
    if (phase !== 'talking' || !callee || leaving) return false;
    if (action.stays) this.#tryElsewhere(callee, action);
    else this.#leaveTo(callee, action);
    return true;
  }

  #leaveTo(callee: Call, { to, parameters }: Action & { type: 'hand-over' }): void {
    // Now: a caller who hangs up without waiting does not take the callee along.
    const document = callee.goOnAlone(to, parameters);
    this.#leaving = document.then(() => this.#caller.end(SENT_ELSEWHERE));
    this.#feed({ type: 'moved', branch: this.#state.winner as number });
  }

  /** Whoever asked for it stays, and hears nothing, until the other one's document has reached somebody or nobody. */
  #tryElsewhere(callee: Call, { by, to, parameters }: Action & { type: 'hand-over' }): void {
    const branch = this.#state.winner as number;
    const [transferor, transferee] = by === 'caller' ? [this.#caller, callee] : [callee, this.#caller];
    this.#feed({ type: 'refer', by });
    transferee.note('twiml', 'tries to go on with somebody else');
    transferee.twiml.tryElsewhere(to, parameters, {
      ringing: () => transferor.referProgress(180),
      reached: () => {
        // A callee is hung up on with the Dial, in whose place the document runs.
        if (by === 'callee') return;
        const { isStopped } = this.#state;
        this.#feed({ type: 'moved', branch });
        if (!isStopped) transferor.end(SENT_ELSEWHERE);
      },
      reachedNobody: (status) => {
        transferor.referProgress(status);
        this.#feed({ type: 'stays' });
      },
    });
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
      case 'part':
        return this.#caller.session?.unbridge();
      case 'rejoin':
        return this.#bridge(action.branch);
      case 'let-go':
        return this.#letGo(action.branch);
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
    return {
      timeLimitS: LONGEST_CALL_S,
      ringing: () => this.#rings('ringing', branch),
      early: () => this.#rings('early', branch),
      connected: () => this.#feed({ type: 'answered', branch }),
      redirected: () => this.#feed({ type: 'moved', branch }),
      ended: () => this.#feed({ type: 'ended', branch }),
      referred: (_child, target) =>
        this.#state.winner === branch && this.#caller.twiml.transfer(target, 'callee'),
    };
  }

  #rings(type: 'ringing' | 'early', branch: number): void {
    this.#deps.ringing();
    this.#feed({ type, branch });
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
    const child = this.#children[branch] as Call;
    const ready = () => this.#feed({ type: 'ready', branch });
    const screen = () => (target.screening ? child.twiml.screen(target.screening, ready) : ready());
    const keys = target.noun === 'Number' ? target.sendDigits : '';
    if (keys) void child.session?.sendDigits(keys).then(screen, screen);
    else screen();
  }

  #letGo(branch: number): void {
    if (this.#state.leaving === 'caller') return this.#children[branch]?.twiml.goOnElsewhere();
    this.#deps.clock.cancel(this.#timeLimit);
    void this.#recording?.stop();
    this.#caller.twiml.goOnElsewhere();
  }

  #connect(branch: number): void {
    this.#deps.connected();
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
    this.#deps.over(told);
    this.#resolve({ ...told, ...(recordingUrl !== undefined && { recordingUrl }) });
  }

  #outcome(branch: number): DialOutcome {
    const child = this.#children[branch] as Call;
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

const isPrepared = (target: DialTarget): boolean =>
  target.screening !== undefined || (target.noun === 'Number' && target.sendDigits !== '');
