// The columns that every resource's table begins with.
import type { CreateTableBuilder, Kysely } from 'kysely';

/** What migrations see of the database: they come before any type of it. */
export type Schema = Kysely<unknown>;

/**
 * `position` grows with every row and is never used twice: lists are in its order, and page cursors are made of it.
 */
export function resourceTable(db: Schema, table: string): CreateTableBuilder<string, string> {
  return db.schema
    .createTable(table)
    .addColumn('position', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('sid', 'text', (column) => column.notNull().unique())
    .addColumn('account_sid', 'text', (column) => column.notNull().references('accounts.sid'))
    .addColumn('date_created', 'bigint', (column) => column.notNull())
    .addColumn('date_updated', 'bigint', (column) => column.notNull());
}

/** Lists narrow by account, or by parent, and go by position. */
export async function indexed(db: Schema, table: string, columns: readonly string[]): Promise<void> {
  await db.schema
    .createIndex(`${table}_by_${columns.join('_')}`)
    .on(table)
    .columns([...columns, 'position'])
    .execute();
}
