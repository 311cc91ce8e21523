// node soak/kill.ts [kills] [callers]: kill -9 while calls are placed, again and again, on SQLite and on PostgreSQL. Every
// call that was accepted has an ending, and its app hears of every event, in order; one JSON line with the result.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { type Random, seededRandom } from '../src/lib/random.ts';
import { startPostgres } from '../test/support/postgres-server.ts';
import { startStatelessUas } from '../test/support/stateless-uas.ts';

export interface KillOptions {
  /** Data folder of the exchange, empty. */
  readonly folder: string;
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
  /** What should be nothing: SIDs, with what is wrong. */
  readonly faults: readonly string[];
}

const ACCOUNT = { sid: `AC${'7'.repeat(32)}`, token: 'a-token-for-killing' };
const MAIN = join(import.meta.dirname, '../src/main.ts');
const FINAL: readonly string[] = ['completed', 'busy', 'failed', 'no-answer', 'canceled'];
/** One request of so many is refused the first time. */
const REFUSED = 0.05;
const EVENTS = ['initiated', 'ringing', 'answered', 'completed'];
/** Half of the calls are up when the exchange is killed. */
const DOCUMENTS = ['<Response><Hangup/></Response>', '<Response><Pause length="60"/></Response>'];
const PATIENCE_MS = 90_000;

/** The sequence numbers that an app has heard of each call, in the order of their first arrival. */
class Listener {
  readonly heard = new Map<string, { sequences: number[]; isOver: boolean }>();
  readonly #server: Server;
  readonly #random: Random;
  count = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#server = createServer((request, response) => {
      let body = '';
      request.on('error', () => {});
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        this.#hear(new URLSearchParams(body));
        response.writeHead(this.#random.fraction() < REFUSED ? 503 : 204).end();
      });
    });
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #hear(form: URLSearchParams): void {
    this.count += 1;
    const sid = form.get('CallSid') ?? '';
    const sequence = Number(form.get('SequenceNumber'));
    const call = this.heard.get(sid) ?? { sequences: [], isOver: false };
    if (!call.sequences.includes(sequence)) call.sequences.push(sequence);
    if (FINAL.includes(form.get('CallStatus') ?? '')) call.isOver = true;
    this.heard.set(sid, call);
  }
}

class Exchange {
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  #http = '';

  constructor({ folder, database }: KillOptions) {
    this.#process = spawn(process.execPath, [MAIN, 'serve'], {
      env: {
        PATH: process.env.PATH,
        TANDEM_DATA: folder,
        ...(database !== undefined && { TANDEM_DATABASE: database }),
        TANDEM_HTTP_PORT: '0',
        TANDEM_SIP_PORT: '0',
        TANDEM_HEALTH_INTERVAL_S: '0',
        TANDEM_ACCOUNT_SID: ACCOUNT.sid,
        TANDEM_AUTH_TOKEN: ACCOUNT.token,
        TANDEM_LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#exited = once(this.#process, 'exit');
  }

  async ready(): Promise<void> {
    const lines = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream });
    const [line] = (await once(lines, 'line')) as [string];
    this.#http = (JSON.parse(line) as { http: string }).http;
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  async ask(path: string, form?: readonly (readonly [string, string])[]): Promise<Record<string, unknown>> {
    const pair = Buffer.from(`${ACCOUNT.sid}:${ACCOUNT.token}`).toString('base64');
    const response = await fetch(this.#http + path, {
      headers: { authorization: `Basic ${pair}` },
      ...(form && {
        method: 'POST',
        body: new URLSearchParams(form.map(([name, value]): [string, string] => [name, value])),
      }),
    });
    const body = (await response.json()) as Record<string, unknown>;
    if (response.status >= 300) throw new Error(`${path}: ${response.status} ${JSON.stringify(body)}`);
    return body;
  }
}

const CALLS = `/2010-04-01/Accounts/${ACCOUNT.sid}/Calls`;

