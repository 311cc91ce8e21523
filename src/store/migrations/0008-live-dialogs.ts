// Dialogs of calls that are up: another run of an exchange ends them by BYE where theirs is no more. They do not refer
// to their calls: they go when those end.
import type { ColumnDefinitionBuilder } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Schema } from './columns.ts';

const required = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull();

export const liveDialogs: Migration = {
  async up(db: Schema) {
    await db.schema
      .createTable('live_dialogs')
      .addColumn('local_tag', 'text', (column) => column.primaryKey())
      .addColumn('call_sid', 'text', required)
      .addColumn('node', 'text', required)
      .addColumn('sip_call_id', 'text', required)
      .addColumn('remote_tag', 'text', required)
      .addColumn('local', 'text', required)
      .addColumn('remote', 'text', required)
      .addColumn('remote_target', 'text', required)
      // JSON list, nearest first.
      .addColumn('route_set', 'text', required)
      .addColumn('local_seq', 'bigint', required)
      // The flow that it came to be by: our end and the other.
      .addColumn('transport', 'text', required)
      .addColumn('own_address', 'text')
      .addColumn('peer_address', 'text', required)
      .addColumn('peer_port', 'integer', required)
      // TLS: the name on the peer's certificate, and whether it is not checked (1).
      .addColumn('peer_host', 'text')
      .addColumn('peer_insecure', 'integer', required)
      .execute();
    await db.schema
      .createIndex('live_dialogs_by_call_sid')
      .on('live_dialogs')
      .columns(['call_sid'])
      .execute();
  },
};
