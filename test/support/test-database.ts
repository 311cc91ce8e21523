// A database of a test's own, on the engine that the vitest project runs on.
import { join } from 'node:path';
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
  const path = join(tempFolder(), 'x.sqlite');
  const server = inject('postgres');
  if (server === undefined) return { path };
  created += 1;
  const name = `test_${process.pid}_${created}`;
  await administer(server, `create database ${name} template ${template}`);
  onTestFinished(() => administer(server, `drop database ${name} with (force)`));
  return { path, database: `${server}/${name}` };
}