/** Kills the exchange while calls are placed, starts it again, and looks what became of them. */
export async function soakKills(options: KillOptions): Promise<KillResult> {
  await using opened = new AsyncDisposableStack();
  const random = seededRandom(options.seed);
  const listener = new Listener(random);
  const url = await listener.open();
  opened.defer(() => listener.close());
  const uas = await startStatelessUas();
  opened.defer(() => uas.close());
  const accepted = new Set<string>();
  for (let kills = 0; kills < options.kills; kills++) {
    const exchange = new Exchange(options);
    opened.defer(() => exchange.kill());
    await exchange.ready();
    const load = { isOver: false };
    const callers = Array.from({ length: options.callers }, async (_, caller) => {
      for (let number = caller; !load.isOver; number++) {
        const sid = await place(exchange, { number, url, to: uas.uri });
        if (sid !== undefined) accepted.add(sid);
      }
    });
    // However slow the machine is: under load, not before it.
    const before = accepted.size;
    while (accepted.size < before + options.callers * 2) await pause(10);
    await pause(random.fraction() * 1200);
    load.isOver = true;
    await exchange.kill();
    await Promise.all(callers);
    options.progress?.(kills + 1, accepted.size);
  }
  const last = new Exchange(options);
  opened.defer(() => last.kill());
  await last.ready();
  const faults = await faultsOf(last, accepted, listener);
  return { kills: options.kills, accepted: accepted.size, callbacks: listener.count, faults };
}

/** Undefined where the exchange was gone before it said yes. */
async function place(
  exchange: Exchange,
  { number, url, to }: { readonly number: number; readonly url: string; readonly to: string },
): Promise<string | undefined> {
  try {
    const { sid } = await exchange.ask(`${CALLS}.json`, [
      ['To', to.replace('sip:', `sip:n${number}@`)],
      ['From', 'a'],
      ['Twiml', DOCUMENTS[number % DOCUMENTS.length] ?? ''],
      ['StatusCallback', url],
      ...EVENTS.map((event) => ['StatusCallbackEvent', event] as const),
    ]);
    return String(sid);
  } catch (error) {
    if (error instanceof Error && /: \d{3} /.test(error.message)) throw error;
    return undefined;
  }
}

async function faultsOf(
  exchange: Exchange,
  accepted: ReadonlySet<string>,
  { heard }: Listener,
): Promise<readonly string[]> {
  const untilMs = performance.now() + PATIENCE_MS;
  const isHeard = (sid: string): boolean => {
    const call = heard.get(sid);
    return call !== undefined && call.isOver && call.sequences.length === Math.max(...call.sequences) + 1;
  };
  while (performance.now() < untilMs && ![...accepted].every(isHeard)) await pause(100);
  const statuses = await statusesOf(exchange);
  return [...accepted].flatMap((sid) => {
    const { sequences = [], isOver = false } = heard.get(sid) ?? {};
    const faults: string[] = [];
    if (!FINAL.includes(statuses.get(sid) ?? '')) faults.push(`${sid} is ${statuses.get(sid)}`);
    if (!isOver) faults.push(`${sid}: its end was not told`);
    if (sequences.some((sequence, index) => sequence !== index)) faults.push(`${sid}: told ${sequences}`);
    return faults;
  });
}

async function statusesOf(exchange: Exchange): Promise<ReadonlyMap<string, string>> {
  const statuses = new Map<string, string>();
  let path: unknown = `${CALLS}.json?PageSize=1000`;
  while (typeof path === 'string') {
    const page = await exchange.ask(path);
    for (const { sid, status } of page.calls as { sid: string; status: string }[]) statuses.set(sid, status);
    path = page.next_page_uri;
  }
  return statuses;
}

async function onEachEngine(kills: number, callers: number): Promise<boolean> {
  await using opened = new AsyncDisposableStack();
  const server = await startPostgres();
  opened.defer(() => server.remove());
  let passed = true;
  for (const engine of ['sqlite', 'postgres']) {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-kill-'));
    opened.defer(() => rmSync(folder, { recursive: true }));
    const progress = (done: number, calls: number) =>
      process.stderr.write(`\r${engine}: ${done} kills, ${calls} calls`);
    const database = engine === 'postgres' ? { database: `${server.url}/postgres` } : {};
    const result = await soakKills({ folder, ...database, kills, callers, seed: 20, progress });
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
