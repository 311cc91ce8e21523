// The calls' way to the disk: whatever came in one turn, or while the last group was committing and shortly after, goes
// together.
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { call, type Row, recording, registration, type webhook } from '../resources/index.ts';
import type { Codec } from './codec.ts';
import type { Engine, SqlRow } from './engine.ts';
import { isEntry, JournalStatements, type Work } from './journal-statements.ts';
import { claimLostDialogs } from './live-dialogs.ts';
import { Outbox, type OutboxParts, unheldBy } from './outbox.ts';
import {
  type Filter,
  type Journal,
  type JournalCounts,
  type JournalEntry,
  type LiveDialog,
  type OutboxRow,
  type Patch,
  StoreError,
} from './store.ts';

type Call = Row<typeof call>;

interface Pending {
  readonly work: Work;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Entries of one transaction at most: bounds how long an API write waits behind a burst. */
const MAX_GROUP = 1000;
/** Entries kept while the database is away; what comes beyond is refused, as memory has an end. */
const MAX_WAITING = 100_000;
const RETRY_MS = 1000;
/** From one group to the next: a commit costs as much for one entry as for many. The first after a rest goes at once. */
const GATHER_MS = 4;
/** Old webhooks are looked for this often, while there are new ones. */
const PRUNE_MS = 60_000;
/** The database is there and takes nothing for now: another moment may be better. */
const PASSING: readonly StoreError['code'][] = ['unreachable', 'full', 'locked', 'unwritable'];
const LIVE_STATUSES: readonly string[] = ['queued', 'ringing', 'in-progress'] satisfies Call['status'][];
const OPEN_RECORDINGS: readonly string[] = ['in-progress', 'paused', 'stopped', 'processing'] satisfies Row<
  typeof recording
>['status'][];

/** A call that has not begun: it does not while the database is away. */
const isBeginning = (work: Work): boolean => isEntry(work) && work.insert !== undefined;

/** What is left to write of an entry that the database has not taken, or not said so. */
function afterRefusal(pending: Pending): readonly Pending[] {
  const { work } = pending;
  if (!isEntry(work) || work.insert === undefined) return [pending];
  const removed = [{ definition: call, sid: work.insert.sid }];
  return [{ work: { removed }, resolve() {}, reject() {} }];
}

export class GroupJournal implements Journal<Call> {
  readonly #engine: Engine;
  readonly #codec: Codec;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #statements: JournalStatements;
  readonly #outbox: Outbox;
  readonly #node: string;
  readonly #callsEnded: Record<string, number> = {};
  #callsPlaced = 0;
  #refused = 0;
  #prunedAtMs: number;
  #commits = 0;
  #commitMs = 0;
  #queue: Pending[] = [];
  #flushing: Promise<void> | undefined;
  #away: StoreError | undefined;
  #retryNow: (() => void) | undefined;
  #closed = false;

  constructor(parts: OutboxParts & { readonly log: Log }) {
    this.#engine = parts.engine;
    this.#codec = parts.codec;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#node = parts.node;
    this.#statements = new JournalStatements(parts);
    this.#outbox = new Outbox(parts);
    this.#prunedAtMs = parts.clock.monotonic();
  }

  commit(entry: JournalEntry<Call>): Promise<void> {
    return this.#write(entry);
  }

  tried(outboxId: string, patch: Patch<typeof webhook>): Promise<void> {
    return this.#write({ tried: outboxId, patch });
  }

  release(outboxId: string): Promise<void> {
    return this.#write({ tried: outboxId, patch: { node: null } });
  }

  waiting(limit: number): Promise<readonly OutboxRow[]> {
    return this.#outbox.waiting(limit);
  }

  lanes(): Promise<readonly string[]> {
    return this.#outbox.lanes();
  }

  claim(lane: string, limit: number): Promise<readonly OutboxRow[]> {
    return this.#outbox.claim(lane, limit);
  }

  nextDueMs(lane: string): Promise<number | undefined> {
    return this.#outbox.nextDueMs(lane);
  }

  replay(where: readonly Filter[], limit: number): Promise<number> {
    return this.#outbox.replay(where, limit);
  }

  countWaiting(): Promise<number> {
    return this.#outbox.countWaiting();
  }

