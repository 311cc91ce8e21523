// Opens the SQLite store: file, schema, key, directory; every failure is a StoreError that says what to do.
import { Kysely } from 'kysely';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { type Random, systemRandom } from '../lib/random.ts';
import { type Cipher, createCipher } from './cipher.ts';
import { createCodec } from './codec.ts';
import type { Engine, Tables } from './engine.ts';
import { migrate } from './migrations/index.ts';
import { SqlStore } from './sql-store.ts';
import { SqliteClient } from './sqlite-client.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import { type Store, StoreError } from './store.ts';

export interface StoreOptions {
  /** The SQLite file; made where it is missing, its folder must exist. */
  readonly path: string;
  /** 32 bytes; encrypts stored secrets. */
  readonly key: Uint8Array;
  readonly log: Log;
  readonly clock: Clock;
  readonly random?: Random;
  /** How long to wait for another program that holds the file. */
  readonly busyTimeoutMs?: number;
}

const BUSY_TIMEOUT_MS = 5000;

/** @throws {StoreError} */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { path, key, log, clock, random = systemRandom(), busyTimeoutMs = BUSY_TIMEOUT_MS } = options;
  const client = await SqliteClient.open({ path, busyTimeoutMs });
  const db = new Kysely<Tables>({ dialect: sqliteDialect(client) });
  const engine: Engine = {
    db,
    run: (statements, durability) => client.run(statements, durability),
    close: () => client.close(),
  };
  try {
    await migrate(db);
    const cipher = createCipher(key, random);
    await checkKey(db, cipher);
    const store = await SqlStore.open(engine, createCodec(cipher), clock);
    log.debug({ path }, 'database open');
    return store;
  } catch (error) {
    await client.close();
    throw error instanceof StoreError
      ? error
      : new StoreError('failed', `The database ${path} cannot be opened: ${(error as Error).message}`);
  }
}

const KEY_CHECK = 'key_check';

/** A value sealed at the first start: who cannot open it has another key, and would garble every secret. */
async function checkKey(db: Kysely<Tables>, cipher: Cipher): Promise<void> {
  const stored = await db
    .selectFrom('settings')
    .select('value')
    .where('name', '=', KEY_CHECK)
    .executeTakeFirst();
  if (!stored) {
    await db
      .insertInto('settings')
      .values({ name: KEY_CHECK, value: cipher.seal(KEY_CHECK) })
      .execute();
    return;
  }
  try {
    cipher.open(String(stored.value));
  } catch {
    throw new StoreError(
      'wrong-key',
      'The key does not fit this database: set TANDEM_KEY, or restore the file "key", as it was when the database was made',
    );
  }
}
