// The calls' way to the disk: whatever queued while the last group was committing goes together, without a timer.
import type { Clock } from '../lib/clock.ts';
import { call, type Row } from '../resources/index.ts';
import type { Codec } from './codec.ts';
import type { Engine } from './engine.ts';
import type { SqlRow, Statement } from './sqlite-protocol.ts';
import { createStatements, type Statements } from './statements.ts';
import { type Journal, type JournalEntry, type OutboxRow, StoreError } from './store.ts';

type Call = Row<typeof call>;

interface Parts {
  readonly engine: Engine;
  readonly codec: Codec;
  readonly clock: Clock;
}

interface Pending {
  readonly statements: readonly Statement[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Entries of one transaction at most: bounds how long an API write waits behind a burst. */
const MAX_GROUP = 1000;
const LIVE_STATUSES: readonly string[] = ['queued', 'ringing', 'in-progress'] satisfies Call['status'][];

export class GroupJournal implements Journal<Call> {
  readonly #engine: Engine;
  readonly #codec: Codec;
  readonly #clock: Clock;
  readonly #statements: Statements;
  #queue: Pending[] = [];
  #flushing: Promise<void> | undefined;
  #closed = false;

  constructor({ engine, codec, clock }: Parts) {
    this.#engine = engine;
    this.#codec = codec;
    this.#clock = clock;
    this.#statements = createStatements(engine.db);
  }

  commit(entry: JournalEntry<Call>): Promise<void> {
    return this.#write(this.#statementsOf(entry));
  }

  settle(outboxId: string): Promise<void> {
    return this.#write([this.#statements.remove('outbox', { column: 'id', value: outboxId })]);
  }

  retried(outboxId: string, attempts: number): Promise<void> {
    return this.#write([this.#statements.update('outbox', { attempts }, { column: 'id', value: outboxId })]);
  }

  async waiting(limit: number): Promise<readonly OutboxRow[]> {
    const query = this.#engine.db.selectFrom('outbox').selectAll().orderBy('position').limit(limit);
    return (await query.execute()).map((row) => this.#outboxRow(row));
  }

  async unfinished(): Promise<readonly Call[]> {
    const query = this.#engine.db.selectFrom('calls').selectAll().where('status', 'in', LIVE_STATUSES);
    return (await query.orderBy('position').execute()).map((row) => this.#codec.decode(call, row));
  }

  async trace(callSid: string): Promise<string | undefined> {
    const query = this.#engine.db.selectFrom('route_traces').select('trace').where('call_sid', '=', callSid);
    return (await query.executeTakeFirst())?.trace?.toString();
  }

  /** Resolves when everything that was asked before is committed. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#flushing;
  }

  #write(statements: readonly Statement[]): Promise<void> {
    if (this.#closed) return Promise.reject(new StoreError('closed', 'The database is closed'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ statements, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  async #flush(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#queue.slice(0, MAX_GROUP);
      this.#queue = this.#queue.slice(MAX_GROUP);
      await this.#commitGroup(group);
    }
    this.#flushing = undefined;
  }

  /** One bad entry fails its group; then each goes alone, so that it fails nobody else. */
  async #commitGroup(group: readonly Pending[]): Promise<void> {
    try {
      await this.#engine.run(
        group.flatMap((pending) => pending.statements),
        'normal',
      );
      for (const { resolve } of group) resolve();
    } catch (error) {
      const hopeless = error instanceof StoreError && error.code !== 'failed';
      if (hopeless || group.length === 1) {
        for (const { reject } of group) reject(error);
        return;
      }
      for (const pending of group) await this.#commitGroup([pending]);
    }
  }

  #statementsOf({ insert, update, trace, outbox }: JournalEntry<Call>): readonly Statement[] {
    return [
      ...(insert ? [this.#statements.insert(call.table, this.#codec.encode(call, insert))] : []),
      ...(update ? [this.#update(update.sid, update.patch)] : []),
      ...(trace ? [this.#trace(trace.callSid, trace.json)] : []),
      ...(outbox ?? []).map((row) => this.#statements.insert('outbox', this.#outboxColumns(row))),
    ];
  }

  #update(sid: string, patch: Partial<Call>): Statement {
    const columns = this.#codec.encode(call, { dateUpdated: this.#clock.now(), ...patch });
    return this.#statements.update(call.table, columns, { column: 'sid', value: sid });
  }

  #trace(callSid: string, json: string): Statement {
    return this.#statements.upsert('route_traces', { call_sid: callSid, trace: json }, 'call_sid');
  }

  #outboxColumns(row: OutboxRow) {
    return {
      id: row.id,
      call_sid: row.callSid,
      account_sid: row.accountSid,
      sequence: row.sequence,
      url: this.#codec.encodeValue('url', row.url),
      method: row.method,
      parameters: row.parameters,
      attempts: row.attempts,
    };
  }

  #outboxRow(row: SqlRow): OutboxRow {
    return {
      id: String(row.id),
      callSid: String(row.call_sid),
      accountSid: String(row.account_sid),
      sequence: Number(row.sequence),
      url: String(this.#codec.decodeValue('url', row.url ?? '')),
      method: row.method === 'GET' ? 'GET' : 'POST',
      parameters: String(row.parameters),
      attempts: Number(row.attempts),
    };
  }
}