  async unfinished(): Promise<readonly Call[]> {
    const isLost = unheldBy({ engine: this.#engine, node: this.#node });
    const claim = this.#engine.db
      .updateTable('calls')
      .set({ node: this.#node })
      .where('status', 'in', LIVE_STATUSES)
      .where(isLost);
    const rows = (await claim.returningAll().execute()) as SqlRow[];
    const inOrder = rows.toSorted((a, b) => Number(a.position) - Number(b.position));
    return inOrder.map((row) => this.#codec.decode(call, row));
  }

  async own(): Promise<ReadonlySet<string>> {
    const query = this.#engine.db.selectFrom('calls').select('sid').where('status', 'in', LIVE_STATUSES);
    return new Set((await query.where('node', '=', this.#node).execute()).map(({ sid }) => String(sid)));
  }

  lostDialogs(): Promise<readonly LiveDialog[]> {
    return claimLostDialogs({ engine: this.#engine, node: this.#node });
  }

  async lostRecordings(): Promise<{ rows: readonly Row<typeof recording>[]; isSole: boolean }> {
    const { db, isSole } = this.#engine;
    const open = db.selectFrom('recordings').selectAll().where('status', 'in', OPEN_RECORDINGS);
    const lost = open.where(unheldBy({ engine: this.#engine, node: this.#node })).orderBy('position');
    return { rows: (await lost.execute()).map((row) => this.#codec.decode(recording, row)), isSole };
  }

  async claimBindings(): Promise<void> {
    const claim = this.#engine.db.updateTable(registration.table).set({ node: this.#node });
    await claim.where(unheldBy({ engine: this.#engine, node: this.#node })).execute();
  }

  async trace(callSid: string): Promise<string | undefined> {
    const query = this.#engine.db.selectFrom('route_traces').select('trace').where('call_sid', '=', callSid);
    return (await query.executeTakeFirst())?.trace?.toString();
  }

  counts(): JournalCounts {
    return {
      waiting: this.#queue.length,
      refused: this.#refused,
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

  #write(work: Work): Promise<void> {
    if (this.#closed) return Promise.reject(new StoreError('closed', 'The database is closed'));
    if (this.#away && isBeginning(work)) return Promise.reject(this.#away);
    if (this.#queue.length >= MAX_WAITING) return this.#refuse();
    return new Promise((resolve, reject) => {
      this.#queue.push({ work, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  #refuse(): Promise<never> {
    if (this.#refused === 0)
      this.#log.error({ waiting: MAX_WAITING }, 'call records are refused: too many wait');
    this.#refused += 1;
    const error = this.#away ?? new StoreError('failed', 'Too many call records wait to be written');
    return Promise.reject(error);
  }

  async #flush(): Promise<void> {
    await turn();
    while (this.#queue.length > 0) {
      const group = this.#queue.slice(0, MAX_GROUP);
      this.#queue = this.#queue.slice(MAX_GROUP);
      const left = await this.#commitGroup(group);
      if (left.length > 0) await this.#wait(left);
      else if (!this.#closed) await pause(GATHER_MS);
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
      if (error instanceof StoreError && PASSING.includes(error.code) && !this.#closed) {
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
    await this.#engine.run(this.#statements.of(group.map(({ work }) => work)), 'normal');
    this.#commits += 1;
    this.#commitMs += this.#clock.monotonic() - startedMs;
    this.#isBack();
    for (const { work, resolve } of group) {
      if (isEntry(work)) this.#count(work);
      resolve();
    }
    this.#prune();
  }

  /** No timer: without calls there is nothing to prune. */
  #prune(): void {
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#prunedAtMs < PRUNE_MS) return;
    this.#prunedAtMs = nowMs;
    this.#outbox.prune().catch((error: unknown) => {
      this.#log.warn({ err: String(error) }, 'old webhooks could not be deleted');
    });
  }

  #count({ insert, update }: JournalEntry<Call>): void {
    if (insert) this.#callsPlaced += 1;
    const { status, endTime } = update?.patch ?? {};
    if (status && endTime) this.#callsEnded[status] = (this.#callsEnded[status] ?? 0) + 1;
  }

  /**
   * Calls that are under way go on, and their entries are tried again; new ones are refused. Where only the answer was
   * lost, their rows are there: they go again.
   */
  async #wait(left: readonly Pending[]): Promise<void> {
    for (const { work, reject } of left) if (isBeginning(work)) reject(this.#away);
    this.#queue = [...left.flatMap(afterRefusal), ...this.#queue];
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
    if (!this.#away) this.#log.error({ err: error.message }, 'call records wait: the database takes none');
    this.#away = error;
  }

  #isBack(): void {
    if (!this.#away) return;
    this.#away = undefined;
    this.#log.info({ waiting: this.#queue.length }, 'call records are written again');
  }
}
