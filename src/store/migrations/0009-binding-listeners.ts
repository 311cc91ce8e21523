// By which of our addresses a device registered: calls to it leave from there.
import type { Migration } from 'kysely/migration';
import type { Schema } from './columns.ts';

export const bindingListeners: Migration = {
  async up(db: Schema) {
    await db.schema.alterTable('registrations').addColumn('own_address', 'text').execute();
  },
};
