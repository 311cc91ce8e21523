// What calls leave to read: their webhook requests and notifications; and the indexes that lists of calls go by.
import type { Migration } from 'kysely/migration';
import { indexed, resourceTable, type Schema } from './columns.ts';

export const callLog: Migration = {
  async up(db: Schema) {
    await callEvents(db);
    await notifications(db);
    await callLists(db);
  },
};

async function callEvents(db: Schema): Promise<void> {
  await resourceTable(db, 'call_events')
    .addColumn('call_sid', 'text', (column) => column.notNull().references('calls.sid').onDelete('cascade'))
    .addColumn('request', 'text', (column) => column.notNull())
    .addColumn('response', 'text', (column) => column.notNull())
    .execute();
  await indexed(db, 'call_events', ['call_sid']);
}

async function notifications(db: Schema): Promise<void> {
  await resourceTable(db, 'notifications')
    .addColumn('call_sid', 'text', (column) => column.notNull().references('calls.sid').onDelete('cascade'))
    .addColumn('log', 'integer', (column) => column.notNull())
    .addColumn('error_code', 'text', (column) => column.notNull())
    .addColumn('message_text', 'text', (column) => column.notNull())
    .addColumn('message_date', 'bigint', (column) => column.notNull())
    .addColumn('request_method', 'text')
    .addColumn('request_url', 'text')
    .addColumn('request_variables', 'text')
    .addColumn('response_headers', 'text')
    .addColumn('response_body', 'text')
    .execute();
  await indexed(db, 'notifications', ['account_sid']);
  await indexed(db, 'notifications', ['account_sid', 'log']);
  await indexed(db, 'notifications', ['account_sid', 'message_date']);
  await indexed(db, 'notifications', ['call_sid']);
}

/** One for each filter of the list; `status` leads, as recovery asks for it across accounts. */
async function callLists(db: Schema): Promise<void> {
  await db.schema.dropIndex('calls_by_status').execute();
  await indexed(db, 'calls', ['status', 'account_sid']);
  for (const column of ['to', 'from', 'parent_call_sid', 'start_time', 'end_time']) {
    await db.schema
      .createIndex(`calls_by_account_sid_${column}`)
      .on('calls')
      .columns(['account_sid', column, 'position'])
      .where(column as never, 'is not', null)
      .execute();
  }
}
