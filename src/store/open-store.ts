// Opens the store: database, schema, key, directory; every failure is a StoreError that says what to do.
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { type Random, systemRandom } from '../lib/random.ts';
import { type Cipher, createCipher } from './cipher.ts';
import { createCodec } from './codec.ts';
import type { Engine } from './engine.ts';
import { succeed } from './node-file.ts';
import { NodeOrders } from './node-orders.ts';
import { Nodes } from './nodes.ts';
import { openPostgres } from './postgres-engine.ts';
import { SqlStore } from './sql-store.ts';
import { openSqlite } from './sqlite-engine.ts';
import { type Store, StoreError } from './store.ts';

export interface StoreOptions {
  /** The SQLite file; made where it is missing, its folder must exist. */
  readonly path: string;
  /** `postgres://user:password@host:port/database`: PostgreSQL then, and no file. */
  readonly database?: string;
  /** 32 bytes; encrypts stored secrets. */
  readonly key: Uint8Array;
  readonly log: Log;
  readonly clock: Clock;
  readonly random?: Random;
  /** How long to wait for another program that holds the file. */
  readonly busyTimeoutMs?: number;
  /** How long, and how many, webhooks are kept that are over. */
  readonly webhooksKept?: { readonly days: number; readonly rows: number };
}

const BUSY_TIMEOUT_MS = 5000;

/** @throws {StoreError} */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { key, random = systemRandom(), webhooksKept: kept } = options;
  const node = random.hex(16);
  let engine: Engine | undefined;
  try {
    engine = await openEngine(options);
    const cipher = createCipher(key, random);
    await checkKey(engine, cipher);
    const shared = engine.isSole ? undefined : await joined(options, { engine, node, random });
    const codec = createCodec(cipher);
    return await SqlStore.open({
      ...options,
      engine,
      codec,
      node,
      ...shared,
      ...(kept && { kept }),
    });
  } catch (error) {
    await engine?.close();
    if (error instanceof StoreError) throw error;
    throw new StoreError('failed', `The database cannot be opened: ${(error as Error).message}`);
  }
}

/** On a database that others may share. */
async function joined(
  { path, clock, log }: StoreOptions,
  { engine, node, random }: { readonly engine: Engine; readonly node: string; readonly random: Random },
): Promise<{ nodes: Nodes; orders: NodeOrders }> {
  const given = { db: engine.db, id: node, clock, log };
  const nodes = new Nodes({ ...given, name: `${hostname()} (process ${process.pid})` });
  await nodes.start(succeed(dirname(path), node));
  return { nodes, orders: new NodeOrders({ ...given, random }) };
}

function openEngine({ database, path, busyTimeoutMs = BUSY_TIMEOUT_MS, clock, log }: StoreOptions) {
  return database === undefined
    ? openSqlite({ path, busyTimeoutMs })
    : openPostgres({ url: database, clock, log });
}

const KEY_CHECK = 'key_check';

/** A value sealed at the first start: who cannot open it has another key, and would garble every secret. */
async function checkKey({ db }: Engine, cipher: Cipher): Promise<void> {
  await db
    .insertInto('settings')
    .values({ name: KEY_CHECK, value: cipher.seal(KEY_CHECK) })
    .onConflict((on) => on.column('name').doNothing())
    .execute();
  const { value } = await db
    .selectFrom('settings')
    .select('value')
    .where('name', '=', KEY_CHECK)
    .executeTakeFirstOrThrow();
  try {
    cipher.open(String(value));
  } catch {
    throw new StoreError(
      'wrong-key',
      'The key does not fit this database: set TANDEM_KEY, or restore the file "key", as it was when the database was made',
    );
  }
}
