// SIP domains, trunks, lists and numbers; keys, applications and caller IDs; carrier routes; dialing permissions; audit.
// Tables come after those they refer to: nothing but SQLite takes a reference to a table that is not there yet.
import type { ColumnDefinitionBuilder } from 'kysely';
import type { Migration } from 'kysely/migration';
import { indexed, resourceTable, type Schema } from './columns.ts';

type Column = (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;

const required: Column = (column) => column.notNull();

/** Deleting the row referred to is refused. */
const restrict =
  (target: string): Column =>
  (column) =>
    column.references(target).onDelete('restrict');

/** Deleting the row referred to clears this. */
const clear =
  (target: string): Column =>
  (column) =>
    column.references(target).onDelete('set null');

/** Deleting the row referred to deletes this row. */
const below =
  (target: string): Column =>
  (column) =>
    column.notNull().references(target).onDelete('cascade');

export const sipWorld: Migration = {
  async up(db: Schema) {
    await accountTables(db);
    await lists(db);
    await applications(db);
    await trunks(db);
    await numbers(db);
    await domains(db);
    await mappings(db);
    await voice(db);
    await dialingPermissions(db);
    await auditEvents(db);
  },
};

async function accountTables(db: Schema): Promise<void> {
  await resourceTable(db, 'keys')
    .addColumn('friendly_name', 'text')
    .addColumn('secret', 'text', required)
    .execute();
  await indexed(db, 'keys', ['account_sid']);
  await indexed(db, 'accounts', ['account_sid']);
}

async function lists(db: Schema): Promise<void> {
  await resourceTable(db, 'credential_lists').addColumn('friendly_name', 'text', required).execute();
  await unique(db, 'credential_lists', ['account_sid', 'friendly_name']);
  await indexed(db, 'credential_lists', ['account_sid']);

  await resourceTable(db, 'credentials')
    .addColumn('credential_list_sid', 'text', below('credential_lists.sid'))
    .addColumn('username', 'text', required)
    .addColumn('password', 'text', required)
    .execute();
  await unique(db, 'credentials', ['credential_list_sid', 'username']);
  await indexed(db, 'credentials', ['credential_list_sid']);

  await resourceTable(db, 'ip_access_control_lists').addColumn('friendly_name', 'text', required).execute();
  await unique(db, 'ip_access_control_lists', ['account_sid', 'friendly_name']);
  await indexed(db, 'ip_access_control_lists', ['account_sid']);

  await resourceTable(db, 'ip_addresses')
    .addColumn('ip_access_control_list_sid', 'text', below('ip_access_control_lists.sid'))
    .addColumn('friendly_name', 'text', required)
    .addColumn('ip_address', 'text', required)
    .addColumn('cidr_prefix_length', 'integer', required)
    .execute();
  await unique(db, 'ip_addresses', ['ip_access_control_list_sid', 'friendly_name']);
  await unique(db, 'ip_addresses', ['ip_access_control_list_sid', 'ip_address', 'cidr_prefix_length']);
  await indexed(db, 'ip_addresses', ['ip_access_control_list_sid']);
}

async function applications(db: Schema): Promise<void> {
  await resourceTable(db, 'applications')
    .addColumn('friendly_name', 'text')
    .addColumn('api_version', 'text', required)
    .addColumn('voice_url', 'text')
    .addColumn('voice_method', 'text', required)
    .addColumn('voice_fallback_url', 'text')
    .addColumn('voice_fallback_method', 'text', required)
    .addColumn('status_callback', 'text')
    .addColumn('status_callback_method', 'text', required)
    .addColumn('voice_caller_id_lookup', 'boolean', required)
    .addColumn('sms_url', 'text')
    .addColumn('sms_method', 'text', required)
    .addColumn('sms_fallback_url', 'text')
    .addColumn('sms_fallback_method', 'text', required)
    .addColumn('sms_status_callback', 'text')
    .addColumn('message_status_callback', 'text')
    .addColumn('public_application_connect_enabled', 'boolean', required)
    .execute();
  await indexed(db, 'applications', ['account_sid']);
}

async function trunks(db: Schema): Promise<void> {
  await resourceTable(db, 'trunks')
    .addColumn('friendly_name', 'text')
    .addColumn('domain_name', 'text', (column) => column.unique())
    .addColumn('disaster_recovery_url', 'text')
    .addColumn('disaster_recovery_method', 'text', required)
    .addColumn('transfer_mode', 'text', required)
    .addColumn('transfer_caller_id', 'text', required)
    .addColumn('secure', 'boolean', required)
    .addColumn('cnam_lookup_enabled', 'boolean', required)
    .addColumn('recording_mode', 'text', required)
    .addColumn('recording_trim', 'text', required)
    // A subdomain keeps the domain it is below from being deleted and from being renamed.
    .addColumn('parent_domain_name', 'text', (column) =>
      restrict('trunks.domain_name')(column).onUpdate('restrict'),
    )
    .execute();
  await indexed(db, 'trunks', ['account_sid']);
  await indexed(db, 'trunks', ['parent_domain_name']);

  await resourceTable(db, 'origination_urls')
    .addColumn('trunk_sid', 'text', below('trunks.sid'))
    .addColumn('friendly_name', 'text', required)
    .addColumn('sip_url', 'text', required)
    .addColumn('priority', 'integer', required)
    .addColumn('weight', 'integer', required)
    .addColumn('enabled', 'boolean', required)
    .execute();
  await indexed(db, 'origination_urls', ['trunk_sid']);
}

async function numbers(db: Schema): Promise<void> {
  await resourceTable(db, 'incoming_phone_numbers')
    .addColumn('phone_number', 'text', required)
    .addColumn('friendly_name', 'text')
    .addColumn('api_version', 'text', required)
    .addColumn('voice_url', 'text')
    .addColumn('voice_method', 'text', required)
    .addColumn('voice_fallback_url', 'text')
    .addColumn('voice_fallback_method', 'text', required)
    .addColumn('status_callback', 'text')
    .addColumn('status_callback_method', 'text', required)
    .addColumn('voice_caller_id_lookup', 'boolean', required)
    .addColumn('voice_application_sid', 'text', clear('applications.sid'))
    .addColumn('trunk_sid', 'text', clear('trunks.sid'))
    .addColumn('voice_receive_mode', 'text', required)
    .addColumn('sms_url', 'text')
    .addColumn('sms_method', 'text', required)
    .addColumn('sms_fallback_url', 'text')
    .addColumn('sms_fallback_method', 'text', required)
    .addColumn('sms_application_sid', 'text', clear('applications.sid'))
    .addColumn('emergency_status', 'text', required)
    .addColumn('emergency_address_sid', 'text')
    .addColumn('address_sid', 'text')
    .addColumn('identity_sid', 'text')
    .addColumn('bundle_sid', 'text')
    .addColumn('beta', 'boolean', required)
    .addColumn('origin', 'text', required)
    .execute();
  await unique(db, 'incoming_phone_numbers', ['account_sid', 'phone_number']);
  for (const column of ['account_sid', 'trunk_sid', 'voice_application_sid', 'sms_application_sid']) {
    await indexed(db, 'incoming_phone_numbers', [column]);
  }

  await resourceTable(db, 'outgoing_caller_ids')
    .addColumn('phone_number', 'text', required)
    .addColumn('friendly_name', 'text')
    .execute();
  await unique(db, 'outgoing_caller_ids', ['account_sid', 'phone_number']);
  await indexed(db, 'outgoing_caller_ids', ['account_sid']);
}

async function domains(db: Schema): Promise<void> {
  await resourceTable(db, 'sip_domains')
    .addColumn('domain_name', 'text', (column) => column.notNull().unique())
    .addColumn('friendly_name', 'text')
    .addColumn('voice_url', 'text')
    .addColumn('voice_method', 'text', required)
    .addColumn('voice_fallback_url', 'text')
    .addColumn('voice_fallback_method', 'text', required)
    .addColumn('voice_status_callback_url', 'text')
    .addColumn('voice_status_callback_method', 'text', required)
    .addColumn('sip_registration', 'boolean', required)
    .addColumn('emergency_calling_enabled', 'boolean', required)
    .addColumn('secure', 'boolean', required)
    .addColumn('byoc_trunk_sid', 'text', restrict('byoc_trunks.sid'))
    .addColumn('emergency_caller_sid', 'text', restrict('incoming_phone_numbers.sid'))
    .addColumn('parent_domain_name', 'text', (column) =>
      restrict('sip_domains.domain_name')(column).onUpdate('restrict'),
    )
    .execute();
  for (const column of ['account_sid', 'byoc_trunk_sid', 'emergency_caller_sid', 'parent_domain_name']) {
    await indexed(db, 'sip_domains', [column]);
  }

  // Nothing could be in the column: until now there was no domain it could name.
  await db.schema.alterTable('byoc_trunks').dropColumn('from_domain_sid').execute();
  await db.schema
    .alterTable('byoc_trunks')
    .addColumn('from_domain_sid', 'text', restrict('sip_domains.sid'))
    .execute();
  await indexed(db, 'byoc_trunks', ['from_domain_sid']);
}

async function mappings(db: Schema): Promise<void> {
  const domains = { table: 'sip_domains', column: 'domain_sid' };
  const trunks = { table: 'trunks', column: 'trunk_sid' };
  const credentials = { table: 'credential_lists', column: 'credential_list_sid' };
  const addresses = { table: 'ip_access_control_lists', column: 'ip_access_control_list_sid' };
  await mapping(db, 'domain_calls_credential_list_mappings', domains, credentials);
  await mapping(db, 'domain_registrations_credential_list_mappings', domains, credentials);
  await mapping(db, 'domain_calls_ip_access_control_list_mappings', domains, addresses);
  await mapping(db, 'trunk_credential_lists', trunks, credentials);
  await mapping(db, 'trunk_ip_access_control_lists', trunks, addresses);
}

interface Side {
  readonly table: string;
  readonly column: string;
}

async function mapping(db: Schema, table: string, parent: Side, mapped: Side): Promise<void> {
  await resourceTable(db, table)
    .addColumn(parent.column, 'text', below(`${parent.table}.sid`))
    .addColumn(mapped.column, 'text', (column) => restrict(`${mapped.table}.sid`)(column).notNull())
    .execute();
  await unique(db, table, [parent.column, mapped.column]);
  await indexed(db, table, [parent.column]);
  await indexed(db, table, [mapped.column]);
}

async function voice(db: Schema): Promise<void> {
  await resourceTable(db, 'ip_records')
    .addColumn('friendly_name', 'text')
    .addColumn('ip_address', 'text', required)
    .addColumn('cidr_prefix_length', 'integer', required)
    .execute();
  await indexed(db, 'ip_records', ['account_sid']);

  await resourceTable(db, 'source_ip_mappings')
    .addColumn('ip_record_sid', 'text', (column) => restrict('ip_records.sid')(column).notNull())
    .addColumn('sip_domain_sid', 'text', (column) => restrict('sip_domains.sid')(column).notNull())
    .execute();
  for (const column of ['account_sid', 'ip_record_sid', 'sip_domain_sid']) {
    await indexed(db, 'source_ip_mappings', [column]);
  }

  await resourceTable(db, 'carrier_routes')
    .addColumn('prefix', 'text', required)
    .addColumn('byoc_trunk_sid', 'text', (column) => restrict('byoc_trunks.sid')(column).notNull())
    .addColumn('priority', 'integer', required)
    .execute();
  await unique(db, 'carrier_routes', ['account_sid', 'prefix', 'byoc_trunk_sid']);
  await indexed(db, 'carrier_routes', ['account_sid']);
  await indexed(db, 'carrier_routes', ['byoc_trunk_sid']);
}

async function dialingPermissions(db: Schema): Promise<void> {
  await resourceTable(db, 'dialing_permissions_countries')
    .addColumn('iso_code', 'text', required)
    .addColumn('low_risk_numbers_enabled', 'boolean', required)
    .addColumn('high_risk_special_numbers_enabled', 'boolean', required)
    .addColumn('high_risk_tollfraud_numbers_enabled', 'boolean', required)
    .execute();
  await unique(db, 'dialing_permissions_countries', ['account_sid', 'iso_code']);

  await resourceTable(db, 'dialing_permissions_settings')
    .addColumn('dialing_permissions_inheritance', 'boolean', required)
    .execute();
  await unique(db, 'dialing_permissions_settings', ['account_sid']);
}

async function auditEvents(db: Schema): Promise<void> {
  await resourceTable(db, 'audit_events')
    .addColumn('actor_sid', 'text', required)
    .addColumn('action', 'text', required)
    .addColumn('resource_type', 'text', required)
    .addColumn('resource_sid', 'text', required)
    .addColumn('before', 'text')
    .addColumn('after', 'text')
    .execute();
  await indexed(db, 'audit_events', ['account_sid']);
  await indexed(db, 'audit_events', ['resource_sid']);
}

async function unique(db: Schema, table: string, columns: readonly string[]): Promise<void> {
  await db.schema
    .createIndex(`${table}_unique_${columns.at(-1)}`)
    .unique()
    .on(table)
    .columns([...columns])
    .execute();
}
