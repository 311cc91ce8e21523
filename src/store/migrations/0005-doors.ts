// What comes to the doors: bindings of registered devices, and calls that were refused.
// Neither refers to its domain: both are written without anybody waiting, when the domain may just have gone.
import type { ColumnDefinitionBuilder } from 'kysely';
import type { Migration } from 'kysely/migration';
import { indexed, resourceTable, type Schema } from './columns.ts';

const required = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull();

export const doors: Migration = {
  async up(db: Schema) {
    await registrations(db);
    await rejectedCalls(db);
  },
};

async function registrations(db: Schema): Promise<void> {
  await resourceTable(db, 'registrations')
    .addColumn('domain_sid', 'text', required)
    .addColumn('domain', 'text', required)
    .addColumn('aor', 'text', required)
    .addColumn('username', 'text', required)
    .addColumn('contact', 'text', required)
    .addColumn('contact_key', 'text', required)
    .addColumn('instance_id', 'text')
    .addColumn('reg_id', 'integer')
    .addColumn('source_ip', 'text', required)
    .addColumn('source_port', 'integer', required)
    .addColumn('transport', 'text', required)
    .addColumn('user_agent', 'text')
    .addColumn('sip_call_id', 'text', required)
    .addColumn('cseq', 'integer', required)
    .addColumn('expires_at', 'bigint', required)
    .execute();
  await indexed(db, 'registrations', ['account_sid']);
  await indexed(db, 'registrations', ['account_sid', 'aor']);
  await indexed(db, 'registrations', ['account_sid', 'domain']);
}

async function rejectedCalls(db: Schema): Promise<void> {
  await resourceTable(db, 'rejected_calls')
    .addColumn('method', 'text', required)
    .addColumn('source_ip', 'text')
    .addColumn('source_port', 'integer')
    .addColumn('transport', 'text')
    .addColumn('domain', 'text')
    .addColumn('domain_sid', 'text')
    .addColumn('trunk_sid', 'text')
    .addColumn('from', 'text')
    .addColumn('to', 'text')
    .addColumn('sip_call_id', 'text')
    .addColumn('status', 'integer')
    .addColumn('error_code', 'integer')
    .addColumn('reason', 'text', required)
    .addColumn('fix', 'text')
    .addColumn('count', 'integer', required)
    .addColumn('last_rejected_at', 'bigint', required)
    .execute();
  await indexed(db, 'rejected_calls', ['account_sid']);
}
