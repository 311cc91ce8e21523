// The callbacks that wait to be sent, and the list of those that were: whose they are, and how long they are kept.
import { hash } from 'node:crypto';
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { Clock } from '../lib/clock.ts';
import { type Row, webhook } from '../resources/index.ts';
import type { Codec } from './codec.ts';
import type { Engine, SqlRow, Tables } from './engine.ts';
import { narrow } from './list-page.ts';
import type { Filter, OutboxRow } from './store.ts';

export interface OutboxParts {
  readonly engine: Engine;
  readonly codec: Codec;
  readonly clock: Clock;
  /** This run of the exchange. */
  readonly node: string;
  /** How long, and how many, webhooks are kept that are over. */
  readonly kept?: { readonly days: number; readonly rows: number };
}

/** Longer than the longest wait for a retry: what is due later than that was written by a clock that was wrong. */
const LONGEST_WAIT_MS = 3_600_000;
const DAY_MS = 86_400_000;
const KEPT = { days: 7, rows: 100_000 };
/** Rows deleted at once: other writers go in between. */
const PRUNED = 500;

/** The SID of the webhook that a sender calls `id`; its digits are the idempotency token of every attempt. */
export const webhookSid = (id: string): string => webhook.sid + hash('sha256', id).slice(0, 32);

/** Account and host: what goes to one lane goes in turn. */
export const laneOf = ({ accountSid, url }: Pick<OutboxRow, 'accountSid' | 'url'>): string =>
  `${accountSid} ${URL.parse(url)?.host ?? ''}`;

/** The columns of a callback that is to be sent, held by this node. */
export function outboxValues(row: OutboxRow, node: string, now: number): Row<typeof webhook> {
  return {
    sid: webhookSid(row.id),
    accountSid: row.accountSid,
    dateCreated: now,
    dateUpdated: now,
    callSid: row.callSid,
    status: row.attempts > 0 ? 'retrying' : 'queued',
    sequenceNumber: row.sequence,
    requestMethod: row.method,
    requestUrl: row.url,
    requestParameters: row.parameters,
    attempts: row.attempts,
    sentAt: null,
    durationMs: null,
    responseStatus: null,
    responseHeaders: null,
    responseBody: null,
    errorCode: null,
    errorMessage: null,
    nextAttemptAt: row.dueAt ?? now,
    outboxId: row.id,
    lane: laneOf(row),
    node,
  };
}

export class Outbox {
  readonly #parts: OutboxParts;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** Of all nodes. */
  async countWaiting(): Promise<number> {
    const query = this.#parts.engine.db
      .selectFrom('webhooks')
      .select(({ fn }) => fn.countAll<number>().as('count'));
    return Number((await query.where('next_attempt_at', 'is not', null).executeTakeFirst())?.count);
  }

  /** Takes what no node that lives holds, then tells of all this node holds: oldest first. */
  async waiting(limit: number): Promise<readonly OutboxRow[]> {
    await this.#claim(limit, []);
    const query = this.#parts.engine.db
      .selectFrom('webhooks')
      .selectAll()
      .where('node', '=', this.#parts.node)
      .where('next_attempt_at', 'is not', null);
    return this.#decoded(await query.orderBy('position').limit(limit).execute());
  }

  /** Lanes with callbacks that no node that lives holds. */
  async lanes(): Promise<readonly string[]> {
    const { db } = this.#parts.engine;
    const query = db.selectFrom('webhooks').select('lane').distinct();
    const unheld = query.where('next_attempt_at', 'is not', null).where(unheldBy(this.#parts));
    return (await unheld.execute()).map(({ lane }) => String(lane));
  }

  /** Takes callbacks of a lane that are due and that no node that lives holds: oldest first. */
  async claim(lane: string, limit: number): Promise<readonly OutboxRow[]> {
    const now = this.#parts.clock.now();
    return this.#decoded(
      await this.#claim(limit, [
        (row) => row('lane', '=', lane),
        (row) =>
          row.or([row('next_attempt_at', '<=', now), row('next_attempt_at', '>', now + LONGEST_WAIT_MS)]),
      ]),
    );
  }

