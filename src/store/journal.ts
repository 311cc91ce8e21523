// The calls' way to the disk: whatever queued while the last group was committing goes together, without a timer.
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { call, type Row } from '../resources/index.ts';
import type { Codec } from './codec.ts';
import type { Engine, Statement } from './engine.ts';
import { type JournalParts, JournalStatements } from './journal-statements.ts';
import { type Journal, type JournalCounts, type JournalEntry, type OutboxRow, StoreError } from './store.ts';

type Call = Row<typeof call>;

interface Pending {
  readonly statements: readonly Statement[];
  /** Absent where only a callback is settled or retried. */
  readonly entry?: JournalEntry<Call>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Entries of one transaction at most: bounds how long an API write waits behind a burst. */
const MAX_GROUP = 1000;
/** Entries kept while the database is away; what comes beyond is refused, as memory has an end. */
const MAX_WAITING = 20_000;
const RETRY_MS = 1000;
const LIVE_STATUSES: readonly string[] = ['queued', 'ringing', 'in-progress'] satisfies Call['status'][];

/** A call that has not begun: it does not while the database is away. */
const isBeginning = (entry: JournalEntry<Call> | undefined): boolean => entry?.insert !== undefined;

export class GroupJournal implements Journal<Call> {
  readonly #engine: Engine;
  readonly #codec: Codec;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #statements: JournalStatements;
  readonly #callsEnded: Record<string, number> = {};
  #callsPlaced = 0;
  #commits = 0;
  #commitMs = 0;
  #queue: Pending[] = [];
  #flushing: Promise<void> | undefined;
  #away: StoreError | undefined;
  #retryNow: (() => void) | undefined;
  #closed = false;

  constructor(parts: JournalParts & { readonly log: Log }) {
    this.#engine = parts.engine;
    this.#codec = parts.codec;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#statements = new JournalStatements(parts);
  }

  commit(entry: JournalEntry<Call>): Promise<void> {
    return this.#write(this.#statements.of(entry), entry);
  }

  settle(outboxId: string): Promise<void> {
    return this.#write([this.#statements.settle(outboxId)]);
  }

  retried(outboxId: string, attempts: number): Promise<void> {
    return this.#write([this.#statements.retried(outboxId, attempts)]);
  }

  async waiting(limit: number): Promise<readonly OutboxRow[]> {
    const query = this.#engine.db.selectFrom('outbox').selectAll().orderBy('position').limit(limit);
    return (await query.execute()).map((row) => this.#statements.outboxRow(row));
  }

  async countWaiting(): Promise<number> {
    const query = this.#engine.db.selectFrom('outbox').select(({ fn }) => fn.countAll<number>().as('count'));
    return Number((await query.executeTakeFirst())?.count);
  }

  async unfinished(): Promise<readonly Call[]> {
    const query = this.#engine.db.selectFrom('calls').selectAll().where('status', 'in', LIVE_STATUSES);
    return (await query.orderBy('position').execute()).map((row) => this.#codec.decode(call, row));
  }

  async trace(callSid: string): Promise<string | undefined> {
    const query = this.#engine.db.selectFrom('route_traces').select('trace').where('call_sid', '=', callSid);
    return (await query.executeTakeFirst())?.trace?.toString();
  }

  counts(): JournalCounts {
    return {
      waiting: this.#queue.length,
      commits: this.#commits,
      commitMs: this.#commitMs,
      callsPlaced: this.#callsPlaced,
      callsEnded: { ...this.#callsEnded },
    };
  }

  /** Resolves when everything that was asked before is committed, or was refused by a database that is away. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retryNow?.();
    await this.#flushing;
  }

  #write(statements: readonly Statement[], entry?: JournalEntry<Call>): Promise<void> {
    if (this.#closed) return Promise.reject(new StoreError('closed', 'The database is closed'));
    if (this.#away && (isBeginning(entry) || this.#queue.length >= MAX_WAITING)) {
      return Promise.reject(this.#away);
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ statements, ...(entry && { entry }), resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  async #flush(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#queue.slice(0, MAX_GROUP);
      this.#queue = this.#queue.slice(MAX_GROUP);
      const left = await this.#commitGroup(group);
      if (left.length > 0) await this.#wait(left);
    }
    this.#flushing = undefined;
  }

  /**
   * One bad entry fails its group; then each goes alone, so that it fails nobody else.
   * @returns the entries, from the first to the last, that a database that is away has not taken.
   */
  async #commitGroup(group: readonly Pending[]): Promise<readonly Pending[]> {
    try {
      await this.#run(group);
    } catch (error) {
      if (error instanceof StoreError && error.code === 'unreachable' && !this.#closed) {
        this.#isAway(error);
        return group;
      }
      const hopeless = error instanceof StoreError && error.code !== 'failed';
      if (hopeless || group.length === 1) {
        for (const { reject } of group) reject(error);
        return [];
      }
      for (const [index, pending] of group.entries()) {
        const left = await this.#commitGroup([pending]);
        if (left.length > 0) return group.slice(index);
      }
    }
    return [];
  }

  async #run(group: readonly Pending[]): Promise<void> {
    const startedMs = this.#clock.monotonic();
    await this.#engine.run(
      group.flatMap((pending) => pending.statements),
      'normal',
    );
    this.#commits += 1;
    this.#commitMs += this.#clock.monotonic() - startedMs;
    this.#isBack();
    for (const { entry, resolve } of group) {
      if (entry) this.#count(entry);
      resolve();
    }
  }

  #count({ insert, update }: JournalEntry<Call>): void {
    if (insert) this.#callsPlaced += 1;
    const { status, endTime } = update?.patch ?? {};
    if (status && endTime) this.#callsEnded[status] = (this.#callsEnded[status] ?? 0) + 1;
  }

  /** Calls that are under way go on, and their entries are tried again; new ones are refused. */
  async #wait(left: readonly Pending[]): Promise<void> {
    for (const { entry, reject } of left) if (isBeginning(entry)) reject(this.#away);
    this.#queue = [...left.filter(({ entry }) => !isBeginning(entry)), ...this.#queue];
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(RETRY_MS, resolve);
      this.#retryNow = () => {
        this.#clock.cancel(timer);
        resolve();
      };
    });
    this.#retryNow = undefined;
  }

  #isAway(error: StoreError): void {
    if (!this.#away) this.#log.error({ err: error.message }, 'call records wait: the database is away');
    this.#away = error;
  }

  #isBack(): void {
    if (!this.#away) return;
    this.#away = undefined;
    this.#log.info({ waiting: this.#queue.length }, 'call records are written again');
  }
}
