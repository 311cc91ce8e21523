// The statements that write. Their SQL is built once per set of columns: building costs more than running.
import { type CompiledQuery, type Kysely, type RawBuilder, sql } from 'kysely';
import type { Tables } from './engine.ts';
import type { SqlValue, Statement } from './sqlite-protocol.ts';

export type Columns = { readonly [column: string]: SqlValue };

export interface Statements {
  insert(table: string, columns: Columns): Statement;
  /** Inserts nothing when `count` rows have `scope`'s value in `scope` already. */
  insertWithin(
    table: string,
    columns: Columns,
    limit: { readonly scope: string; readonly count: number },
  ): Statement;
  /** Inserts, or replaces the row that has the same key. */
  upsert(table: string, columns: Columns, key: string): Statement;
  update(
    table: string,
    columns: Columns,
    key: { readonly column: string; readonly value: SqlValue },
  ): Statement;
}

export function createStatements(db: Kysely<Tables>): Statements {
  const built = new Map<string, string>();
  // Column sets come from definitions and from patches written in this program, so their number is bounded.
  const sqlOf = (key: string, build: () => CompiledQuery): string => {
    const known = built.get(key) ?? build().sql;
    built.set(key, known);
    return known;
  };
  return {
    insert(table, columns) {
      const key = `insert ${table} ${Object.keys(columns).join()}`;
      return {
        sql: sqlOf(key, () => db.insertInto(table).values(columns).compile()),
        parameters: Object.values(columns),
      };
    },
    insertWithin(table, columns, { scope, count }) {
      const value = columns[scope] ?? null;
      const query = guardedInsert(
        table,
        columns,
        sql`(select count(*) from ${sql.table(table)} where ${sql.ref(scope)} = ${value}) < ${count}`,
      );
      return {
        sql: sqlOf(`within ${table} ${scope} ${Object.keys(columns).join()}`, () => query.compile(db)),
        parameters: [...Object.values(columns), value, count],
      };
    },
    upsert(table, columns, key) {
      const query = () =>
        db
          .insertInto(table)
          .values(columns)
          .onConflict((on) => on.column(key).doUpdateSet(excluded(columns, key)));
      return {
        sql: sqlOf(`upsert ${table} ${Object.keys(columns).join()} ${key}`, () => query().compile()),
        parameters: Object.values(columns),
      };
    },
    update(table, columns, { column, value }) {
      const key = `update ${table} ${Object.keys(columns).join()} ${column}`;
      return {
        sql: sqlOf(key, () =>
          db.updateTable(table).set(columns).where(column, '=', value).returningAll().compile(),
        ),
        parameters: [...Object.values(columns), value],
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

/** One statement, so that counting and inserting cannot be told apart by others. */
function guardedInsert(table: string, columns: Columns, guard: RawBuilder<unknown>): RawBuilder<unknown> {
  const names = sql.join(Object.keys(columns).map((column) => sql.ref(column)));
  return sql`insert into ${sql.table(table)} (${names}) select ${sql.join(Object.values(columns))} where ${guard}`;
}
