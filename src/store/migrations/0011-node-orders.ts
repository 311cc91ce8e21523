// What one exchange asks of another on the same database, as the call that it is about is the other's; and what people
// call an exchange.
import type { Migration } from 'kysely/migration';
import type { Schema } from './columns.ts';

export const nodeOrders: Migration = {
  async up(db: Schema) {
    await db.schema.alterTable('nodes').addColumn('name', 'text').execute();
    await db.schema
      .createTable('node_orders')
      .addColumn('sid', 'text', (column) => column.primaryKey())
      // Who is to do it, and who waits for the answer.
      .addColumn('node', 'text', (column) => column.notNull())
      .addColumn('asker', 'text', (column) => column.notNull())
      .addColumn('content', 'text', (column) => column.notNull())
      .addColumn('taken', 'integer', (column) => column.notNull())
      .addColumn('answer', 'text')
      // By the database's clock.
      .addColumn('made_at', 'bigint', (column) => column.notNull())
      .execute();
  },
};
