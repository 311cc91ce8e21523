// node soak/database.ts [seconds] [callers]: PostgreSQL stands still under calls for so long, then is stopped for so long and
// started again. Calls go on and end as they would; new ones are refused, and nothing of the others is lost: one JSON
// line with the result.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { seededRandom } from '../src/lib/random.ts';
import { ExchangeProcess } from '../test/support/exchange-process.ts';
import { type PostgresServer, startPostgres } from '../test/support/postgres-server.ts';
import { startStatelessUas } from '../test/support/stateless-uas.ts';
import { CALLS, faultsOf, Listener, Load, type LoadGivens, place } from './told-calls.ts';

export interface DatabaseSoakOptions {
  /** How long the server is away, each time. */
  readonly awayMs: number;
  /** How many place calls at once. */
  readonly callers: number;
  readonly progress?: (what: string) => void;
}

export interface DatabaseSoakResult {
  readonly awayMs: number;
  /** Calls that the API has said yes to. */
  readonly accepted: number;
  /** Calls that were refused while the server was away. */
  readonly refused: number;
  readonly callbacks: number;
  /** Calls that ended while the server was away: each time. */
  readonly endedMeanwhile: readonly number[];
  /** What should be nothing: SIDs, with what is wrong. */
  readonly faults: readonly string[];
}

/** Calls that are up from before the first time to after the last. */
const HELD = 20;
const LONG = '<Response><Pause length="3600"/></Response>';
/** Some end at once, some while the server is away. */
const DOCUMENTS = ['<Response><Hangup/></Response>', '<Response><Pause length="2"/></Response>'];

export async function soakDatabase(options: DatabaseSoakOptions): Promise<DatabaseSoakResult> {
  await using opened = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'tandem-away-'));
  opened.defer(() => rmSync(folder, { recursive: true }));
  const server = await startPostgres();
  opened.defer(() => server.remove());
  const listener = new Listener(seededRandom(31));
  opened.defer(() => listener.close());
  const hungUp = new Set<string>();
  const uas = await startStatelessUas((method, callSid) => method === 'BYE' && hungUp.add(callSid));
  opened.defer(() => uas.close());
  const exchange = await ExchangeProcess.start({
    folder,
    database: `${server.url}/postgres`,
    // It has a lot to say.
    settings: { TANDEM_LOG_LEVEL: 'silent' },
  });
  opened.defer(() => exchange.kill());
  const accepted = new Set<string>();
  const givens: LoadGivens = { url: await listener.open(), to: uas.uri, accepted, documents: DOCUMENTS };
  const held = await hold(exchange, givens, listener);
  const load = new Load({ ...givens, mayRefuse: true }, options.callers);
  load.begin([exchange]);
  const endedMeanwhile: number[] = [];
  for (const away of [standingStill(server), stopped(server)]) {
    await load.placed(options.callers * 2);
    options.progress?.(away.what);
    await away.begin();
    const before = hungUp.size;
    await pause(options.awayMs);
    endedMeanwhile.push(hungUp.size - before);
    await away.end();
  }
  await load.placed(options.callers * 2);
  load.end();
  await load.over();
  const lost = held.filter((sid) => hungUp.has(sid)).map((sid) => `${sid}: was hung up`);
  for (const sid of held) await exchange.ask(`${CALLS}/${sid}.json`, [['Status', 'completed']]);
  const faults = await faultsOf(exchange, accepted, { heard: listener.heard, hungUp });
  return {
    awayMs: options.awayMs,
    accepted: accepted.size,
    refused: load.refused,
    callbacks: listener.count,
    endedMeanwhile,
    faults: [...lost, ...faults],
  };
}

/** Calls that end when they are told to; resolves when all of them are up. */
async function hold(
  exchange: ExchangeProcess,
  givens: LoadGivens,
  { heard }: Listener,
): Promise<readonly string[]> {
  const held = { ...givens, documents: [LONG] };
  const placed = await Promise.all(
    Array.from({ length: HELD }, (_, number) => place(exchange, number, held)),
  );
  const sids = placed.filter((sid) => sid !== undefined);
  for (const sid of sids) givens.accepted.add(sid);
  while (!sids.every((sid) => heard.get(sid)?.isConnected)) await pause(20);
  return sids;
}

interface Away {
  readonly what: string;
  begin(): void | Promise<void>;
  end(): void | Promise<void>;
}

const standingStill = (server: PostgresServer): Away => ({
  what: 'the server stands still',
  begin: () => server.pause(),
  end: () => server.wake(),
});

const stopped = (server: PostgresServer): Away => ({
  what: 'the server is stopped',
  begin: () => server.stop(),
  end: () => server.start(),
});

if (import.meta.main) {
  const [seconds = '60', callers = '8'] = process.argv.slice(2);
  const result = await soakDatabase({
    awayMs: Number(seconds) * 1000,
    callers: Number(callers),
    progress: (what) => process.stderr.write(`${what}\n`),
  });
  process.stdout.write(`${JSON.stringify({ name: 'database', ...result })}\n`);
  if (result.faults.length > 0) process.exitCode = 1;
}
