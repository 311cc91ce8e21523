// What the calls' journal writes and reads, as SQL.
import type { Clock } from '../lib/clock.ts';
import { call, type Row } from '../resources/index.ts';
import type { Codec } from './codec.ts';
import type { Engine, SqlRow, Statement } from './engine.ts';
import { createStatements, type Statements } from './statements.ts';
import type { JournalEntry, OutboxRow } from './store.ts';

type Call = Row<typeof call>;

export interface JournalParts {
  readonly engine: Engine;
  readonly codec: Codec;
  readonly clock: Clock;
}

export class JournalStatements {
  readonly #codec: Codec;
  readonly #clock: Clock;
  readonly #statements: Statements;

  constructor({ engine, codec, clock }: JournalParts) {
    this.#codec = codec;
    this.#clock = clock;
    this.#statements = createStatements(engine.db);
  }

  of({ insert, update, trace, outbox }: JournalEntry<Call>): readonly Statement[] {
    return [
      ...(insert ? [this.#statements.insert(call.table, this.#codec.encode(call, insert))] : []),
      ...(update ? [this.#update(update.sid, update.patch)] : []),
      ...(trace ? [this.#trace(trace.callSid, trace.json)] : []),
      // Not a plain insert: where the answer to a commit was lost, the entry comes again.
      ...(outbox ?? []).map((row) => this.#statements.upsert('outbox', this.#outboxColumns(row), 'id')),
    ];
  }

  settle(outboxId: string): Statement {
    return this.#statements.remove('outbox', { column: 'id', value: outboxId });
  }

  retried(outboxId: string, attempts: number): Statement {
    return this.#statements.update('outbox', { attempts }, { column: 'id', value: outboxId });
  }

  outboxRow(row: SqlRow): OutboxRow {
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
}
