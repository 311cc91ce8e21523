// A database of a test's own, on the engine that the vitest project runs on.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import type { StoreOptions } from '../../src/store/index.ts';
import { administer, TEMPLATE } from './postgres-server.ts';
import { tempFolder } from './temp-folder.ts';

/** What `openStore` takes to open it, again and again. */
export type TestDatabase = Pick<StoreOptions, 'path' | 'database'>;

let created = 0;

/**
 * Without a row, and gone when the test is over.
 * @param template `template0` for a PostgreSQL database without tables.
 */
export async function testDatabase(template = TEMPLATE): Promise<TestDatabase> {
  const path = join(tempFolder(), 'tandem.sqlite');
  const server = inject('postgres');
  if (server === undefined) return { path };
  created += 1;
  const name = `test_${process.pid}_${created}`;
  await administer(server, `create database ${name} template ${template}`);
  onTestFinished(() => administer(server, `drop database ${name} with (force)`));
  return { path, database: `${server}/${name}` };
}

/** What a statement gives, whoever else has the database open. */
export async function query(
  { path, database }: TestDatabase,
  sql: string,
): Promise<readonly Record<string, unknown>[]> {
  if (database === undefined) {
    const file = new DatabaseSync(path);
    const rows = file.prepare(sql).all();
    file.close();
    return rows;
  }
  const client = new pg.Client(database);
  await client.connect();
  const { rows } = await client.query(sql);
  await client.end();
  return rows as Record<string, unknown>[];
}
