// Calls of a soak, with an app that is told of every event of each: placed by callers, heard of, and judged at the end.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../src/lib/random.ts';
import { ACCOUNT, type ExchangeProcess } from '../test/support/exchange-process.ts';

const FINAL: readonly string[] = ['completed', 'busy', 'failed', 'no-answer', 'canceled'];
/** One request of so many is refused the first time. */
const REFUSED = 0.05;
const EVENTS = ['initiated', 'ringing', 'answered', 'completed'];
/** Half of the calls are up when the exchange is killed. */
const DOCUMENTS = ['<Response><Hangup/></Response>', '<Response><Pause length="60"/></Response>'];
const PATIENCE_MS = 90_000;

export interface Heard {
  readonly sequences: number[];
  isConnected: boolean;
  isOver: boolean;
}

/** The sequence numbers that an app has heard of each call, in the order of their first arrival. */
export class Listener {
  readonly heard = new Map<string, Heard>();
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
    const call = this.heard.get(sid) ?? { sequences: [], isConnected: false, isOver: false };
    if (!call.sequences.includes(sequence)) call.sequences.push(sequence);
    if (form.get('CallStatus') === 'in-progress') call.isConnected = true;
    if (FINAL.includes(form.get('CallStatus') ?? '')) call.isOver = true;
    this.heard.set(sid, call);
  }
}

export const CALLS = `/2010-04-01/Accounts/${ACCOUNT.sid}/Calls`;

export interface LoadGivens {
  readonly url: string;
  readonly to: string;
  /** SIDs of the calls that the API has said yes to. */
  readonly accepted: Set<string>;
  /** What callees hear, in turn. */
  readonly documents?: readonly string[];
  /** 503 is no fault: the database is away. */
  readonly mayRefuse?: boolean;
}

/** Callers who place one call after the other. */
export class Load {
  readonly #givens: LoadGivens;
  readonly #parallel: number;
  #callers: readonly Promise<void>[] = [];
  #isOver = false;
  /** How often the exchange said 503. */
  refused = 0;

  constructor(givens: LoadGivens, parallel: number) {
    this.#givens = givens;
    this.#parallel = parallel;
  }

  begin(exchanges: readonly ExchangeProcess[]): void {
    this.#callers = exchanges.flatMap((exchange) =>
      Array.from({ length: this.#parallel }, (_, caller) => this.#call(exchange, caller)),
    );
  }

  /** Resolves when so many more calls were accepted. */
  async placed(count: number): Promise<void> {
    const { accepted } = this.#givens;
    const goal = accepted.size + count;
    while (accepted.size < goal) await pause(10);
  }

  end(): void {
    this.#isOver = true;
  }

  async over(): Promise<void> {
    await Promise.all(this.#callers);
  }

  async #call(exchange: ExchangeProcess, first: number): Promise<void> {
    for (let number = first; !this.#isOver; number++) {
      const sid = await place(exchange, number, this.#givens);
      if (sid !== undefined) this.#givens.accepted.add(sid);
      else if (this.#givens.mayRefuse) {
        this.refused += 1;
        await pause(100);
      }
    }
  }
}

/** Undefined where it was refused, or the exchange was gone before it said yes. */
export async function place(
  exchange: ExchangeProcess,
  number: number,
  { url, to, documents = DOCUMENTS, mayRefuse = false }: LoadGivens,
): Promise<string | undefined> {
  try {
    const { sid } = await exchange.ask(`${CALLS}.json`, [
      ['To', to.replace('sip:', `sip:n${number}@`)],
      ['From', 'a'],
      ['Twiml', documents[number % documents.length] ?? ''],
      ['StatusCallback', url],
      ...EVENTS.map((event) => ['StatusCallbackEvent', event] as const),
    ]);
    return String(sid);
  } catch (error) {
    const [, status] = /: (\d{3}) /.exec(String(error)) ?? [];
    if (status !== undefined && !(mayRefuse && status === '503')) throw error;
    return undefined;
  }
}

export interface Known {
  /** By their apps. */
  readonly heard: ReadonlyMap<string, Heard>;
  /** By their callees. */
  readonly hungUp: ReadonlySet<string>;
}

/** What is wrong with calls that were accepted, when it has had its time to come right: SIDs, with words. */
export async function faultsOf(
  exchange: ExchangeProcess,
  accepted: ReadonlySet<string>,
  { heard, hungUp }: Known,
): Promise<readonly string[]> {
  const untilMs = performance.now() + PATIENCE_MS;
  const isOver = (sid: string): boolean => {
    const call = heard.get(sid);
    if (!call?.isOver || (call.isConnected && !hungUp.has(sid))) return false;
    return call.sequences.length === Math.max(...call.sequences) + 1;
  };
  while (performance.now() < untilMs && ![...accepted].every(isOver)) await pause(100);
  const statuses = await statusesOf(exchange);
  return [...accepted].flatMap((sid) => {
    const { sequences = [], isConnected = false, isOver: isTold = false } = heard.get(sid) ?? {};
    const faults: string[] = [];
    if (!FINAL.includes(statuses.get(sid) ?? '')) faults.push(`${sid} is ${statuses.get(sid)}`);
    if (!isTold) faults.push(`${sid}: its end was not told`);
    if (isConnected && !hungUp.has(sid)) faults.push(`${sid}: its callee was left`);
    if (sequences.some((sequence, index) => sequence !== index)) faults.push(`${sid}: told ${sequences}`);
    return faults;
  });
}

async function statusesOf(exchange: ExchangeProcess): Promise<ReadonlyMap<string, string>> {
  const statuses = new Map<string, string>();
  let path: unknown = `${CALLS}.json?PageSize=1000`;
  while (typeof path === 'string') {
    const page = await exchange.ask(path);
    for (const { sid, status } of page.calls as { sid: string; status: string }[]) statuses.set(sid, status);
    path = page.next_page_uri;
  }
  return statuses;
}
