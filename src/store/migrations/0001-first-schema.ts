// Accounts, BYOC trunks with their policies and targets, calls with their traces, and callbacks to be sent.
import type { Migration } from 'kysely/migration';
import { indexed, resourceTable, type Schema } from './columns.ts';

export const firstSchema: Migration = {
  async up(db: Schema) {
    await configuration(db);
    await calls(db);
    await belowCalls(db);
    await db.schema
      .createTable('settings')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('value', 'text', (column) => column.notNull())
      .execute();
  },
};

async function configuration(db: Schema): Promise<void> {
  await resourceTable(db, 'accounts')
    .addColumn('friendly_name', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('auth_token', 'text', (column) => column.notNull())
    .execute();

  await resourceTable(db, 'connection_policies').addColumn('friendly_name', 'text').execute();
  await indexed(db, 'connection_policies', ['account_sid']);

  await resourceTable(db, 'connection_policy_targets')
    .addColumn('connection_policy_sid', 'text', (column) =>
      column.notNull().references('connection_policies.sid').onDelete('cascade'),
    )
    .addColumn('target', 'text', (column) => column.notNull())
    .addColumn('friendly_name', 'text')
    .addColumn('priority', 'integer', (column) => column.notNull())
    .addColumn('weight', 'integer', (column) => column.notNull())
    .addColumn('enabled', 'boolean', (column) => column.notNull())
    .execute();
  await indexed(db, 'connection_policy_targets', ['connection_policy_sid']);

  await resourceTable(db, 'byoc_trunks')
    .addColumn('friendly_name', 'text')
    .addColumn('voice_url', 'text')
    .addColumn('voice_method', 'text', (column) => column.notNull())
    .addColumn('voice_fallback_url', 'text')
    .addColumn('voice_fallback_method', 'text', (column) => column.notNull())
    .addColumn('status_callback_url', 'text')
    .addColumn('status_callback_method', 'text', (column) => column.notNull())
    .addColumn('cnam_lookup_enabled', 'boolean', (column) => column.notNull())
    .addColumn('connection_policy_sid', 'text', (column) =>
      column.references('connection_policies.sid').onDelete('restrict'),
    )
    .addColumn('from_domain_sid', 'text')
    .execute();
  await indexed(db, 'byoc_trunks', ['account_sid']);
  await indexed(db, 'byoc_trunks', ['connection_policy_sid']);
}

async function calls(db: Schema): Promise<void> {
  await resourceTable(db, 'calls')
    .addColumn('to', 'text', (column) => column.notNull())
    .addColumn('from', 'text', (column) => column.notNull())
    .addColumn('parent_call_sid', 'text')
    .addColumn('phone_number_sid', 'text')
    .addColumn('trunk_sid', 'text')
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('direction', 'text', (column) => column.notNull())
    .addColumn('start_time', 'bigint')
    .addColumn('end_time', 'bigint')
    .addColumn('duration', 'integer')
    .addColumn('price', 'text')
    .addColumn('price_unit', 'text', (column) => column.notNull())
    .addColumn('answered_by', 'text')
    .addColumn('forwarded_from', 'text')
    .addColumn('caller_name', 'text')
    .addColumn('queue_time', 'integer', (column) => column.notNull())
    .addColumn('byoc_trunk_sid', 'text')
    .addColumn('connection_policy_sid', 'text')
    .addColumn('sip_response_code', 'integer')
    .addColumn('ended_reason', 'text')
    .addColumn('status_callback', 'text')
    .addColumn('status_callback_method', 'text', (column) => column.notNull())
    .addColumn('status_callback_events', 'text', (column) => column.notNull())
    .addColumn('callback_sequence', 'integer', (column) => column.notNull())
    .addColumn('answered_at', 'bigint')
    .addColumn('sip_call_id', 'text')
    .addColumn('local_tag', 'text')
    .addColumn('remote_tag', 'text')
    .addColumn('heartbeat_at', 'bigint')
    .execute();
  await indexed(db, 'calls', ['account_sid']);
  await indexed(db, 'calls', ['status']);
}

async function belowCalls(db: Schema): Promise<void> {
  await db.schema
    .createTable('route_traces')
    .addColumn('call_sid', 'text', (column) =>
      column.primaryKey().references('calls.sid').onDelete('cascade'),
    )
    .addColumn('trace', 'text', (column) => column.notNull())
    .execute();

  // No reference to the call: its record may be deleted before its last callback is delivered.
  await db.schema
    .createTable('outbox')
    .addColumn('position', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('call_sid', 'text', (column) => column.notNull())
    .addColumn('account_sid', 'text', (column) => column.notNull())
    .addColumn('sequence', 'integer', (column) => column.notNull())
    .addColumn('url', 'text', (column) => column.notNull())
    .addColumn('method', 'text', (column) => column.notNull())
    .addColumn('parameters', 'text', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .execute();
}
