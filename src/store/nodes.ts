// Which exchange is alive, among those that share a database. A run of an exchange is a node: it renews its lease, and
// who has not for long is declared dead by one that has; then its calls and callbacks are anybody's. Whether a lease was
// renewed each node sees for itself, by a clock that nobody sets: neither the database's nor the others' must be right.
import { type Kysely, sql } from 'kysely';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Tables } from './engine.ts';

export interface NodesOptions {
  readonly db: Kysely<Tables>;
  /** Of this run: no other ever has it. */
  readonly id: string;
  /** What people call it. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
}

const LEASE_MS = 15_000;
const BEAT_MS = 3_000;
/** Who has not looked for so long stood still, or the database did, and with it the others. */
const GAP_MS = 7_500;
const UNTIL = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint + ${sql.lit(LEASE_MS)}`;
/** Later than the one before, also where the database's clock was set back. */
const RENEWED = sql<number>`greatest(lease_until + 1, ${UNTIL})`;

/** A lease of another node as it was seen last, and when it was first seen so. */
interface Seen {
  readonly lease: number;
  readonly sinceMs: number;
}

export class Nodes {
  readonly #options: NodesOptions;
  readonly #onDeath = new Set<() => Promise<void>>();
  readonly #onBurial = new Set<() => void>();
  /** By node, since when every beat has come through. */
  #seen = new Map<string, Seen>();
  #lookedAtMs = 0;
  /** What another node left is not taken over. */
  #isOwed = false;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: NodesOptions) {
    this.#options = options;
  }

  /** @param predecessor an earlier run that is known to be over. */
  async start(predecessor: string | undefined): Promise<void> {
    if (predecessor !== undefined) await this.#forget([predecessor]);
    await this.#renew();
    // One that goes before the first beat is missed then.
    await this.#look();
    this.#tick();
  }

  /** `listener` is called whenever another node is no more: it has stopped, or was declared dead. Again where it rejects. */
  onDeath(listener: () => Promise<void>): void {
    this.#onDeath.add(listener);
  }

  /** `listener` is called when this node was declared dead, and is not: it stood still, or was cut off. */
  onBurial(listener: () => void): void {
    this.#onBurial.add(listener);
  }

  /** Others take over at once. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#options.clock.cancel(this.#timer);
    await this.#forget([this.#options.id]).catch(() => {});
  }

  /** One beat: renews the lease, and buries those that have not for as long as one lasts. */
  async beat(): Promise<void> {
    const { log } = this.#options;
    try {
      if (!(await this.#renew())) this.#wasBuried();
      const { gone, late } = await this.#look();
      const buried = late.length > 0 ? await this.#bury(late) : [];
      if (gone + buried.length > 0 || this.#isOwed) this.#tellOfDeath();
    } catch (error) {
      // After the database was away, everybody gets the time to renew.
      this.#seen.clear();
      log.debug({ err: String(error) }, 'the lease of this exchange was not renewed');
    }
  }

  /** How many have gone since the last look, and those whose lease has not changed for so long. */
  async #look(): Promise<{ gone: number; late: readonly (readonly [id: string, lease: number])[] }> {
    const { db, id, clock } = this.#options;
    const others = await db.selectFrom('nodes').select(['id', 'lease_until']).where('id', '!=', id).execute();
    const nowMs = clock.monotonic();
    if (nowMs - this.#lookedAtMs > GAP_MS) this.#seen.clear();
    this.#lookedAtMs = nowMs;
    const before = this.#seen;
    this.#seen = new Map(
      others.map((other) => {
        const lease = Number(other.lease_until);
        const known = before.get(String(other.id));
        return [String(other.id), known?.lease === lease ? known : { lease, sinceMs: nowMs }];
      }),
    );
    const late = [...this.#seen].filter(([, { sinceMs }]) => nowMs - sinceMs >= LEASE_MS);
    return {
      gone: [...before.keys()].filter((node) => !this.#seen.has(node)).length,
      late: late.map(([node, { lease }]) => [node, lease]),
    };
  }

  async #bury(nodes: readonly (readonly [id: string, lease: number])[]): Promise<readonly string[]> {
    const { db, log } = this.#options;
    // Not one that has renewed it since.
    const query = db
      .deleteFrom('nodes')
      .where(({ or, and, eb }) =>
        or(nodes.map(([id, lease]) => and([eb('id', '=', id), eb('lease_until', '=', lease)]))),
      );
    const dead = (await query.returning('id').execute()).map((each) => String(each.id));
    for (const each of dead) this.#seen.delete(each);
    if (dead.length > 0) log.warn({ nodes: dead }, 'another exchange is gone: its calls are closed here');
    return dead;
  }

  /** Nobody waits: the next lease is due before all is taken over. */
  #tellOfDeath(): void {
    this.#isOwed = false;
    for (const listener of this.#onDeath) {
      listener().catch((error: unknown) => {
        this.#isOwed = true;
        this.#options.log.error({ err: String(error) }, 'calls could not be taken over yet');
      });
    }
  }

  #wasBuried(): void {
    this.#options.log.error({}, 'this exchange was taken for dead: another one has closed its calls');
    for (const listener of this.#onBurial) listener();
  }

  /** False where there was no lease: the first time, and when others have ended it. */
  async #renew(): Promise<boolean> {
    const { db, id, name } = this.#options;
    const { numUpdatedRows } = await db
      .updateTable('nodes')
      .set({ lease_until: RENEWED })
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows > 0n) return true;
    await db.insertInto('nodes').values({ id, name, lease_until: UNTIL }).execute();
    return false;
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
