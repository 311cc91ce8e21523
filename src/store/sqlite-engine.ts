// SQLite as an engine: one file, one thread, one writer, and nobody else who writes.
import { Kysely } from 'kysely';
import type { Engine, Tables } from './engine.ts';
import { migrate } from './migrations/index.ts';
import { SqliteClient } from './sqlite-client.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import type { SqliteOptions } from './sqlite-protocol.ts';

/** Brings the schema up to date, then gives the engine. @throws {StoreError} */
export async function openSqlite(options: SqliteOptions): Promise<Engine> {
  const client = await SqliteClient.open(options);
  const db = new Kysely<Tables>({ dialect: sqliteDialect(client) });
  try {
    await migrate(db);
  } catch (error) {
    await client.close();
    throw error;
  }
  return {
    db,
    isSole: true,
    run: (statements, durability) => client.run(statements, durability),
    exclusive: () => [],
    watch: (watcher) => watcher.everything(),
    watchedAgeMs: () => 0,
    close: () => client.close(),
  };
}
