// Recordings of calls. They refer to no call: a call may be deleted, and its recordings stay.
import type { Migration } from 'kysely/migration';
import { indexed, resourceTable, type Schema } from './columns.ts';

export const recordings: Migration = {
  async up(db: Schema) {
    await resourceTable(db, 'recordings')
      .addColumn('call_sid', 'text', (column) => column.notNull())
      .addColumn('conference_sid', 'text')
      .addColumn('start_time', 'bigint')
      .addColumn('duration', 'integer')
      .addColumn('price', 'text')
      .addColumn('price_unit', 'text', (column) => column.notNull())
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('channels', 'integer', (column) => column.notNull())
      .addColumn('source', 'text', (column) => column.notNull())
      .addColumn('track', 'text', (column) => column.notNull())
      .addColumn('error_code', 'integer')
      .addColumn('status_callback', 'text')
      .addColumn('status_callback_method', 'text', (column) => column.notNull())
      .addColumn('status_callback_events', 'text', (column) => column.notNull())
      .addColumn('is_deleted', 'boolean', (column) => column.notNull())
      .addColumn('node', 'text')
      .execute();
    await indexed(db, 'recordings', ['account_sid']);
    await indexed(db, 'recordings', ['account_sid', 'date_created']);
    await indexed(db, 'recordings', ['call_sid']);
    // What an earlier run left open is asked for across accounts.
    await indexed(db, 'recordings', ['status']);
  },
};
