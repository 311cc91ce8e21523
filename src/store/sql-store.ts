// The store on any SQL engine: rows by their definitions, the directory kept in step.
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import {
  type AnyResource,
  type Limit,
  parentField,
  propertyName,
  type Row,
  resources,
} from '../resources/index.ts';
import type { Codec } from './codec.ts';
import { DirectoryMirror } from './directory.ts';
import type { Engine, SqlValue } from './engine.ts';
import { GroupJournal } from './journal.ts';
import { listPage } from './list-page.ts';
import { type Columns, insertWithin } from './statements.ts';
import { LimitError, type PageOf, type PageRequest, type Patch, type Store, type StoreCounts } from './store.ts';

const configuration = resources.filter(({ kind }) => kind === 'configuration');

export interface StoreParts {
  readonly engine: Engine;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly log: Log;
}

export class SqlStore implements Store {
  readonly directory = new DirectoryMirror();
  readonly journal: GroupJournal;
  readonly #engine: Engine;
  readonly #codec: Codec;
  readonly #clock: Clock;

  private constructor(parts: StoreParts) {
    this.#engine = parts.engine;
    this.#codec = parts.codec;
    this.#clock = parts.clock;
    this.journal = new GroupJournal(parts);
  }

  /** Reads the directory; the schema must be there. */
  static async open(parts: StoreParts): Promise<SqlStore> {
    const store = new SqlStore(parts);
    await parts.engine.watch({
      everything: () => store.#readEverything(),
      rows: (table, sids) => store.#readAgain(table, sids),
    });
    return store;
  }

  async insert<R extends AnyResource>(definition: R, row: Row<R>): Promise<Row<R>> {
    const { db } = this.#engine;
    const columns = this.#codec.encode(definition, row);
    const { limit, table } = definition;
    if (limit) await this.#insertWithin(limit, definition, columns);
    else await db.insertInto(table).values(columns).execute();
    this.directory.put(definition, row);
    return row;
  }

  async find<R extends AnyResource>(definition: R, sid: string): Promise<Row<R> | undefined> {
    const query = this.#engine.db.selectFrom(definition.table).selectAll().where('sid', '=', sid);
    const row = await query.executeTakeFirst();
    return row && this.#codec.decode(definition, row);
  }

  list<R extends AnyResource>(definition: R, page: PageRequest): Promise<PageOf<Row<R>>> {
    return listPage({ db: this.#engine.db, codec: this.#codec }, definition, page);
  }

  async update<R extends AnyResource>(
    definition: R,
    sid: string,
    patch: Patch<R>,
  ): Promise<Row<R> | undefined> {
    const columns = this.#codec.encode(definition, { ...patch, dateUpdated: this.#clock.now() });
    const query = this.#engine.db.updateTable(definition.table).set(columns).where('sid', '=', sid);
    const row = await query.returningAll().executeTakeFirst();
    if (!row) return undefined;
    const updated = this.#codec.decode(definition, row);
    this.directory.put(definition, updated);
    return updated;
  }

  async remove(definition: AnyResource, sid: string): Promise<boolean> {
    const query = this.#engine.db.deleteFrom(definition.table).where('sid', '=', sid);
    const { numDeletedRows } = await query.executeTakeFirstOrThrow();
    this.directory.drop(definition, sid);
    return numDeletedRows > 0n;
  }

  async #insertWithin(limit: Limit, definition: AnyResource, columns: Columns): Promise<void> {
    const { db } = this.#engine;
    const { table } = definition;
    const scope = propertyName(parentField(definition) ?? 'accountSid');
    const insert = insertWithin(table, columns, { scope, count: limit.count }).compile(db);
    const results = await this.#engine.run(
      [
        ...this.#engine.exclusive(`${table} ${columns[scope]}`),
        { sql: insert.sql, parameters: insert.parameters as readonly SqlValue[] },
      ],
      'full',
    );
    if (results.at(-1)?.changes === 0) throw new LimitError(limit);
  }

  async #readEverything(): Promise<void> {
    for (const definition of configuration) {
      const rows = await this.#engine.db
        .selectFrom(definition.table)
        .selectAll()
        .orderBy('position')
        .execute();
      const gone = new Set(this.directory.all(definition).map(({ sid }) => sid));
      for (const row of rows) gone.delete(String(row.sid));
      for (const sid of gone) this.directory.drop(definition, sid);
      for (const row of rows) this.directory.put(definition, this.#codec.decode(definition, row));
    }
  }

  async #readAgain(table: string, sids: readonly string[]): Promise<void> {
    const definition = configuration.find((each) => each.table === table);
    if (!definition) return;
    const read = async (sid: string): Promise<void> => {
      const row = await this.find(definition, sid);
      if (row) this.directory.put(definition, row);
      else this.directory.drop(definition, sid);
    };
    await Promise.all(sids.map(read));
  }

  counts(): StoreCounts {
    return { journal: this.journal.counts(), directoryAgeMs: this.#engine.watchedAgeMs() };
  }

  async ping(): Promise<void> {
    await this.#engine.db.selectFrom('settings').select('name').limit(1).execute();
  }

  async close(): Promise<void> {
    await this.journal.close();
    await this.#engine.close();
  }
}
