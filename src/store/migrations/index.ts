// Every change of the schema, in order. A migration that was released is never edited again.
import type { Kysely } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { StoreError } from '../store.ts';
import { firstSchema } from './0001-first-schema.ts';
import { sipWorld } from './0002-sip-world.ts';
import { insecureTargets } from './0003-insecure-targets.ts';
import { callLog } from './0004-call-log.ts';
import { doors } from './0005-doors.ts';
import { recordings } from './0006-recordings.ts';
import { webhooks } from './0007-webhooks.ts';
import { liveDialogs } from './0008-live-dialogs.ts';
import { bindingListeners } from './0009-binding-listeners.ts';
import { bindingNodes } from './0010-binding-nodes.ts';
import { nodeOrders } from './0011-node-orders.ts';

const migrations: { readonly [name: string]: Migration } = {
  '0001-first-schema': firstSchema,
  '0002-sip-world': sipWorld,
  '0003-insecure-targets': insecureTargets,
  '0004-call-log': callLog,
  '0005-doors': doors,
  '0006-recordings': recordings,
  '0007-webhooks': webhooks,
  '0008-live-dialogs': liveDialogs,
  '0009-binding-listeners': bindingListeners,
  '0010-binding-nodes': bindingNodes,
  '0011-node-orders': nodeOrders,
};

/**
 * Brings the database up to this program's schema.
 * @param last the migration to stop at, for tests of those that follow
 * @throws {StoreError} `newer-database` when a newer program has changed it in ways this one does not know.
 */
export async function migrate<T>(db: Kysely<T>, last?: string): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } });
  await refuseUnknown(db);
  const { error } = await (last === undefined ? migrator.migrateToLatest() : migrator.migrateTo(last));
  if (error !== undefined) throw error;
}

async function refuseUnknown<T>(db: Kysely<T>): Promise<void> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === 'kysely_migration')) return;
  const applied = await (db as unknown as Kysely<{ kysely_migration: { name: string } }>)
    .selectFrom('kysely_migration')
    .select('name')
    .execute();
  const unknown = applied.find(({ name }) => !Object.hasOwn(migrations, name));
  if (!unknown) return;
  throw new StoreError(
    'newer-database',
    `The database was changed by a newer Tandem (${unknown.name}): start that version, or use another database`,
  );
}
