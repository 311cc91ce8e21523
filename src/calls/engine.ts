// Every live call of this node: places, changes and drains them, and closes what an earlier run left open.

import { isEmergencyNumber } from '../admission/index.ts';
import type { Timer } from '../lib/clock.ts';
import { Roster } from '../lib/roster.ts';
import { call, newRow } from '../resources/index.ts';
import type { RouteTrace } from '../routing/index.ts';
import type { Call, CallScript, ChildOrder } from './call.ts';
import type { CallRow } from './call-life.ts';
import { type Admission, CallPace, type PaceLimits } from './call-pace.ts';
import { apiScript } from './call-script.ts';
import type { CallControl, ModifyResult, PlaceRefusal } from './control.ts';
import { inviteTemplate } from './leg/invite-template.ts';
import type { Leg, LegObserver } from './leg/leg.ts';
import { type LegDeps, OutboundLeg } from './leg/outbound-leg.ts';
import { LiveCall } from './live-call.ts';
import type { LiveCallDeps, LiveCallGivens } from './live-call-givens.ts';
import type { CallChange, CallOrder, RecordingOrder, RecordingUpdate, RouteQuestion } from './order.ts';
import type { Recorded, RecordingRow } from './recording/outcome.ts';
import { recordingStart } from './recording/shelf.ts';
import { recoverCalls } from './recovery.ts';
import type { EmergencyVerdict } from './route/emergency.ts';
import { type Explanation, explain } from './route/explain.ts';
import { judgeNumber, type NumberWorld } from './route/number-verdict.ts';
import { type CallPlan, planCall } from './route/plan.ts';
import type { PlanWorld } from './route/plan-sip.ts';
import { childInvite, childRoute, childValues } from './twiml/child-call.ts';

export interface CallEngineDeps extends Omit<LiveCallDeps, 'placeChild'>, LegDeps, PlanWorld, NumberWorld {
  /** Host of the From header where the trunk names none. */
  readonly fromDomain: string;
  /** Of each account; without them everything goes at once. */
  readonly limits?: Omit<PaceLimits, 'maxWaiting'>;
}

/** A call that came in and was admitted. */
export interface InboundOrder {
  /** Columns of its row; `direction`, `to`, `from` and `accountSid` at least. */
  readonly values: Parameters<typeof newRow<typeof call>>[1];
  readonly script: CallScript;
  /** Max-Forwards of the calls that it leads to. */
  readonly hopsLeft?: number;
  /** The SIP domain that it came in by. */
  readonly domainSid?: string;
  /** Makes its leg, in the media family of the row's SID; it starts when the row is durable. */
  leg(row: CallRow, observer: LegObserver): Leg;
}

/** Calls of an account that may wait for their turn. */
const MAX_WAITING = 10_000;

export class CallEngine implements CallControl {
  readonly #deps: CallEngineDeps;
  readonly #callDeps: LiveCallDeps;
  readonly #calls = new Roster<LiveCall>();
  readonly #pace: CallPace;
  /** Calls that came in, by the trunks that they go over. */
  readonly #overTrunks = new Map<string, number>();
  #nextTurn: Timer | undefined;
  #accepting = true;
  #onIdle: (() => void) | undefined;

  constructor(deps: CallEngineDeps) {
    this.#deps = deps;
    this.#callDeps = { ...deps, placeChild: (parent, order) => this.#placeChild(parent, order) };
    this.#pace = new CallPace({ ...deps.limits, maxWaiting: MAX_WAITING });
  }

  get accepting(): boolean {
    return this.#accepting;
  }

  /** Calls that wait for their turn. */
  get waiting(): number {
    return this.#pace.waiting;
  }

  /** Calls that have not ended, or whose ending is not stored and told yet. */
  get live(): number {
    return this.#calls.size;
  }

  /** Calls of an account that are live or wait, or those over a trunk; callees of a call are not counted. */
  callsOf(sid: string): number {
    return this.#overTrunks.get(sid) ?? this.#pace.callsOf(sid);
  }

