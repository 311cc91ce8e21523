// Sends what waits in the outbox: each call's callbacks in order, again with backoff where the app did not take one.
// What a host is owed beyond what fits in memory stays in the outbox until there is room.
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Row, webhook } from '../../resources/index.ts';
import { laneOf, type OutboxRow, webhookSid } from '../../store/index.ts';
import type { WebhookSession } from '../webhook/client.ts';
import { Lanes } from '../webhook/lanes.ts';
import type { WebhookResult } from '../webhook/request.ts';
import { withoutSecrets } from '../webhook/url-display.ts';
import { isIdle, type Lane, MAX_ACTIVE, newLane, roomOf, takesRetry, wantsMore } from './lane.ts';
import { outcomeOf, retryDelayMs } from './outcome.ts';

export interface CallbackSenderDeps {
  readonly client: WebhookSession;
  readonly clock: Clock;
  readonly log: Log;
  /** Tries after the first one; 0 is Twilio's behaviour. */
  readonly retries: number;
  /** The token that signs for an account; undefined where the account is gone. */
  authToken(accountSid: string): string | undefined;
  readonly outbox: CallbackOutbox;
}

/** Of the store's journal. */
export interface CallbackOutbox {
  tried(id: string, patch: Partial<Row<typeof webhook>>): Promise<void>;
  release(id: string): Promise<void>;
  lanes(): Promise<readonly string[]>;
  claim(lane: string, limit: number): Promise<readonly OutboxRow[]>;
  nextDueMs(lane: string): Promise<number | undefined>;
}

type Tell = (result: WebhookResult, durationMs: number) => void;

const DEFERRED: WebhookResult = {
  kind: 'failure',
  code: 11200,
  message: 'too many callbacks wait for this host: it is sent when the others are',
};
/** The longest wait before the outbox is asked again for what is due later. */
const MAX_NAP_MS = 300_000;
/** The shortest: a wait that is rounded down shall not spin. */
const MIN_NAP_MS = 100;
/** How soon after a failure. */
const UNREADABLE_MS = 5_000;

export class CallbackSender {
  readonly #deps: CallbackSenderDeps;
  readonly #lanes = new Map<string, Lane>();
  readonly #turns = new Lanes({ active: MAX_ACTIVE, waiting: Number.POSITIVE_INFINITY });
  /** By id, those in memory. */
  readonly #held = new Set<string>();
  /** The last first try under way of each call: the next callback of the call waits for it. */
  readonly #lastOfCall = new Map<string, Promise<void>>();
  readonly #timers = new Set<Timer>();
  #underWay = 0;
  #failures = 0;
  #deferred = 0;
  #onIdle: (() => void) | undefined;
  #closed = false;

  constructor(deps: CallbackSenderDeps) {
    this.#deps = deps;
  }

  /** Callbacks whose first try, or retry, is under way or queued; those that wait for a retry do not count. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Requests that were not taken: no answer, or one of 300 and above. */
  get failures(): number {
    return this.#failures;
  }

  /** How often a callback was left to the outbox, as its host was owed too many. */
  get deferred(): number {
    return this.#deferred;
  }

