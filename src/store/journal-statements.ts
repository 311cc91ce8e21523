// What the calls' journal writes and reads, as SQL.
import type { Clock } from '../lib/clock.ts';
import { type AnyResource, call, type Row, recording, webhook } from '../resources/index.ts';
import type { Codec } from './codec.ts';
import type { Engine, Statement } from './engine.ts';
import { dialogColumns, LIVE_DIALOGS } from './live-dialogs.ts';
import { outboxValues, webhookSid } from './outbox.ts';
import { createStatements, type Statements } from './statements.ts';
import type { Along, JournalEntry, OutboxRow, Patch, Removal } from './store.ts';

type Call = Row<typeof call>;

/** One thing to write: a moment of a call, or what became of a callback. */
export type Work = JournalEntry<Call> | { readonly tried: string; readonly patch: Patch<typeof webhook> };

export interface JournalParts {
  readonly engine: Engine;
  readonly codec: Codec;
  readonly clock: Clock;
  /** This run of the exchange. */
  readonly node: string;
}

export class JournalStatements {
  readonly #codec: Codec;
  readonly #clock: Clock;
  readonly #node: string;
  readonly #statements: Statements;

  constructor({ engine, codec, clock, node }: JournalParts) {
    this.#node = node;
    this.#codec = codec;
    this.#clock = clock;
    this.#statements = createStatements(engine.db);
  }

  /**
   * All of a group in as few statements as do: one for each call, however many moments of it there are. Calls come
   * first, as what follows refers to them.
   */
  of(group: readonly Work[]): readonly Statement[] {
    const entries = group.filter(isEntry);
    const traces = new Map(entries.flatMap(({ trace }) => (trace ? [[trace.callSid, trace]] : [])));
    return [
      ...this.#calls(entries),
      ...Array.from(traces.values(), ({ callSid, toJson }) => this.#trace(callSid, toJson())),
      ...entries.flatMap((entry) => this.#dialogs(entry)),
      ...entries.flatMap(({ records = [] }) => records.map((record) => this.#record(record))),
      ...entries.flatMap(({ removed = [] }) => removed.map((removal) => this.#removal(removal))),
      ...entries.flatMap(({ outbox = [] }) => outbox.map((row) => this.#outbox(row))),
      ...group.flatMap((work) => this.#callback(work)),
    ];
  }

  #calls(entries: readonly JournalEntry<Call>[]): readonly Statement[] {
    const inserts = new Map<string, Call>();
    const patches = new Map<string, Partial<Call>>();
    for (const { insert, update } of entries) {
      if (insert) inserts.set(insert.sid, insert);
      if (!update) continue;
      const { sid, patch } = update;
      const inserted = inserts.get(sid);
      if (inserted) inserts.set(sid, { ...inserted, ...patch });
      else patches.set(sid, { ...patches.get(sid), ...patch });
    }
    return [
      ...Array.from(inserts.values(), (row) =>
        this.#statements.insert(call.table, this.#codec.encode(call, { ...row, node: this.#node })),
      ),
      ...Array.from(patches, ([sid, patch]) => this.#update(sid, patch)),
    ];
  }

  #update(sid: string, patch: Partial<Call>): Statement {
    const columns = this.#codec.encode(call, { dateUpdated: this.#clock.now(), ...patch });
    return this.#statements.update(call.table, columns, { column: 'sid', value: sid });
  }

  #dialogs({ dialogs = [], hungUp }: JournalEntry<Call>): readonly Statement[] {
    const up = dialogs.map((dialog) =>
      this.#statements.upsert(LIVE_DIALOGS, dialogColumns(dialog, this.#node), 'local_tag'),
    );
    if (hungUp === undefined) return up;
    return [...up, this.#statements.remove(LIVE_DIALOGS, { column: 'call_sid', value: hungUp })];
  }

  /** A recording is this run's, as its file is. */
  #owned(definition: AnyResource, row: object): object {
    return definition === recording ? { ...row, node: this.#node } : row;
  }

  #record({ definition, row }: Along): Statement {
    return this.#statements.upsert(
      definition.table,
      this.#codec.encode(definition, this.#owned(definition, row)),
      'sid',
    );
  }

  #removal({ definition: { table }, sid, ifOwn = false }: Removal): Statement {
    const key = { column: 'sid', value: sid };
    if (!ifOwn) return this.#statements.remove(table, key);
    return this.#statements.removeWhere(table, [key, { column: 'node', value: this.#node }]);
  }

  #callback(work: Work): readonly Statement[] {
    if (!('tried' in work)) return [];
    const columns = this.#codec.encode(webhook, { dateUpdated: this.#clock.now(), ...work.patch });
    return [
      this.#statements.update(webhook.table, columns, { column: 'sid', value: webhookSid(work.tried) }),
    ];
  }

  /** Where the answer to a commit was lost, the group comes again; what was sent meanwhile stays as it is. */
  #outbox(row: OutboxRow): Statement {
    const values = outboxValues(row, this.#node, this.#clock.now());
    return this.#statements.insertOnce(webhook.table, this.#codec.encode(webhook, values), 'sid');
  }

  #trace(callSid: string, json: string): Statement {
    return this.#statements.upsert('route_traces', { call_sid: callSid, trace: json }, 'call_sid');
  }
}

export const isEntry = (work: Work): work is JournalEntry<Call> => !('tried' in work);
