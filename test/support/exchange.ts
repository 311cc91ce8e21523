// A whole exchange for a test: real sockets on free ports, a data folder of its own, carriers, and the official client.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Twilio } from 'twilio';
import type { CallInstance, CallListInstanceCreateOptions } from 'twilio/lib/rest/api/v2010/account/call.js';
import { type CarrierEvent, type CarrierOptions, startCarrier } from '../../src/carrier/index.ts';
import { readConfig } from '../../src/config.ts';
import { silentLog } from '../../src/lib/log.ts';
import { type Random, systemRandom } from '../../src/lib/random.ts';
import { createMediaEngine } from '../../src/media/index.ts';
import { startTandem, type Tandem, type TandemCounts } from '../../src/tandem.ts';
import { CountingClock } from './counting-clock.ts';
import { basic, twilioClient } from './twilio-client.ts';

interface Trace {
  readonly rule: string;
  readonly targets: readonly {
    readonly uri: string;
    readonly standing: string;
    readonly health: string;
    readonly insecure: boolean;
  }[];
  readonly attempts: readonly {
    readonly uri: string;
    readonly result: string;
    readonly reason: string;
    readonly why: string | null;
    readonly answers: readonly { readonly at: string; readonly status: number }[];
  }[];
  readonly events: readonly { readonly kind: string; readonly text: string }[];
}

export interface TestCarrier {
  /** `sip:127.0.0.1:port`, with the transport where it is not UDP. */
  readonly uri: string;
  /** How many INVITEs came. */
  invites(): number;
  /** Resolves with the first event, past or future, of this type. */
  event(type: CarrierEvent['type']): Promise<CarrierEvent>;
  /** Everything so far. */
  readonly events: readonly CarrierEvent[];
  /** The keys that callers pressed so far. */
  keys(): string;
  /** Ends every call that is up. */
  hangUp(): void;
  /** What the latest call heard, 8 kHz. */
  heard(): Promise<Int16Array>;
  /** Hangs up and stops listening. */
  close(): Promise<void>;
}

export interface Exchange {
  readonly client: Twilio;
  readonly tandem: Tandem;
  readonly account: Tandem['account'];
  /** Its data folder. */
  readonly folder: string;
  /** What the account's requests are authorised by. */
  readonly authorization: string;
  carrier(options?: Partial<CarrierOptions>): Promise<TestCarrier>;
  /** A BYOC trunk whose connection policy has these targets, each of a priority of its own: the first goes first. */
  trunkTo(...targets: readonly string[]): Promise<string>;
  /** Places a call over a trunk, whose callee hears a minute of silence unless the order says otherwise. */
  place(byoc: string, order?: Partial<CallListInstanceCreateOptions>): Promise<string>;
  /** Asks for something of the exchange's own: a path under `/tandem/v1/`, by POST where there is a form. */
  ours(
    path: string,
    form?: Readonly<Record<string, string>>,
    options?: { readonly method?: string; readonly signal?: AbortSignal },
  ): Promise<OwnAnswer>;
  /** Resolves with the call's record when it has ended. */
  ended(sid: string): Promise<CallInstance>;
  reached(sid: string, status: CallInstance['status']): Promise<CallInstance>;
  trace(sid: string): Promise<Trace>;
  /** Resolves when no call is left, its callbacks and records included. */
  quiet(): Promise<void>;
  /** What the exchange holds, and how many timers it has set: each by itself, also where they share one of the clock. */
  counts(): TandemCounts & { readonly timers: number };
  /** Fires every timer that the exchange has set, or those of one delay; says how many. */
  hurry(ofMs?: number): number;
  /** Sets its wall clock. */
  setClock(byMs: number): void;
  stop(): Promise<void>;
}

export interface OwnAnswer {
  readonly status: number;
  /** Read as each test likes; undefined without one. */
  readonly body: never;
}

/** Who calls whom where a test doesn't care. */
export const CALL = { to: '+15550001234', from: '+15550009999' };
const WAITS = '<Response><Pause length="60"/></Response>';

const FINAL: readonly string[] = ['completed', 'busy', 'failed', 'no-answer', 'canceled'];
const POLL_MS = 20;

