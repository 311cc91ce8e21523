// The statements of the store. Their SQL is built once per set of columns: building costs more than running. Column
// sets come from definitions and from patches written in this program, so they are few.
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { SqlValue, Statement, Tables } from './engine.ts';

export type Columns = { readonly [column: string]: SqlValue };
export type Key = { readonly column: string; readonly value: SqlValue };

export interface Statements {
  /** The row with this value in `key`. */
  find(table: string, key: Key): Statement;
  insert(table: string, columns: Columns): Statement;
  /** Inserts nothing unless the other table has a row with this SID. */
  insertBeside(
    table: string,
    columns: Columns,
    other: { readonly table: string; readonly sid: string },
  ): Statement;
  /**
   * Inserts nothing when `count` rows have the row's value in `scope` already. It is one statement, so that nobody
   * inserts between counting and inserting; where writers run side by side, it needs `Engine.exclusive` before it.
   */
  insertWithin(
    table: string,
    columns: Columns,
    limit: { readonly scope: string; readonly count: number },
  ): Statement;
  /** Inserts nothing where a row has the same value in `key`. */
  insertOnce(table: string, columns: Columns, key: string): Statement;
  /** Inserts, or replaces the row that has the same value in `key`. */
  upsert(table: string, columns: Columns, key: string): Statement;
  update(table: string, columns: Columns, key: Key): Statement;
  remove(table: string, key: Key): Statement;
  /** The rows that have all of the values. */
  removeWhere(table: string, keys: readonly Key[]): Statement;
}

/** The SQL that goes by these words, built the first time. */
type SqlOf = (words: readonly string[], build: () => { readonly sql: string }) => string;

export function createStatements(db: Kysely<Tables>): Statements {
  const built = new Map<string, string>();
  const sqlOf: SqlOf = (words, build) => {
    const key = words.join();
    const known = built.get(key) ?? build().sql;
    built.set(key, known);
    return known;
  };
  return {
    find: (table, { column, value }) => ({
      sql: sqlOf(['find', table, column], () =>
        db.selectFrom(table).selectAll().where(column, '=', value).compile(),
      ),
      parameters: [value],
    }),
    ...conditionalInserts(db, sqlOf),
    ...insertsOnConflict(db, sqlOf),
    insert: (table, columns) => ({
      sql: sqlOf(['insert', table, ...Object.keys(columns)], () =>
        db.insertInto(table).values(columns).compile(),
      ),
      parameters: Object.values(columns),
    }),
    update: (table, columns, { column, value }) => ({
      sql: sqlOf(['update', table, column, ...Object.keys(columns)], () =>
        db.updateTable(table).set(columns).where(column, '=', value).compile(),
      ),
      parameters: [...Object.values(columns), value],
    }),
    remove: (table, { column, value }) => ({
      sql: sqlOf(['remove', table, column], () => db.deleteFrom(table).where(column, '=', value).compile()),
      parameters: [value],
    }),
    removeWhere: (table, keys) => ({
      sql: sqlOf(['removeWhere', table, ...keys.map(({ column }) => column)], () =>
        db
          .deleteFrom(table)
          .where(({ eb, and }) => and(keys.map(({ column, value }) => eb(column, '=', value))))
          .compile(),
      ),
      parameters: keys.map(({ value }) => value),
    }),
  };
}

function insertsOnConflict(db: Kysely<Tables>, sqlOf: SqlOf): Pick<Statements, 'insertOnce' | 'upsert'> {
  return {
    insertOnce: (table, columns, key) => ({
      sql: sqlOf(['once', table, key, ...Object.keys(columns)], () =>
        db
          .insertInto(table)
          .values(columns)
          .onConflict((on) => on.column(key).doNothing())
          .compile(),
      ),
      parameters: Object.values(columns),
    }),
    upsert: (table, columns, key) => ({
      sql: sqlOf(['upsert', table, key, ...Object.keys(columns)], () =>
        db
          .insertInto(table)
          .values(columns)
          .onConflict((on) => on.column(key).doUpdateSet(excluded(columns, key)))
          .compile(),
      ),
      parameters: Object.values(columns),
    }),
  };
}

function conditionalInserts(
  db: Kysely<Tables>,
  sqlOf: SqlOf,
): Pick<Statements, 'insertBeside' | 'insertWithin'> {
  const insertWhere = (table: string, columns: Columns, condition: RawBuilder<unknown>) => {
    const names = sql.join(Object.keys(columns).map((column) => sql.ref(column)));
    const values = sql.join(Object.values(columns));
    return sql`insert into ${sql.table(table)} (${names}) select ${values} where ${condition}`.compile(db);
  };
  return {
    insertBeside: (table, columns, other) => ({
      sql: sqlOf(['beside', table, other.table, ...Object.keys(columns)], () =>
        insertWhere(
          table,
          columns,
          sql`exists (select 1 from ${sql.table(other.table)} where sid = ${other.sid})`,
        ),
      ),
      parameters: [...Object.values(columns), other.sid],
    }),
    insertWithin: (table, columns, { scope, count }) => {
      const owner = columns[scope] ?? null;
      const taken = sql`select count(*) from ${sql.table(table)} where ${sql.ref(scope)} = ${owner}`;
      return {
        sql: sqlOf(['within', table, scope, ...Object.keys(columns)], () =>
          insertWhere(table, columns, sql`(${taken}) < ${count}`),
        ),
        parameters: [...Object.values(columns), owner, count],
      };
    },
  };
}

const excluded = (columns: Columns, key: string) =>
  Object.fromEntries(
    Object.keys(columns)
      .filter((column) => column !== key)
      .map((column) => [column, sql.ref<SqlValue>(`excluded.${column}`)]),
  );
