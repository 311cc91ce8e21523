// What one exchange asks of another on the same database: a row each, which the other takes once, does, and answers.
// Both hear of it by NOTIFY. Whoever asks takes its row back in the end: what was not taken by then is never done.
import { type Kysely, sql } from 'kysely';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { Tables } from './engine.ts';
import type { OrderHandler, OrderOutcome, Orders } from './store.ts';

export interface NodeOrdersOptions {
  readonly db: Kysely<Tables>;
  /** This run of the exchange. */
  readonly id: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export const NODE_ORDERS = 'node_orders';

const ANSWER_MS = 5000;
/** Nobody waits for what is older: its asker is gone. */
const STALE_MS = 2 * ANSWER_MS;
const NOW = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
const STALE = sql<number>`${NOW} - ${sql.lit(STALE_MS)}`;

export class NodeOrders implements Orders {
  readonly #options: NodeOrdersOptions;
  /** By order, to be called when it may have been answered. */
  readonly #waiting = new Map<string, () => void>();
  #handler: OrderHandler | undefined;

  constructor(options: NodeOrdersOptions) {
    this.#options = options;
  }

  async ask(node: string, content: string): Promise<OrderOutcome> {
    const { db, id, clock, random } = this.#options;
    const exchange = await this.#nameOf(node);
    if (exchange === undefined) return { kind: 'gone' };
    const sid = random.hex(16);
    const answered = Promise.withResolvers<void>();
    this.#waiting.set(sid, answered.resolve);
    const timer = clock.after(ANSWER_MS, answered.resolve);
    try {
      await db.deleteFrom(NODE_ORDERS).where('made_at', '<', STALE).execute();
      const values = { sid, node, asker: id, content, taken: 0, made_at: NOW };
      await db.insertInto(NODE_ORDERS).values(values).execute();
      await answered.promise;
      return await this.#takeBack(sid, exchange);
    } finally {
      clock.cancel(timer);
      this.#waiting.delete(sid);
    }
  }

  onOrder(handler: OrderHandler): void {
    this.#handler = handler;
  }

  /** Orders may have come, or answers. */
  async heard(): Promise<void> {
    if (this.#waiting.size > 0) await this.#readAnswers();
    if (this.#handler) for (const order of await this.#take()) void this.#perform(order, this.#handler);
  }

  async #readAnswers(): Promise<void> {
    const { db, id } = this.#options;
    const mine = db.selectFrom(NODE_ORDERS).select('sid').where('asker', '=', id);
    const answered = await mine.where('answer', 'is not', null).execute();
    for (const { sid } of answered) this.#waiting.get(String(sid))?.();
  }

  /** One statement: who takes an order has it alone, and its asker can no longer say that nothing was done. */
  async #take() {
    const { db, id } = this.#options;
    const taken = db.updateTable(NODE_ORDERS).set({ taken: 1 }).where('node', '=', id);
    const rows = taken.where('taken', '=', 0).where('made_at', '>', STALE).returning(['sid', 'content']);
    return (await rows.execute()).map(({ sid, content }) => ({ sid: String(sid), content: String(content) }));
  }

  async #perform(
    { sid, content }: { readonly sid: string; readonly content: string },
    handler: OrderHandler,
  ): Promise<void> {
    const { db, log } = this.#options;
    try {
      const answer = await handler(content);
      await db.updateTable(NODE_ORDERS).set({ answer }).where('sid', '=', sid).execute();
    } catch (error) {
      log.error({ err: String(error) }, 'what another exchange asked for was not answered');
    }
  }

  async #takeBack(sid: string, exchange: string): Promise<OrderOutcome> {
    const removal = this.#options.db.deleteFrom(NODE_ORDERS).where('sid', '=', sid);
    const row = await removal.returning(['taken', 'answer']).executeTakeFirst();
    const answer = row?.answer ?? null;
    if (answer !== null) return { kind: 'answered', answer: String(answer) };
    return { kind: 'unanswered', exchange, mayBeDone: Number(row?.taken ?? 1) === 1 };
  }

  async #nameOf(node: string): Promise<string | undefined> {
    const query = this.#options.db.selectFrom('nodes').select('name').where('id', '=', node);
    const found = await query.executeTakeFirst();
    return found && String(found.name ?? node);
  }
}
