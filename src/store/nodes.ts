// Which exchange is alive, among those that share a database. A run of an exchange is a node: it renews its lease, and
// who has not for long is declared dead by one that has; then its calls and callbacks are anybody's.
import { type Kysely, sql } from 'kysely';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Tables } from './engine.ts';

export interface NodesOptions {
  readonly db: Kysely<Tables>;
  /** Of this run: no other ever has it. */
  readonly id: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** By the database's clock: the nodes' own may differ. */
const LEASE_MS = 15_000;
const BEAT_MS = 3_000;
const NOW = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

export class Nodes {
  readonly #options: NodesOptions;
  readonly #listeners = new Set<() => void>();
  /** Since when every beat has come through. */
  #steadySinceMs: number | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: NodesOptions) {
    this.#options = options;
  }

  /** @param predecessor an earlier run that is known to be over. */
  async start(predecessor: string | undefined): Promise<void> {
    if (predecessor !== undefined) await this.#forget([predecessor]);
    await this.#renew();
    this.#tick();
  }

  /** `listener` is called whenever another node was declared dead. */
  onDeath(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Others take over at once. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#options.clock.cancel(this.#timer);
    await this.#forget([this.#options.id]).catch(() => {});
  }

  /** One beat: renews the lease, and buries those whose lease is over. */
  async beat(): Promise<void> {
    const { clock, log } = this.#options;
    try {
      await this.#renew();
      this.#steadySinceMs ??= clock.monotonic();
      const isSteady = clock.monotonic() - this.#steadySinceMs >= LEASE_MS;
      // After the database was away all leases are over: everybody gets the time to renew.
      if (isSteady) await this.#bury();
    } catch (error) {
      this.#steadySinceMs = undefined;
      log.debug({ err: String(error) }, 'the lease of this exchange was not renewed');
    }
  }

  async #bury(): Promise<void> {
    const { db, id, log } = this.#options;
    const query = db.deleteFrom('nodes').where('lease_until', '<', NOW).where('id', '!=', id);
    const dead = await query.returning('id').execute();
    if (dead.length === 0) return;
    log.warn({ nodes: dead.map((each) => each.id) }, 'another exchange is gone: its calls are closed here');
    for (const listener of this.#listeners) listener();
  }

  async #renew(): Promise<void> {
    const { db, id, log } = this.#options;
    const until = sql<number>`${NOW} + ${sql.lit(LEASE_MS)}`;
    const { numUpdatedRows } = await db
      .updateTable('nodes')
      .set({ lease_until: until })
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows > 0n) return;
    if (this.#steadySinceMs !== undefined)
      log.error({}, 'this exchange was taken for dead: another one has closed its calls');
    await db.insertInto('nodes').values({ id, lease_until: until }).execute();
  }

  async #forget(ids: readonly string[]): Promise<void> {
    await this.#options.db.deleteFrom('nodes').where('id', 'in', ids).execute();
  }

  #tick(): void {
    this.#timer = this.#options.clock.after(BEAT_MS, async () => {
      await this.beat();
      if (!this.#closed) this.#tick();
    });
  }
}
