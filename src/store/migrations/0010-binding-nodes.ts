// Which run of which exchange a device registered with: that one alone may say that its binding is over.
import type { Migration } from 'kysely/migration';
import type { Schema } from './columns.ts';

export const bindingNodes: Migration = {
  async up(db: Schema) {
    await db.schema.alterTable('registrations').addColumn('node', 'text').execute();
  },
};
