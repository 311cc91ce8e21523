// REST requests per CPU-second, and how long they take, on both engines beside their floor (rest-floor.ts): interleaved,
// median of five. Then pages of a list at growing sizes (`--rows 1000000` for the longest), and memory at rest: from
// source and, after `npm run build`, as it is installed.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { Pool } from 'undici';
import { systemClock } from '../src/lib/clock.ts';
import { silentLog } from '../src/lib/log.ts';
import { systemRandom } from '../src/lib/random.ts';
import { account, newRow } from '../src/resources/index.ts';
import { openStore } from '../src/store/index.ts';
import { startPostgres } from '../test/support/postgres-server.ts';
import { cpuTimeMs, median } from './cpu-time.ts';

const ROUNDS = 5;
const PARALLEL = 20;
const LOADS = { create: 1000, read: 3000, list: 400 } as const;
const PAGE_SIZE = 50;
const LIST_SIZES = [1, 10_000, 100_000];
const PAGES = 300;
const ACCOUNT = { sid: `AC${'0'.repeat(32)}`, token: 'a-token-for-the-benchmark' };
const authorization = `Basic ${Buffer.from(`${ACCOUNT.sid}:${ACCOUNT.token}`).toString('base64')}`;

type Operation = keyof typeof LOADS;
type Send = (count: number) => Promise<number[]>;

/** The two databases of an engine, with the tables made: ours and the floor's. */
interface Databases {
  readonly engine: 'sqlite' | 'postgres';
  readonly ours: Readonly<Record<string, string>>;
  readonly floor: string;
  /** Fills the list of calls up to `rows`. */
  fill(rows: number): Promise<void>;
}

interface Process {
  readonly pid: number;
  readonly url: string;
  stop(): Promise<void>;
}

