// The outbox becomes the list of webhooks, which keeps what was delivered too; calls and webhooks know whose they are.
import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { SqlRow, Tables } from '../engine.ts';
import { indexed, resourceTable, type Schema } from './columns.ts';

export const webhooks: Migration = {
  async up(db: Schema) {
    await webhookTable(db);
    await takeOverOutbox(db);
    await db.schema.dropTable('outbox').execute();
    await db.schema.alterTable('calls').addColumn('node', 'text').execute();
    // Runs of exchanges that share the database. Whoever is not in it is no more.
    await db.schema
      .createTable('nodes')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('lease_until', 'bigint', (column) => column.notNull())
      .execute();
  },
};

async function webhookTable(db: Schema): Promise<void> {
  await resourceTable(db, 'webhooks')
    .addColumn('call_sid', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('sequence_number', 'integer', (column) => column.notNull())
    .addColumn('request_method', 'text', (column) => column.notNull())
    .addColumn('request_url', 'text', (column) => column.notNull())
    .addColumn('request_parameters', 'text', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('sent_at', 'bigint')
    .addColumn('duration_ms', 'integer')
    .addColumn('response_status', 'integer')
    .addColumn('response_headers', 'text')
    .addColumn('response_body', 'text')
    .addColumn('error_code', 'integer')
    .addColumn('error_message', 'text')
    .addColumn('next_attempt_at', 'bigint')
    .addColumn('outbox_id', 'text', (column) => column.notNull())
    .addColumn('lane', 'text', (column) => column.notNull())
    .addColumn('node', 'text')
    .execute();
  await indexed(db, 'webhooks', ['account_sid']);
  await indexed(db, 'webhooks', ['call_sid']);
  await db.schema
    .createIndex('webhooks_to_be_sent')
    .on('webhooks')
    .columns(['lane', 'position'])
    .where('next_attempt_at' as never, 'is not', null)
    .execute();
}

async function takeOverOutbox(schema: Schema): Promise<void> {
  const db = schema as unknown as Kysely<Tables>;
  const rows = await db
    .selectFrom('outbox')
    .leftJoin('calls', 'calls.sid', 'outbox.call_sid')
    .selectAll('outbox')
    .select('calls.date_created')
    .orderBy('outbox.position')
    .execute();
  for (const row of rows) await db.insertInto('webhooks').values(webhookOf(row)).execute();
}

/** As the store derives them; the lane of those few does not matter. */
function webhookOf(row: SqlRow): SqlRow {
  const id = String(row.id);
  return {
    sid: `WH${createHash('sha256').update(id).digest('hex').slice(0, 32)}`,
    account_sid: row.account_sid ?? null,
    date_created: row.date_created ?? 0,
    date_updated: row.date_created ?? 0,
    call_sid: row.call_sid ?? null,
    status: Number(row.attempts) > 0 ? 'retrying' : 'queued',
    sequence_number: row.sequence ?? 0,
    request_method: row.method ?? 'POST',
    request_url: row.url ?? '',
    request_parameters: row.parameters ?? '',
    attempts: row.attempts ?? 0,
    next_attempt_at: 0,
    outbox_id: id,
    lane: `${row.account_sid} `,
  };
}
