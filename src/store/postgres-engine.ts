// PostgreSQL as an engine. API writes wait for the server's disk; the calls' journal has a connection of its own whose
// commits do not (synchronous_commit=off): a killed exchange loses nothing, a crashed server its last moments.
import { Kysely, sql } from 'kysely';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { registration, resources } from '../resources/index.ts';
import type { Engine, Tables } from './engine.ts';
import { migrate } from './migrations/index.ts';
import { NODE_ORDERS } from './node-orders.ts';
import { postgresDialect } from './postgres-dialect.ts';
import { PostgresPool } from './postgres-pool.ts';
import { CHANNEL, PostgresWatch } from './postgres-watch.ts';

export interface PostgresOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly log: Log;
}

const API_CONNECTIONS = 10;
const QUERY_TIMEOUT_MS = 15_000;
/** A migration of many rows takes its time. */
const MIGRATION_TIMEOUT_MS = 3_600_000;

/** Brings the schema up to date, then gives the engine. @throws {StoreError} */
export async function openPostgres(options: PostgresOptions): Promise<Engine> {
  await prepareSchema(options.url);
  const api = new PostgresPool({
    url: options.url,
    connections: API_CONNECTIONS,
    queryTimeoutMs: QUERY_TIMEOUT_MS,
    durability: 'full',
  });
  const journal = new PostgresPool({
    url: options.url,
    connections: 1,
    queryTimeoutMs: QUERY_TIMEOUT_MS,
    durability: 'normal',
  });
  let watch: PostgresWatch | undefined;
  return {
    db: new Kysely<Tables>({ dialect: postgresDialect(api) }),
    isSole: false,
    run: (statements, durability) => (durability === 'full' ? api : journal).run(statements),
    exclusive: (name) => [
      { sql: 'select pg_advisory_xact_lock(hashtextextended($1, 0))', parameters: [name] },
    ],
    watch: (watcher) => {
      watch = new PostgresWatch(options, watcher);
      return watch.start();
    },
    watchedAgeMs: () => watch?.ageMs ?? 0,
    close: async () => {
      await watch?.close();
      await Promise.all([journal.end(), api.end()]);
    },
  };
}

/** On one connection, as a transaction of kysely's is a matter of statements in a row. */
async function prepareSchema(url: string): Promise<void> {
  const pool = new PostgresPool({
    url,
    connections: 1,
    queryTimeoutMs: MIGRATION_TIMEOUT_MS,
    durability: 'full',
  });
  try {
    const db = new Kysely<Tables>({ dialect: postgresDialect(pool) });
    await migrate(db);
    await db.transaction().execute(tellOfChanges);
  } finally {
    await pool.end();
  }
}

/** What nodes hear of each other: configuration, children that go with their parent included, bindings and orders. */
const TELLING = resources
  .filter((each) => each.kind === 'configuration' || each === registration)
  .map(({ table }) => table)
  .concat(NODE_ORDERS);

async function tellOfChanges(db: Kysely<Tables>): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${CHANNEL}, 0))`.execute(db);
  const { rows } = await sql<{ name: string }>`
    select tgrelid::regclass::text as name from pg_trigger where tgname = ${CHANNEL}`.execute(db);
  const told = new Set(rows.map(({ name }) => name));
  const silent = TELLING.filter((table) => !told.has(table));
  if (silent.length === 0) return;
  await sql`
    create or replace function tandem_tell_change() returns trigger language plpgsql as $$
    begin
      perform pg_notify(${sql.lit(CHANNEL)}, tg_table_name || ' ' || coalesce(new.sid, old.sid));
      return null;
    end $$`.execute(db);
  for (const table of silent) {
    await sql`create trigger ${sql.ref(CHANNEL)} after insert or update or delete on ${sql.table(table)}
      for each row execute function tandem_tell_change()`.execute(db);
  }
}