  /** Milliseconds until the next callback of a lane that nobody holds is due; undefined without any. */
  async nextDueMs(lane: string): Promise<number | undefined> {
    const query = this.#parts.engine.db
      .selectFrom('webhooks')
      .select(({ fn }) => fn.min<number>('next_attempt_at').as('due'))
      .where('next_attempt_at', 'is not', null)
      .where('lane', '=', lane)
      .where(unheldBy(this.#parts));
    const due = (await query.executeTakeFirst())?.due ?? null;
    return due === null ? undefined : Math.max(0, Number(due) - this.#parts.clock.now());
  }

  /** Lets webhooks that are over be sent again; says how many. */
  async replay(where: readonly Filter[], limit: number): Promise<number> {
    const { engine, codec, clock } = this.#parts;
    const { db } = engine;
    const now = clock.now();
    const found = narrow({ db, codec }, webhook, where)
      .select('sid')
      .where('next_attempt_at', 'is', null)
      .orderBy('position')
      .limit(limit);
    const { numUpdatedRows } = await db
      .updateTable('webhooks')
      .set({ status: 'queued', attempts: 0, next_attempt_at: now, date_updated: now, node: null })
      .where('sid', 'in', found as never)
      .executeTakeFirstOrThrow();
    return Number(numUpdatedRows);
  }

  /** Deletes webhooks that are over, and too old or too many. */
  async prune(): Promise<void> {
    const { engine, clock, kept = KEPT } = this.#parts;
    const { db } = engine;
    const last = await db
      .selectFrom('webhooks')
      .select(({ fn }) => fn.max('position').as('position'))
      .executeTakeFirst();
    const first = Number(last?.position ?? 0) - kept.rows;
    const since = clock.now() - kept.days * DAY_MS;
    for (;;) {
      const old = db
        .selectFrom('webhooks')
        .select('sid')
        .where('next_attempt_at', 'is', null)
        .where(({ or, eb }) => or([eb('position', '<=', first), eb('date_created', '<', since)]))
        .orderBy('position')
        .limit(PRUNED);
      const removal = db.deleteFrom('webhooks').where('sid', 'in', old as never);
      const { numDeletedRows } = await removal.executeTakeFirstOrThrow();
      if (numDeletedRows < BigInt(PRUNED)) return;
    }
  }

  async #claim(limit: number, conditions: readonly Condition[]): Promise<readonly SqlRow[]> {
    const { engine, node } = this.#parts;
    let found = engine.db
      .selectFrom('webhooks')
      .select('sid')
      .where('next_attempt_at', 'is not', null)
      .where(unheldBy(this.#parts));
    for (const condition of conditions) found = found.where(condition);
    found = found.orderBy('position').limit(limit);
    // Two nodes that look at once take different ones.
    if (!engine.isSole) found = found.forUpdate().skipLocked();
    const claim = engine.db
      .updateTable('webhooks')
      .set({ node })
      .where('sid', 'in', found as never);
    return claim.returningAll().execute();
  }

  #decoded(rows: readonly SqlRow[]): readonly OutboxRow[] {
    const inOrder = rows.toSorted((a, b) => Number(a.position) - Number(b.position));
    return inOrder.map((row) => outboxRow(this.#parts.codec.decode(webhook, row)));
  }
}

type Condition = (row: ExpressionBuilder<Tables, string>) => Expression<SqlBool>;

/** Neither this node holds the row nor another one that lives. On SQLite there is no other one. */
export const unheldBy =
  ({ engine, node }: { readonly engine: Engine; readonly node: string }): Condition =>
  (row) => {
    const others = engine.isSole
      ? row('node', '!=', node)
      : row.and([row('node', '!=', node), row('node', 'not in', sql`(select id from nodes)` as never)]);
    return row.or([row('node', 'is', null), others]);
  };

const outboxRow = (row: Row<typeof webhook>): OutboxRow => ({
  id: row.outboxId,
  callSid: row.callSid,
  accountSid: row.accountSid,
  sequence: row.sequenceNumber,
  url: row.requestUrl,
  method: row.requestMethod,
  parameters: row.requestParameters,
  attempts: row.attempts,
  ...(row.attempts > 0 && row.nextAttemptAt !== null && { dueAt: row.nextAttemptAt }),
});