  readonly isEmergency = (number: string): boolean => isEmergencyNumber(number, this.#deps.emergencyNumbers);

  judgeNumber(question: Parameters<CallControl['judgeNumber']>[0]): EmergencyVerdict {
    return judgeNumber({ ...question, by: 'api' }, this.#deps);
  }

  async place(order: CallOrder): Promise<CallRow | PlaceRefusal> {
    const { clock, journal, fromDomain } = this.#deps;
    const plan = planCall(order, this.#deps);
    const row = newRow(call, callValues(order, plan), this.#deps);
    const admission = this.#admit(order, row, clock.monotonic());
    if (admission === 'too-many-calls' || admission === 'queue-full') return admission;
    const over = () => this.#pace.leave(row.accountSid, row.sid);
    const template = inviteTemplate(row, order, plan.fromDomain ?? fromDomain);
    const live = this.#take(
      {
        row,
        script: apiScript(order),
        family: row.sid,
        ...(plan.domainSid !== undefined && { calledDomainSid: plan.domainSid }),
        leg: (observer) =>
          new OutboundLeg(this.#deps, { plan, family: row.sid, template: () => template }, observer),
      },
      over,
    );
    if (admission === 'now') live.turn();
    else this.#wake();
    try {
      await journal.commit({ insert: row });
    } catch (error) {
      over();
      this.#finished(row.sid);
      throw error;
    }
    live.placed();
    return row;
  }

  #admit({ isEmergency }: CallOrder, { accountSid, sid }: CallRow, nowMs: number): Admission {
    if (!isEmergency) return this.#pace.admit(accountSid, sid, nowMs);
    this.#pace.enter(accountSid, nowMs);
    return 'now';
  }

  /**
   * Takes a call that came in. It begins when its row is durable; one that the database refuses is refused with 500.
   * @returns its row, or undefined while draining, when the call must be refused
   */
  takeInbound({ values, script, leg, ...order }: InboundOrder): CallRow | undefined {
    if (!this.#accepting) return undefined;
    const row = newRow(call, values, this.#deps);
    const over = this.#enter(row);
    const live = this.#take(
      { row, script, family: row.sid, ...order, leg: (observer) => leg(row, observer) },
      over,
    );
    live.turn();
    this.#deps.journal.commit({ insert: row }).then(
      () => live.placed(),
      (error: unknown) => {
        this.#deps.log.error({ call_sid: row.sid, err: String(error) }, 'a call that came in was not stored');
        live.abandon();
        over();
        this.#finished(row.sid);
      },
    );
    return row;
  }

  /** Counts a call that came in. @returns what is to be done, once, when it is over */
  #enter({ accountSid, sid, trunkSid }: CallRow): () => void {
    const overTrunk = (more: number): void => {
      if (trunkSid === null) return;
      const calls = (this.#overTrunks.get(trunkSid) ?? 0) + more;
      if (calls > 0) this.#overTrunks.set(trunkSid, calls);
      else this.#overTrunks.delete(trunkSid);
    };
    this.#pace.enter(accountSid, this.#deps.clock.monotonic());
    overTrunk(1);
    return () => {
      this.#pace.leave(accountSid, sid);
      overTrunk(-1);
    };
  }

  /** Begins a call that belongs to another, in its media family; never queued. */
  #placeChild({ family, hopsLeft, domainSid }: Call, order: ChildOrder): Call {
    const { journal, fromDomain, log } = this.#deps;
    const route = childRoute(order, this.#deps, domainSid);
    const { plan } = route;
    const row = newRow(call, childValues(order, route), this.#deps);
    const template = inviteTemplate(row, childInvite(order, hopsLeft), plan.fromDomain ?? fromDomain);
    const { script } = order;
    const live = this.#take({
      row,
      script,
      family,
      ...(hopsLeft !== undefined && { hopsLeft }),
      ...(domainSid !== undefined && { domainSid }),
      ...(plan.domainSid !== undefined && { calledDomainSid: plan.domainSid }),
      leg: (observer) => new OutboundLeg(this.#deps, { plan, family, template: () => template }, observer),
    });
    live.turn();
    journal.commit({ insert: row }).then(
      () => live.placed(),
      (error: unknown) => {
        log.error({ call_sid: row.sid, err: String(error) }, 'a callee’s call was not stored');
        live.fail('the call could not be stored');
      },
    );
    return live;
  }

  #take(givens: LiveCallGivens, over: () => void = () => {}): LiveCall {
    const { sid } = givens.row;
    const live = new LiveCall(this.#callDeps, givens, { ended: over, finished: () => this.#finished(sid) });
    this.#calls.set(sid, live);
    return live;
  }

  async change(sid: string, change: CallChange): Promise<ModifyResult> {
    const live = this.#calls.get(sid);
    return live ? live.change(change) : 'not-live';
  }

  async startRecording(callSid: string, order: RecordingOrder): Promise<RecordingRow | 'not-live'> {
    const live = this.#calls.get(callSid);
    if (!live?.session) return 'not-live';
    const start = recordingStart(order, { ...live.key, source: 'StartCallRecordingAPI' });
    const started = live.record(live.session, start);
    const { row } = started;
    await started.written();
    return row;
  }

  async changeRecording(
    callSid: string,
    sid: string,
    update: RecordingUpdate,
  ): Promise<RecordingRow | 'not-live' | 'not-found'> {
    if (!this.#calls.get(callSid)?.session) return 'not-live';
    return this.#deps.recordings.change(callSid, sid, update);
  }

  explain(question: RouteQuestion): Promise<Explanation> {
    return explain(planCall(question, this.#deps), question, this.#deps);
  }

  liveTrace(sid: string): RouteTrace | undefined {
    return this.#calls.get(sid)?.trace;
  }

  /** Takes no new calls; resolves when every call has ended, or hangs them all up after `limitMs`. */
  async drain(limitMs: number): Promise<void> {
    this.#accepting = false;
    const { clock } = this.#deps;
    const timer = clock.after(limitMs, () => {
      for (const live of this.#calls.values()) live.fail('the exchange is shutting down');
    });
    if (this.#calls.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    clock.cancel(timer);
  }

  /** Ends the calls that an earlier run left without an ending: hangs up their parties, and tells their apps. */
  async recover(recorded?: ReadonlyMap<string, Recorded>): Promise<void> {
    await recoverCalls(this.#deps, recorded);
  }

  /** Others took this exchange for dead: lets go of the calls that they have closed. */
  async letGo(): Promise<void> {
    const { journal } = this.#deps;
    const calls = this.#calls.values();
    // Their rows are there when what was asked before is committed.
    await journal.commit({});
    const own = await journal.own();
    const taken = calls.filter(({ row, ended }) => !ended && !own.has(row.sid));
    // All of them first: the end of one can be that of another.
    for (const live of taken) live.disown();
    for (const live of taken) live.end('another exchange has closed the call');
  }

  /** Sets the timer for the next call whose turn comes. */
  #wake(): void {
    const { clock } = this.#deps;
    clock.cancel(this.#nextTurn);
    const delayMs = this.#pace.nextDueMs(clock.monotonic());
    if (delayMs === undefined) return;
    this.#nextTurn = clock.after(delayMs, () => {
      for (const sid of this.#pace.due(clock.monotonic())) this.#calls.get(sid)?.turn();
      this.#wake();
    });
  }

  #finished(sid: string): void {
    this.#calls.delete(sid);
    if (this.#calls.size === 0) this.#onIdle?.();
  }
}

function callValues(order: CallOrder, plan: CallPlan) {
  return {
    accountSid: order.accountSid,
    to: order.to,
    from: order.from,
    direction: 'outbound-api',
    byocTrunkSid: order.byoc ?? null,
    connectionPolicySid: plan.connectionPolicySid,
    statusCallback: order.statusCallback?.url ?? null,
    statusCallbackMethod: order.statusCallback?.method ?? 'POST',
    statusCallbackEvents: order.statusCallback?.events ?? [],
  } as const;
}
