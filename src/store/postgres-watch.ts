// Hears what any node writes, by LISTEN/NOTIFY. A notification is only a hint: whoever hears it reads the row again,
// and after every gap in the connection everything is read again.
import pg from 'pg';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Watcher } from './engine.ts';
import { storeErrorOf } from './postgres-faults.ts';
import { connectionOptions, placeOf } from './postgres-pool.ts';

export interface PostgresWatchOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** How often the server is asked whether it is still there, and how soon a lost connection is made again. */
const PING_MS = 1000;
const PING_TIMEOUT_MS = 3000;
/** Hints are gathered for so long, then their rows are read together. */
const GATHER_MS = 50;
const MAX_ROWS = 500;

export const CHANNEL = 'tandem_changes';

export class PostgresWatch {
  readonly #options: PostgresWatchOptions;
  readonly #watcher: Watcher;
  /** SIDs by table that are to be read again. */
  readonly #hints = new Map<string, Set<string>>();
  #client: pg.Client | undefined;
  #everything = true;
  #reading = false;
  #timer: Timer | undefined;
  #gathering: Timer | undefined;
  #certainAtMs: number;
  #closed = false;

  constructor(options: PostgresWatchOptions, watcher: Watcher) {
    this.#options = options;
    this.#watcher = watcher;
    this.#certainAtMs = options.clock.monotonic();
  }

  get ageMs(): number {
    return this.#options.clock.monotonic() - this.#certainAtMs;
  }

  /** Resolves when everything was read once. @throws {StoreError} */
  async start(): Promise<void> {
    try {
      await this.#connect();
      this.#reading = true;
      await this.#readNext();
      this.#reading = false;
    } catch (error) {
      await this.close();
      throw storeErrorOf(error, placeOf(this.#options.url));
    }
    this.#tick();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#options.clock.cancel(this.#timer);
    this.#options.clock.cancel(this.#gathering);
    await this.#client?.end();
  }

  async #connect(): Promise<void> {
    const client = new pg.Client(connectionOptions(this.#options.url));
    this.#client = client;
    client.on('error', () => {});
    client.on('end', () => this.#lost(client, 'the connection ended'));
    client.on('notification', ({ payload }) => this.#hint(payload ?? ''));
    await client.connect();
    await client.query(`listen ${CHANNEL}`);
  }

  /** `table sid`, as the trigger writes it. */
  #hint(payload: string): void {
    const [table = '', sid = ''] = payload.split(' ');
    const sids = this.#hints.get(table) ?? new Set();
    this.#hints.set(table, sids.add(sid));
    this.#gathering ??= this.#options.clock.after(GATHER_MS, () => {
      this.#gathering = undefined;
      void this.#readAgain();
    });
  }

  /** Once at a time, so that an older reading never overtakes a newer one. Failures leave everything to be read. */
  async #readAgain(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (!this.#closed && (this.#everything || this.#hints.size > 0)) await this.#readNext();
    } catch (error) {
      this.#everything = true;
      this.#options.log.warn({ err: String(error) }, 'configuration could not be read again');
    }
    this.#reading = false;
  }

  async #readNext(): Promise<void> {
    if (this.#everything) {
      // Before the reading: a connection that is lost meanwhile makes another one necessary.
      this.#everything = false;
      this.#hints.clear();
      await this.#watcher.everything();
      return;
    }
    for (const [table, hinted] of this.#hints) {
      const sids = [...hinted].slice(0, MAX_ROWS);
      for (const sid of sids) hinted.delete(sid);
      if (hinted.size === 0) this.#hints.delete(table);
      await this.#watcher.rows(table, sids);
    }
  }

  #tick(): void {
    this.#timer = this.#options.clock.after(PING_MS, async () => {
      await this.#check();
      if (!this.#closed) this.#tick();
    });
  }

  /** Asks whether the server is there; makes the connection again where it is lost. */
  async #check(): Promise<void> {
    const { clock, log } = this.#options;
    const askedAtMs = clock.monotonic();
    try {
      if (!this.#client) {
        await this.#connect();
        log.info({}, 'the database is back');
      }
      await this.#client?.query({ text: 'select 1', query_timeout: PING_TIMEOUT_MS } as pg.QueryConfig);
      await this.#readAgain();
      const isUpToDate = !this.#everything && !this.#reading && this.#hints.size === 0;
      if (isUpToDate) this.#certainAtMs = askedAtMs;
    } catch (error) {
      this.#lost(this.#client, String(error));
    }
  }

  #lost(client: pg.Client | undefined, err: string): void {
    if (this.#closed || client !== this.#client) return;
    if (!this.#everything) this.#options.log.error({ err }, 'the database is away; calls go on');
    this.#everything = true;
    this.#client = undefined;
    void client?.end().catch(() => {});
  }
}