async function start(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Process> {
  const child: ChildProcess = spawn(process.execPath, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const line: unknown = (await lines[Symbol.asyncIterator]().next()).value;
  const stopped = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    pid: child.pid as number,
    url: (JSON.parse(String(line)) as { http: string }).http,
    stop: () => {
      child.kill('SIGTERM');
      return stopped;
    },
  };
}

/** Sends `count` requests, `PARALLEL` at a time; how long each took, in ms. */
function sender(pool: Pool, request: () => { method: 'GET' | 'POST'; path: string; body?: string }): Send {
  return async (count) => {
    const durations: number[] = [];
    let left = count;
    const worker = async (): Promise<void> => {
      while (left-- > 0) {
        const startedMs = performance.now();
        const { body = null, ...asked } = request();
        const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
        const answer = await pool.request({
          ...asked,
          headers: body === null ? { authorization } : headers,
          body,
        });
        const text = await answer.body.text();
        if (answer.statusCode >= 300)
          throw new Error(`${asked.path} was answered ${answer.statusCode}: ${text}`);
        durations.push(performance.now() - startedMs);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    return durations;
  };
}

async function senders(url: string): Promise<Readonly<Record<Operation, Send>> & { readonly pool: Pool }> {
  const pool = new Pool(url, { connections: PARALLEL });
  const create = { method: 'POST', path: '/v1/ByocTrunks', body: 'FriendlyName=A+carrier' } as const;
  const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
  const first = await pool.request({ ...create, headers });
  const { sid } = (await first.body.json()) as { sid: string };
  return {
    pool,
    create: sender(pool, () => create),
    read: sender(pool, () => ({ method: 'GET', path: `/v1/ByocTrunks/${sid}` })),
    list: sender(pool, () => ({ method: 'GET', path: `/v1/ByocTrunks?PageSize=${PAGE_SIZE}` })),
  };
}

interface Run {
  readonly cpuMs: number;
  readonly durations: readonly number[];
}

async function measured(pid: number, send: Send, count: number): Promise<Run> {
  const before = cpuTimeMs(pid);
  const durations = await send(count);
  return { cpuMs: (cpuTimeMs(pid) - before) / count, durations };
}

const percentile = (values: readonly number[], share: number): number =>
  Number((values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN).toFixed(2));

function figures(runs: readonly Run[]) {
  return {
    perCpuSecond: Math.round(1000 / median(runs.map(({ cpuMs }) => cpuMs))),
    p50Ms: median(runs.map(({ durations }) => percentile(durations, 0.5))),
    p99Ms: median(runs.map(({ durations }) => percentile(durations, 0.99))),
  };
}

async function compare(ours: Process, floor: Process): Promise<object> {
  const [our, their] = [await senders(ours.url), await senders(floor.url)];
  const results: Record<string, object> = {};
  for (const operation of Object.keys(LOADS) as Operation[]) {
    const count = LOADS[operation];
    const runs: { ours: Run; floor: Run }[] = [];
    await our[operation](count);
    await their[operation](count);
    for (let round = 0; round < ROUNDS; round++) {
      runs.push({
        floor: await measured(floor.pid, their[operation], count),
        ours: await measured(ours.pid, our[operation], count),
      });
    }
    results[operation] = {
      ours: figures(runs.map((run) => run.ours)),
      floor: figures(runs.map((run) => run.floor)),
      cpuRatio: Number(median(runs.map((run) => run.ours.cpuMs / run.floor.cpuMs)).toFixed(2)),
    };
  }
  await Promise.all([our.pool.close(), their.pool.close()]);
  return results;
}

/** CPU and time of the first page and of one in the middle, at each size. */
async function pages({ pid, url }: Process, databases: Databases, sizes: readonly number[]): Promise<object> {
  const pool = new Pool(url, { connections: PARALLEL });
  const path = `/2010-04-01/Accounts/${ACCOUNT.sid}/Calls.json?PageSize=${PAGE_SIZE}`;
  const results: Record<string, object> = {};
  for (const rows of sizes) {
    await databases.fill(rows);
    const middle = `PA${Math.ceil(rows / 2)
      .toString(16)
      .padStart(32, '0')}`;
    const [first, deep] = [path, `${path}&Page=1&PageToken=${middle}`].map((each) =>
      sender(pool, () => ({ method: 'GET', path: each })),
    ) as [Send, Send];
    await first(PAGES);
    const [atFirst, inMiddle] = [await measured(pid, first, PAGES), await measured(pid, deep, PAGES)];
    const shown = (run: Run) => ({
      cpuMs: Number(run.cpuMs.toFixed(2)),
      p50Ms: percentile(run.durations, 0.5),
    });
    results[rows] = { first: shown(atFirst), middle: shown(inMiddle) };
  }
  await pool.close();
  return results;
}

const memoryMb = (pid: number): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);

const SOURCE = join(import.meta.dirname, '../src/main.ts');
const INSTALLED = join(import.meta.dirname, '../bin/tandem.js');
const BUILT = join(import.meta.dirname, '../dist/main.js');

const startOurs = (program: string, databases: Databases): Promise<Process> =>
  start([program, 'serve'], {
    TANDEM_HTTP_PORT: '0',
    TANDEM_SIP_PORT: '0',
    TANDEM_ACCOUNT_SID: ACCOUNT.sid,
    TANDEM_AUTH_TOKEN: ACCOUNT.token,
    TANDEM_LOG_LEVEL: 'error',
    ...databases.ours,
  });

/** Of an exchange that has just started, as it is installed; nothing where nothing is built. */
async function residentInstalledMb(databases: Databases): Promise<number | undefined> {
  if (!existsSync(BUILT)) return undefined;
  const ours = await startOurs(INSTALLED, databases);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const resident = memoryMb(ours.pid);
  await ours.stop();
  return resident;
}

async function measureEngine(databases: Databases, sizes: readonly number[]): Promise<object> {
  const residentMb = await residentInstalledMb(databases);
  const ours = await startOurs(SOURCE, databases);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const residentFromSourceMb = memoryMb(ours.pid);
  const floor = await start([join(import.meta.dirname, 'rest-floor.ts'), databases.engine, databases.floor]);
  try {
    const compared = await compare(ours, floor);
    const memory = { residentMb, residentFromSourceMb, residentAfterLoadMb: memoryMb(ours.pid) };
    return { ...compared, pages: await pages(ours, databases, sizes), ...memory };
  } finally {
    await Promise.all([ours.stop(), floor.stop()]);
  }
}

/** Makes the tables, and the account, with our own migrations. */
async function makeTables(path: string, database?: string): Promise<void> {
  const world = { clock: systemClock, random: systemRandom() };
  const store = await openStore({
    path,
    ...(database !== undefined && { database }),
    key: Buffer.alloc(32),
    log: silentLog,
    ...world,
  });
  const { sid, token } = ACCOUNT;
  await store.insert(account, newRow(account, { sid, accountSid: sid, authToken: token }, world));
  await store.close();
}

/** `rows` calls at positions 1 to `rows`; `numbers` is a query that gives them as `n`. */
const callsSql = (numbers: string): string => `
  insert into calls (position, sid, account_sid, date_created, date_updated, "to", "from", status, direction, price_unit,
    queue_time, status_callback_method, status_callback_events, callback_sequence)
  select n, 'CA' || n, '${ACCOUNT.sid}', 0, 0, '+15550001234', '+15550009999', 'completed', 'outbound-api', 'USD',
    0, 'POST', '[]', 0 from (${numbers}) as numbers
  where n > (select coalesce(max(position), 0) from calls)`;

async function onSqlite(folder: string): Promise<Databases> {
  const [ours, floor] = [mkdtempSync(join(folder, 'ours-')), join(folder, 'floor.sqlite')];
  await makeTables(floor);
  return {
    engine: 'sqlite',
    ours: { TANDEM_DATA: ours },
    floor,
    fill: async (rows) => {
      const db = new DatabaseSync(join(ours, 'tandem.sqlite'));
      db.exec('pragma busy_timeout = 10000');
      db.exec(
        callsSql(
          `with recursive c(n) as (select 1 union all select n + 1 from c where n < ${rows}) select n from c`,
        ),
      );
      db.close();
    },
  };
}

async function onPostgres(server: string, folder: string): Promise<Databases> {
  const run = async (database: string, sql: string): Promise<void> => {
    const client = new pg.Client(`${server}/${database}`);
    await client.connect();
    await client.query(sql);
    await client.end();
  };
  await run('postgres', 'create database ours');
  await run('postgres', 'create database floor');
  await makeTables('', `${server}/floor`);
  await run('floor', 'drop trigger tandem_changes on byoc_trunks');
  return {
    engine: 'postgres',
    ours: { TANDEM_DATA: mkdtempSync(join(folder, 'ours-')), TANDEM_DATABASE: `${server}/ours` },
    floor: `${server}/floor`,
    fill: async (rows) => {
      await run('ours', callsSql(`select generate_series(1, ${rows}) as n`));
      await run('ours', 'vacuum analyze calls');
    },
  };
}

export async function measure(largest = 0): Promise<object> {
  const sizes = largest > 0 ? [...LIST_SIZES, largest] : LIST_SIZES;
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
  const server = await startPostgres(['fsync=on']);
  try {
    return {
      sqlite: await measureEngine(await onSqlite(folder), sizes),
      postgres: await measureEngine(await onPostgres(server.url, folder), sizes),
    };
  } finally {
    await server.remove();
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const rows = process.argv.indexOf('--rows');
  process.stdout.write(`${JSON.stringify(await measure(rows < 0 ? 0 : Number(process.argv[rows + 1])))}\n`);
}
