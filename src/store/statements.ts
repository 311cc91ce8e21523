// The statements that write. On the calls' way their SQL is built once per set of columns: building costs more
// than running. Column sets come from definitions and from patches written in this program, so they are few.
import { type Kysely, sql } from 'kysely';
import type { SqlValue, Statement, Tables } from './engine.ts';

export type Columns = { readonly [column: string]: SqlValue };
export type Key = { readonly column: string; readonly value: SqlValue };

export interface Statements {
  insert(table: string, columns: Columns): Statement;
  /** Inserts, or replaces the row that has the same value in `key`. */
  upsert(table: string, columns: Columns, key: string): Statement;
  update(table: string, columns: Columns, key: Key): Statement;
  remove(table: string, key: Key): Statement;
}

export function createStatements(db: Kysely<Tables>): Statements {
  const built = new Map<string, string>();
  const sqlOf = (words: readonly string[], build: () => { readonly sql: string }): string => {
    const key = words.join();
    const known = built.get(key) ?? build().sql;
    built.set(key, known);
    return known;
  };
  return {
    insert: (table, columns) => ({
      sql: sqlOf(['insert', table, ...Object.keys(columns)], () =>
        db.insertInto(table).values(columns).compile(),
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
  };
}

const excluded = (columns: Columns, key: string) =>
  Object.fromEntries(
    Object.keys(columns)
      .filter((column) => column !== key)
      .map((column) => [column, sql.ref<SqlValue>(`excluded.${column}`)]),
  );

/** Inserts nothing unless the other table has a row with this SID. */
export function insertBeside(
  table: string,
  columns: Columns,
  other: { readonly table: string; readonly sid: string },
) {
  const names = sql.join(Object.keys(columns).map((column) => sql.ref(column)));
  const there = sql`select 1 from ${sql.table(other.table)} where sid = ${other.sid}`;
  return sql`insert into ${sql.table(table)} (${names}) select ${sql.join(Object.values(columns))} where exists (${there})`;
}

/**
 * Inserts nothing when `count` rows have the row's value in `scope` already. It is one statement, so that nobody
 * inserts between counting and inserting; where writers run side by side, it needs `Engine.exclusive` before it.
 */
export function insertWithin(
  table: string,
  columns: Columns,
  { scope, count }: { readonly scope: string; readonly count: number },
) {
  const names = sql.join(Object.keys(columns).map((column) => sql.ref(column)));
  const taken = sql`select count(*) from ${sql.table(table)} where ${sql.ref(scope)} = ${columns[scope] ?? null}`;
  return sql`insert into ${sql.table(table)} (${names}) select ${sql.join(Object.values(columns))} where (${taken}) < ${count}`;
}
