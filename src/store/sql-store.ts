// The store on any SQL engine: rows by their definitions, the directory kept in step.
import type { CompiledQuery } from 'kysely';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import {
  type AnyResource,
  type AnyRow,
  type Limit,
  parentField,
  propertyName,
  type Row,
  registration,
  resources,
} from '../resources/index.ts';
import type { Codec } from './codec.ts';
import { DirectoryMirror } from './directory.ts';
import type { Engine, SqlResult, SqlRow, SqlValue, Statement } from './engine.ts';
import { GroupJournal } from './journal.ts';
import { listPage } from './list-page.ts';
import { NODE_ORDERS, type NodeOrders } from './node-orders.ts';
import type { Nodes } from './nodes.ts';
import type { OutboxParts } from './outbox.ts';
import { type Columns, createStatements, type Statements } from './statements.ts';
import {
  type Along,
  type BindingsListener,
  LimitError,
  type PageOf,
  type PageRequest,
  type Patch,
  type Store,
  type StoreCounts,
} from './store.ts';

const configuration = resources.filter(({ kind }) => kind === 'configuration');

export interface StoreParts {
  readonly engine: Engine;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly log: Log;
  /** This run of the exchange. */
  readonly node: string;
  /** Those that share the database; none where nobody can. */
  readonly nodes?: Nodes;
  readonly orders?: NodeOrders;
  readonly kept?: NonNullable<OutboxParts['kept']>;
}

export class SqlStore implements Store {
  readonly node: string;
  readonly directory = new DirectoryMirror();
  readonly journal: GroupJournal;
  readonly orders: NodeOrders | undefined;
  readonly #engine: Engine;
  readonly #statements: Statements;
  readonly #codec: Codec;
  readonly #clock: Clock;
  readonly #nodes: Nodes | undefined;
  readonly #bindingsListeners = new Set<BindingsListener>();
  #closed = false;

  private constructor(parts: StoreParts) {
    this.node = parts.node;
    this.#engine = parts.engine;
    this.#statements = createStatements(parts.engine.db);
    this.#codec = parts.codec;
    this.#clock = parts.clock;
    this.#nodes = parts.nodes;
    this.orders = parts.orders;
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

  async insert<R extends AnyResource>(definition: R, row: Row<R>, along?: Along): Promise<Row<R>> {
    const { sid } = row as unknown as AnyRow;
    const { limit, table } = definition;
    const columns = this.#codec.encode(definition, row);
    const insert = limit
      ? this.#insertWithin(limit, definition, columns)
      : [this.#statements.insert(table, columns)];
    const results = await this.#run([...insert, ...this.#along(definition, sid, along)]);
    if (limit && results[insert.length - 1]?.changes === 0) throw new LimitError(limit);
    this.directory.put(definition, row);
    return row;
  }

  async find<R extends AnyResource>(definition: R, sid: string): Promise<Row<R> | undefined> {
    const isInMemory = this.#engine.isSole && definition.kind === 'configuration';
    if (isInMemory && !this.#closed) return this.directory.find(definition, sid);
    const found = this.#statements.find(definition.table, { column: 'sid', value: sid });
    const [row] = (await this.#run([found]))[0]?.rows ?? [];
    return row && this.#codec.decode(definition, row);
  }

  async findAll<R extends AnyResource>(definition: R, sids: readonly string[]): Promise<readonly Row<R>[]> {
    if (sids.length === 0) return [];
    const query = this.#engine.db.selectFrom(definition.table).selectAll().where('sid', 'in', sids);
    const rows: readonly SqlRow[] = await query.orderBy('position').execute();
    return rows.map((row) => this.#codec.decode(definition, row));
  }

  list<R extends AnyResource>(definition: R, page: PageRequest): Promise<PageOf<Row<R>>> {
    return listPage({ db: this.#engine.db, codec: this.#codec }, definition, page);
  }

  async update<R extends AnyResource>(
    definition: R,
    sid: string,
    patch: Patch<R>,
    along?: Along,
  ): Promise<Row<R> | undefined> {
    const columns = this.#codec.encode(definition, { ...patch, dateUpdated: this.#clock.now() });
    const query = this.#engine.db.updateTable(definition.table).set(columns).where('sid', '=', sid);
    const update = statementOf(query.returningAll().compile());
    const [result] = await this.#run([update, ...this.#along(definition, sid, along)]);
    const [row] = result?.rows ?? [];
    if (!row) return undefined;
    const updated = this.#codec.decode(definition, row);
    this.directory.put(definition, updated);
    return updated;
  }

  async remove(definition: AnyResource, sid: string, along?: Along): Promise<boolean> {
    const removal = this.#statements.remove(definition.table, { column: 'sid', value: sid });
    // What goes along sees the row that goes.
    const results = await this.#run([...this.#along(definition, sid, along), removal]);
    this.directory.drop(definition, sid);
    return results.at(-1)?.changes === 1;
  }

  #insertWithin(limit: Limit, definition: AnyResource, columns: Columns): readonly Statement[] {
    const { table } = definition;
    const scope = propertyName(parentField(definition) ?? 'accountSid');
    return [
      ...this.#engine.exclusive(`${table} ${columns[scope]}`),
      this.#statements.insertWithin(table, columns, { scope, count: limit.count }),
    ];
  }

  #along(definition: AnyResource, sid: string, along?: Along): readonly Statement[] {
    if (!along) return [];
    const columns = this.#codec.encode(along.definition, along.row);
    return [this.#statements.insertBeside(along.definition.table, columns, { table: definition.table, sid })];
  }

  #run(statements: readonly Statement[]): Promise<readonly SqlResult[]> {
    return this.#engine.run(statements, 'full');
  }

  async #readEverything(): Promise<void> {
    for (const definition of configuration) {
      const query = this.#engine.db.selectFrom(definition.table).selectAll().orderBy('position');
      const left = await this.directory.takeOver(definition, () => this.#rowsOf(definition, query));
      await this.#readAgain(definition.table, left);
    }
    await this.#tellOfBindings();
    await this.orders?.heard();
  }

  async #tellOfBindings(sids?: readonly string[]): Promise<void> {
    for (const listener of this.#bindingsListeners) await listener(sids);
  }

  async #readAgain(table: string, sids: readonly string[]): Promise<void> {
    if (table === registration.table) return this.#tellOfBindings(sids);
    if (table === NODE_ORDERS) return this.orders?.heard();
    const definition = configuration.find((each) => each.table === table);
    if (!definition || sids.length === 0) return;
    const left = await this.directory.takeOver(definition, () => this.findAll(definition, sids), sids);
    await this.#readAgain(table, left);
  }

  async #rowsOf(
    definition: AnyResource,
    query: { execute(): Promise<SqlRow[]> },
  ): Promise<readonly Row<AnyResource>[]> {
    return (await query.execute()).map((row) => this.#codec.decode(definition, row));
  }

  counts(): StoreCounts {
    return { journal: this.journal.counts(), directoryAgeMs: this.#engine.watchedAgeMs() };
  }

  onBindings(listener: BindingsListener): void {
    this.#bindingsListeners.add(listener);
  }

  onDeath(listener: () => Promise<void>): void {
    this.#nodes?.onDeath(listener);
  }

  onBurial(listener: () => void): void {
    this.#nodes?.onBurial(listener);
  }

  async ping(): Promise<void> {
    await this.#engine.db.selectFrom('settings').select('name').limit(1).execute();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.journal.close();
    await this.#nodes?.close();
    await this.#engine.close();
  }
}

const statementOf = ({ sql, parameters }: CompiledQuery): Statement => ({
  sql,
  parameters: parameters as readonly SqlValue[],
});