/** Looks until `find` finds something; the test's own time limit ends it. */
async function until<T>(find: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/**
 * @param settings `TANDEM_` variables on top of free ports and a folder of the test's own.
 * @param world `random`: the exchange's chance, where a test has to know it.
 */
export async function startExchange(
  settings: Readonly<Record<string, string>> = {},
  { random = systemRandom() }: { readonly random?: Random } = {},
): Promise<Exchange> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-test-'));
  const clock = new CountingClock();
  const config = readConfig({
    TANDEM_DATA: folder,
    TANDEM_HTTP_PORT: '0',
    TANDEM_SIP_PORT: '0',
    // No timer while nothing is called, and targets that hear calls alone; tests of health ask for more.
    TANDEM_HEALTH_INTERVAL_S: '0',
    ...settings,
  });
  const tandem = await startTandem(config, { clock, random, log: silentLog });
  const { accountSid, authToken } = tandem.account;
  const client = twilioClient(tandem.http, accountSid, authToken);
  const carriers = new TestCarriers();
  const reached = (sid: string, ...statuses: readonly string[]) =>
    until(async () => {
      const call = await client.calls(sid).fetch();
      if (statuses.includes(call.status)) return call;
      if (FINAL.includes(call.status)) throw new Error(`${sid} is ${call.status}, and was to be ${statuses}`);
      return undefined;
    });
  const authorization = basic(accountSid, authToken);
  const ours: Exchange['ours'] = async (path, form, options) => {
    const response = await fetch(`${tandem.http}/tandem/v1/${path}`, {
      headers: { authorization },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
      ...options,
    });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as never };
  };
  return {
    client,
    tandem,
    account: tandem.account,
    folder,
    authorization,
    ours,
    trunkTo: (...targets) => trunkTo(client, targets),
    async place(byoc, order = {}) {
      const twiml = order.url === undefined ? { twiml: WAITS } : {};
      return (await client.calls.create({ ...CALL, byoc, ...twiml, ...order })).sid;
    },
    carrier: (options) => carriers.start(options),
    ended: (sid) => reached(sid, ...FINAL),
    reached,
    trace: async (sid) => (await ours(`Calls/${sid}/RouteTrace`)).body as Trace,
    quiet: async () => void (await until(() => (tandem.counts().calls === 0 ? true : undefined))),
    counts: () => ({ ...tandem.counts(), timers: timersOf(tandem, clock) }),
    hurry: (ofMs) => clock.hurry(ofMs),
    setClock: (byMs) => clock.set(byMs),
    async stop() {
      await tandem.stop(0);
      await carriers.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export async function trunkTo({ voice: { v1 } }: Twilio, targets: readonly string[]): Promise<string> {
  const { sid: connectionPolicySid } = await v1.connectionPolicies.create();
  for (const [index, target] of targets.entries())
    await v1.connectionPolicies(connectionPolicySid).targets.create({ target, priority: index + 1 });
  return (await v1.byocTrunks.create({ connectionPolicySid })).sid;
}

/** Timers of transactions share one of the clock for each delay: here each counts. */
export function timersOf(tandem: Tandem, clock: CountingClock): number {
  const { waiting, clockTimers } = tandem.timers();
  return clock.pending - clockTimers + waiting;
}

class TestCarriers {
  readonly #opened = new AsyncDisposableStack();
  #media: ReturnType<typeof createMediaEngine> | undefined;

  async start(options: Partial<CarrierOptions> = {}): Promise<TestCarrier> {
    const media = await this.#engine();
    const events: CarrierEvent[] = [];
    const carrier = await startCarrier({
      host: '127.0.0.1',
      port: 0,
      clock: new CountingClock(),
      random: systemRandom(),
      log: silentLog,
      media,
      ringMs: 20,
      holdMs: 100,
      onEvent: (event) => events.push(event),
      ...options,
    });
    this.#opened.defer(() => carrier.close());
    return {
      uri: carrier.uri,
      events,
      keys: () => events.map((event) => (event.type === 'key' ? event.key : '')).join(''),
      hangUp: () => {
        for (const { id } of carrier.calls()) carrier.hangUp(id);
      },
      invites: () => events.filter(({ type }) => type === 'invite').length,
      event: (type) => until(() => events.find((event) => event.type === type)),
      heard: async () => carrier.captured(events.at(-1)?.call.id ?? ''),
      close: () => carrier.close(),
    };
  }

  close(): Promise<void> {
    return this.#opened.disposeAsync();
  }

  #engine(): ReturnType<typeof createMediaEngine> {
    this.#media ??= createMediaEngine({
      address: '127.0.0.1',
      ports: { first: 30_000, last: 39_999 },
      log: silentLog,
    }).then((media) => {
      this.#opened.defer(() => media.close());
      return media;
    });
    return this.#media;
  }
}
