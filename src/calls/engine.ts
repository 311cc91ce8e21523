// Every live call of this node: places, changes and drains them, and closes what an earlier run left open.
import { call, newRow } from '../resources/index.ts';
import type { RouteTrace } from '../routing/index.ts';
import type { Directory } from '../store/index.ts';
import { type CallRow, step } from './call-life.ts';
import type { CallControl, CallOrder, ModifyResult, RouteQuestion, TwimlSource } from './control.ts';
import { type Explanation, explain } from './explain.ts';
import { LiveCall, type LiveCallDeps } from './live-call.ts';
import { completed, failed } from './outcome.ts';
import { type CallPlan, planCall } from './plan.ts';
import { callbackRow } from './status-callback.ts';

export interface CallEngineDeps extends LiveCallDeps {
  readonly directory: Directory;
}

/** How many waiting callbacks of an earlier run are taken up at start. */
const MAX_RESUMED = 10_000;

export class CallEngine implements CallControl {
  readonly #deps: CallEngineDeps;
  readonly #calls = new Map<string, LiveCall>();
  #accepting = true;
  #onIdle: (() => void) | undefined;

  constructor(deps: CallEngineDeps) {
    this.#deps = deps;
  }

  get accepting(): boolean {
    return this.#accepting;
  }

  /** Calls that have not ended, or whose ending is not stored and told yet. */
  get live(): number {
    return this.#calls.size;
  }

  async place(order: CallOrder): Promise<CallRow> {
    const plan = planCall(order, this.#deps.directory);
    const row = newRow(call, callValues(order, plan), this.#deps);
    const live = new LiveCall(this.#deps, { order, plan, row }, () => this.#finished(row.sid));
    this.#calls.set(row.sid, live);
    try {
      await this.#deps.journal.commit({ insert: row });
    } catch (error) {
      this.#finished(row.sid);
      throw error;
    }
    live.start();
    return row;
  }

  async end(sid: string, status: 'canceled' | 'completed'): Promise<ModifyResult> {
    const live = this.#liveCall(sid);
    if (!live || (status === 'canceled' && live.answered)) return 'not-live';
    live.end('ended over the API');
    return 'done';
  }

  async redirect(sid: string, twiml: TwimlSource): Promise<ModifyResult> {
    const live = this.#liveCall(sid);
    if (!live?.answered) return 'not-live';
    live.redirect(twiml);
    return 'done';
  }

  explain(question: RouteQuestion): Promise<Explanation> {
    return explain(planCall(question, this.#deps.directory), question, this.#deps);
  }

  liveTrace(sid: string): RouteTrace | undefined {
    return this.#calls.get(sid)?.trace;
  }

  /** Takes no new calls; resolves when every call has ended, or hangs them all up after `limitMs`. */
  async drain(limitMs: number): Promise<void> {
    this.#accepting = false;
    const { clock } = this.#deps;
    const timer = clock.after(limitMs, () => {
      for (const live of this.#calls.values()) live.end('the exchange is shutting down');
    });
    if (this.#calls.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    clock.cancel(timer);
  }

  /** Ends the calls that an earlier run left without an ending, and sends the callbacks that still wait. */
  async recover(): Promise<void> {
    const { journal, callbacks } = this.#deps;
    for (const row of await journal.unfinished()) await this.#closeLost(row);
    for (const row of await journal.waiting(MAX_RESUMED)) callbacks.send(row);
  }

  async #closeLost(row: CallRow): Promise<void> {
    const why = 'the exchange stopped while the call was live';
    const ending = row.answeredAt === null ? failed(why) : completed(why);
    const endMs = row.heartbeatAt ?? row.dateUpdated;
    const { row: after, patch, callback } = step(row, { type: 'ended', ending }, endMs);
    if (!patch) return;
    const outbox = callback ? [callbackRow(after, callback, this.#deps.clock.now())] : [];
    await this.#deps.journal.commit({ update: { sid: row.sid, patch }, outbox });
  }

  #liveCall(sid: string): LiveCall | undefined {
    const live = this.#calls.get(sid);
    return live && !live.ended ? live : undefined;
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
