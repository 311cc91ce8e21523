// The store on any SQL engine: rows by their definitions, the directory kept in step.
import type { Clock } from '../lib/clock.ts';
import { type AnyResource, parentField, propertyName, type Row, resources } from '../resources/index.ts';
import type { Codec } from './codec.ts';
import { DirectoryMirror } from './directory.ts';
import type { Engine } from './engine.ts';
import { GroupJournal } from './journal.ts';
import { listPage } from './list-page.ts';
import { insertWithin } from './statements.ts';
import { LimitError, type PageOf, type PageRequest, type Patch, type Store } from './store.ts';

export class SqlStore implements Store {
  readonly directory = new DirectoryMirror();
  readonly journal: GroupJournal;
  readonly #engine: Engine;
  readonly #codec: Codec;
  readonly #clock: Clock;

  private constructor(engine: Engine, codec: Codec, clock: Clock) {
    this.#engine = engine;
    this.#codec = codec;
    this.#clock = clock;
    this.journal = new GroupJournal({ engine, codec, clock });
  }

  /** Reads the directory; the schema must be there. */
  static async open(engine: Engine, codec: Codec, clock: Clock): Promise<SqlStore> {
    const store = new SqlStore(engine, codec, clock);
    for (const definition of resources) {
      if (definition.kind !== 'configuration') continue;
      const rows = await engine.db.selectFrom(definition.table).selectAll().orderBy('position').execute();
      for (const row of rows) store.directory.put(definition, codec.decode(definition, row));
    }
    return store;
  }

  async insert<R extends AnyResource>(definition: R, row: Row<R>): Promise<Row<R>> {
    const { db } = this.#engine;
    const columns = this.#codec.encode(definition, row);
    const { limit, table } = definition;
    if (limit) {
      const scope = propertyName(parentField(definition) ?? 'accountSid');
      const result = await insertWithin(table, columns, { scope, count: limit.count }).execute(db);
      if (result.numAffectedRows === 0n) throw new LimitError(limit);
    } else {
      await db.insertInto(table).values(columns).execute();
    }
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

  async ping(): Promise<void> {
    await this.#engine.db.selectFrom('settings').select('name').limit(1).execute();
  }

  async close(): Promise<void> {
    await this.journal.close();
    await this.#engine.close();
  }
}
