// node soak/kill.ts [kills] [callers]: kill -9 while calls are placed, again and again: on SQLite, on PostgreSQL, and of
// two exchanges on one PostgreSQL in turn. Every call that was accepted has an ending, its app hears of every event, in
// order, and whoever was connected hears a BYE; one JSON line with the result.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { seededRandom } from '../src/lib/random.ts';
import { ExchangeProcess } from '../test/support/exchange-process.ts';
import { administer, type PostgresServer, startPostgres } from '../test/support/postgres-server.ts';
import { startStatelessUas } from '../test/support/stateless-uas.ts';
import { faultsOf, Listener, Load } from './told-calls.ts';

export interface KillOptions {
  /** Data folder of the exchange, empty. */
  readonly folder: string;
  /** Of two exchanges on the database, each with a folder of its own, the older one is killed. */
  readonly isPair?: boolean;
  /** PostgreSQL in place of SQLite in the folder. */
  readonly database?: string;
  readonly kills: number;
  /** How many place calls at once. */
  readonly callers: number;
  readonly seed: number;
  readonly progress?: (kills: number, calls: number) => void;
}

export interface KillResult {
  readonly kills: number;
  /** Calls that the API has said yes to. */
  readonly accepted: number;
  readonly callbacks: number;
  /** Calls that were connected, as their apps know. */
  readonly connected: number;
  /** What should be nothing: SIDs, with what is wrong. */
  readonly faults: readonly string[];
}

/** Kills the exchange while calls are placed, starts it again, and looks what became of them. */
export async function soakKills(options: KillOptions): Promise<KillResult> {
  await using opened = new AsyncDisposableStack();
  const random = seededRandom(options.seed);
  const listener = new Listener(random);
  const url = await listener.open();
  opened.defer(() => listener.close());
  const hungUp = new Set<string>();
  const uas = await startStatelessUas((method, callSid) => method === 'BYE' && hungUp.add(callSid));
  opened.defer(() => uas.close());
  const accepted = new Set<string>();
  const start = async (run: number) => {
    const exchange = await startRun(options, run);
    opened.defer(() => exchange.kill());
    return exchange;
  };
  let standing = options.isPair ? await start(0) : undefined;
  for (let kills = 0; kills < options.kills; kills++) {
    const fresh = await start(kills + 1);
    const load = new Load({ url, to: uas.uri, accepted }, options.callers);
    load.begin(standing ? [standing, fresh] : [fresh]);
    // However slow the machine is: under load, not before it.
    await load.placed(options.callers * 2);
    await pause(random.fraction() * 1200);
    load.end();
    await (standing ?? fresh).kill();
    await load.over();
    if (standing) standing = fresh;
    options.progress?.(kills + 1, accepted.size);
  }
  const last = standing ?? (await start(options.kills + 1));
  const faults = await faultsOf(last, accepted, { heard: listener.heard, hungUp });
  const connected = [...listener.heard.values()].filter(({ isConnected }) => isConnected).length;
  return { kills: options.kills, accepted: accepted.size, callbacks: listener.count, connected, faults };
}

/** Of a pair, each run has a folder of its own: it knows nothing of those before. */
const startRun = ({ folder, database, isPair }: KillOptions, run: number): Promise<ExchangeProcess> =>
  ExchangeProcess.start({
    folder: isPair ? join(folder, `${run}`) : folder,
    database,
    settings: { TANDEM_KEY: '0'.repeat(64) },
  });

async function databaseOn({ url }: PostgresServer, name: string): Promise<string> {
  await administer(url, `create database ${name}`);
  return `${url}/${name}`;
}

async function onEachEngine(kills: number, callers: number): Promise<boolean> {
  await using opened = new AsyncDisposableStack();
  const server = await startPostgres();
  opened.defer(() => server.remove());
  let passed = true;
  for (const engine of ['sqlite', 'postgres', 'postgres, two exchanges']) {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-kill-'));
    opened.defer(() => rmSync(folder, { recursive: true }));
    const progress = (done: number, calls: number) =>
      process.stderr.write(`\r${engine}: ${done} kills, ${calls} calls`);
    const isPair = engine.includes('two');
    const result = await soakKills({
      folder,
      ...(engine !== 'sqlite' && { database: await databaseOn(server, isPair ? 'pair' : 'one') }),
      isPair,
      kills,
      callers,
      seed: 20,
      progress,
    });
    process.stderr.write('\n');
    process.stdout.write(`${JSON.stringify({ name: 'kill', engine, ...result })}\n`);
    passed &&= result.faults.length === 0;
  }
  return passed;
}

if (import.meta.main) {
  const [kills = '20', callers = '8'] = process.argv.slice(2);
  if (!(await onEachEngine(Number(kills), Number(callers)))) process.exitCode = 1;
}