  /** Takes a callback that is durable in the outbox. `tell` hears how the first try went, and how long it took. */
  send(row: OutboxRow, tell: Tell = () => {}): void {
    if (this.#held.has(row.id)) return;
    const lane = this.#lane(laneOf(row));
    if (lane.isOver || roomOf(lane, this.#held.size) === 0) {
      this.#defer(row, lane);
      return tell(DEFERRED, 0);
    }
    this.#hold(row, lane, tell);
  }

  /** Takes up what no exchange that lives holds: what an earlier run has left, and what is to be replayed. */
  async resume(): Promise<void> {
    for (const name of await this.#deps.outbox.lanes()) {
      const lane = this.#lane(name);
      lane.isOver = true;
      lane.shed += 1;
      await this.#refill(lane);
    }
  }

  /** Resolves when nothing is under way; what waits for a retry stays in the outbox for the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) this.#deps.clock.cancel(timer);
    this.#timers.clear();
    for (const lane of this.#lanes.values()) this.#deps.clock.cancel(lane.nap?.timer);
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  #lane(name: string): Lane {
    const lane = this.#lanes.get(name) ?? newLane(name);
    this.#lanes.set(name, lane);
    return lane;
  }

  #hold(row: OutboxRow, lane: Lane, tell: Tell): void {
    this.#held.add(row.id);
    lane.held += 1;
    const { clock } = this.#deps;
    // By the delay it was given: clocks are set, also backwards.
    const waitMs = Math.min((row.dueAt ?? 0) - clock.now(), retryDelayMs(row.attempts));
    if (row.attempts === 0) this.#inOrder(row, lane, tell);
    else if (waitMs > 0) this.#later(row, lane, waitMs);
    else this.#now(row, lane);
  }

  /** A later event of a call waits until the earlier one was tried. */
  #inOrder(row: OutboxRow, lane: Lane, tell: Tell): void {
    this.#underWay += 1;
    const earlier = this.#lastOfCall.get(row.callSid) ?? Promise.resolve();
    const turn = earlier.then(() => this.#inTurn(row, lane, tell));
    this.#lastOfCall.set(row.callSid, turn);
    void turn.then(() => {
      if (this.#lastOfCall.get(row.callSid) === turn) this.#lastOfCall.delete(row.callSid);
    });
  }

  async #inTurn(row: OutboxRow, lane: Lane, tell: Tell): Promise<void> {
    await this.#turns.run(lane.name, undefined, () => this.#try(row, lane, tell));
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#onIdle?.();
    if (wantsMore(lane, this.#held.size)) void this.#refill(lane);
    this.#forget(lane);
  }

  async #try(row: OutboxRow, lane: Lane, tell: Tell): Promise<void> {
    // Closed while it waited for its turn: the next start sends it.
    if (this.#closed) return;
    const { client, clock, authToken } = this.#deps;
    const token = authToken(row.accountSid);
    const startedMs = clock.monotonic();
    const result: WebhookResult =
      token === undefined
        ? { kind: 'failure', code: 10001, message: 'the account is gone' }
        : await client.send({
            url: row.url,
            method: row.method,
            parameters: row.parameters,
            authToken: token,
            idempotencyToken: webhookSid(row.id).slice(2),
            wanted: 'acknowledgement',
          });
    const durationMs = clock.monotonic() - startedMs;
    if (result.kind === 'failure') this.#failures += 1;
    tell(result, durationMs);
    await this.#after(row, lane, { result, durationMs, isHopeless: token === undefined });
  }

  async #after(
    row: OutboxRow,
    lane: Lane,
    {
      result,
      durationMs,
      isHopeless,
    }: { readonly result: WebhookResult; readonly durationMs: number; readonly isHopeless: boolean },
  ): Promise<void> {
    const attempts = row.attempts + 1;
    const isOver = result.kind === 'answer' || isHopeless || attempts > this.#deps.retries;
    const retryMs = isOver ? undefined : retryDelayMs(attempts);
    const keeps = retryMs !== undefined && takesRetry(lane) && !this.#closed;
    const outcome = outcomeOf({ result, attempts, durationMs, now: this.#deps.clock.now(), retryMs });
    if (result.kind === 'failure') this.#warn(row, result, { attempts, isOver });
    await this.#note(row, this.#deps.outbox.tried(row.id, { ...outcome, ...(!keeps && { node: null }) }));
    if (keeps && !this.#closed) return this.#later({ ...row, attempts }, lane, retryMs);
    this.#letGo(row, lane);
    if (retryMs !== undefined) this.#nap(lane, retryMs);
  }

  #warn(
    { callSid, url }: OutboxRow,
    { code, message }: Extract<WebhookResult, { kind: 'failure' }>,
    { attempts, isOver }: { readonly attempts: number; readonly isOver: boolean },
  ): void {
    const fields = { call_sid: callSid, url: withoutSecrets(url), code, attempts, given_up: isOver };
    this.#deps.log.warn(fields, `status callback not taken: ${message}`);
  }

  #later(row: OutboxRow, lane: Lane, delayMs: number): void {
    if (this.#closed) return;
    lane.retrying += 1;
    const timer = this.#deps.clock.after(delayMs, () => {
      this.#timers.delete(timer);
      lane.retrying -= 1;
      this.#now(row, lane);
    });
    this.#timers.add(timer);
  }

  #now(row: OutboxRow, lane: Lane): void {
    this.#underWay += 1;
    void this.#inTurn(row, lane, () => {});
  }

  #defer(row: OutboxRow, lane: Lane): void {
    if (!lane.isOver) {
      const fields = { account_sid: row.accountSid, url: withoutSecrets(row.url), in_memory: lane.held };
      this.#deps.log.warn(fields, 'too many status callbacks wait for a host: they stay in the outbox');
    }
    lane.isOver = true;
    lane.shed += 1;
    this.#deferred += 1;
    void this.#note(row, this.#deps.outbox.release(row.id)).then(() => {
      if (wantsMore(lane, this.#held.size)) void this.#refill(lane);
    });
  }

  /** Takes as many out of the outbox as there is room for; until it is empty, what comes new goes behind. */
  async #refill(lane: Lane): Promise<void> {
    if (this.#closed || lane.isRefilling) return;
    lane.isRefilling = true;
    const { shed } = lane;
    try {
      await this.#take(lane);
    } catch (error) {
      this.#deps.log.warn({ err: String(error) }, 'the outbox could not be read');
      this.#nap(lane, UNREADABLE_MS);
    }
    lane.isRefilling = false;
    // Something was left to the outbox meanwhile, and nothing in memory will come back for it.
    if (lane.shed !== shed && wantsMore(lane, this.#held.size)) void this.#refill(lane);
    this.#forget(lane);
  }

  async #take(lane: Lane): Promise<void> {
    const { outbox } = this.#deps;
    const { shed } = lane;
    const room = Math.max(1, roomOf(lane, this.#held.size));
    const rows = await outbox.claim(lane.name, room);
    for (const row of rows) if (!this.#held.has(row.id)) this.#hold(row, lane, () => {});
    if (rows.length === room || lane.shed !== shed) return;
    lane.isOver = false;
    const dueMs = await outbox.nextDueMs(lane.name);
    if (dueMs !== undefined) this.#nap(lane, dueMs);
  }

  /** Asks the outbox when a callback that it alone holds is due. */
  #nap(lane: Lane, dueMs: number): void {
    const { clock } = this.#deps;
    const delayMs = Math.min(MAX_NAP_MS, Math.max(MIN_NAP_MS, dueMs));
    const atMs = clock.monotonic() + delayMs;
    if (this.#closed || (lane.nap && lane.nap.atMs <= atMs)) return;
    clock.cancel(lane.nap?.timer);
    const timer = clock.after(delayMs, () => {
      lane.nap = undefined;
      lane.isOver = true;
      void this.#refill(lane);
    });
    lane.nap = { timer, atMs };
  }

  #forget(lane: Lane): void {
    if (isIdle(lane)) this.#lanes.delete(lane.name);
  }

  #letGo(row: OutboxRow, lane: Lane): void {
    if (this.#held.delete(row.id)) lane.held -= 1;
  }

  /** The store did not take the note: the callback may be sent again after a restart, which at-least-once allows. */
  async #note(row: OutboxRow, written: Promise<void>): Promise<void> {
    await written.catch((error: unknown) => {
      const fields = { call_sid: row.callSid, err: String(error) };
      this.#deps.log.error(fields, 'the outbox could not be written');
    });
  }
}
