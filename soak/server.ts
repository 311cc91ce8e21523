// node soak/server.ts [packets]: a running exchange under mutated packets, over UDP and TCP, from many
// sources. It stays up, keeps nothing, and answers a good REGISTER, OPTIONS and INVITE during and after. Prints one
// JSON line with the result at the end.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../src/config.ts';
import { systemClock } from '../src/lib/clock.ts';
import { type Log, silentLog } from '../src/lib/log.ts';
import { seededRandom, systemRandom } from '../src/lib/random.ts';
import { createUserAgent, type Endpoint, type HeaderField, type SipUserAgent } from '../src/sip/index.ts';
import { startTandem, type Tandem } from '../src/tandem.ts';
import { CountingClock } from '../test/support/counting-clock.ts';
import { BATCH, DOMAIN, OPEN_DOMAIN, PacketFuzzer, SDP } from '../test/support/packet-fuzzer.ts';
import { twilioClient } from '../test/support/twilio-client.ts';
import { startWebhookApp } from '../test/support/webhook-app.ts';
import { heapBytes } from './heap.ts';
import { absorb } from './measure.ts';

export interface ServerSoakOptions {
  readonly packets: number;
  /** Good requests are sent each time so many packets are gone. */
  readonly probeEvery: number;
  readonly progress?: (done: number, perSecond: number) => void;
}

export interface ServerSoakResult {
  readonly name: 'server';
  readonly packets: number;
  /** How many of them were written to TCP connections. */
  readonly overTcp: number;
  /** Datagrams that the kernel threw away before the exchange saw them. */
  readonly lost: number;
  /** Datagrams that came back. */
  readonly answers: number;
  readonly packetsPerSecond: number;
  /** Good requests, by what they were answered with. */
  readonly probes: Readonly<Record<string, number>>;
  /** Of a good request during the flood, the slowest. */
  readonly slowestProbeMs: number;
  /** What the exchange wrote into its log as an error: it caught what nobody should have thrown. */
  readonly errors: readonly string[];
  /** What should be nothing. */
  readonly left: Readonly<Record<string, number>>;
  readonly heapGrowthBytes: number;
  readonly passed: boolean;
}

/** What caches and tables of bounded size may take beyond what the warm-up filled, whatever the number of packets. */
const MAX_GROWTH_BYTES = 8e6;
/** Part of the packets that fills tables, before memory is looked at. */
const WARM_UP_SHARE = 0.2;
const PASSWORD = 'Correct-horse-1';
/** They take turns: one may register five times a second. */
const USERS = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi'];
/** It answers, and waits for digits that do not come. */
const TWIML = '<Response><Gather timeout="60"/></Response>';

/** Two domains: one with a user and a web application, one that is open. */
async function configure({ http, account }: Tandem, voiceUrl: string): Promise<void> {
  const client = twilioClient(http, account.accountSid, account.authToken);
  const { sid } = await client.sip.domains.create({ domainName: DOMAIN, sipRegistration: true, voiceUrl });
  const users = await client.sip.credentialLists.create({ friendlyName: 'users' });
  for (const username of USERS) {
    await client.sip.credentialLists(users.sid).credentials.create({ username, password: PASSWORD });
  }
  const { auth } = client.sip.domains(sid);
  await auth.calls.credentialListMappings.create({ credentialListSid: users.sid });
  await auth.registrations.credentialListMappings.create({ credentialListSid: users.sid });
  const open = await client.sip.domains.create({ domainName: OPEN_DOMAIN });
  const all = await client.sip.ipAccessControlLists.create({ friendlyName: 'all' });
  await client.sip
    .ipAccessControlLists(all.sid)
    .ipAddresses.create({ friendlyName: 'all', ipAddress: '127.0.0.0', cidrPrefixLength: 8 });
  await client.sip
    .domains(open.sid)
    .auth.calls.ipAccessControlListMappings.create({ ipAccessControlListSid: all.sid });
}

/** A phone that does everything right. */
class Prober {
  readonly #phone: SipUserAgent;
  readonly #to: Endpoint;
  readonly seen: Record<string, number> = {};
  slowestMs = 0;
  #turn = 0;

  constructor(phone: SipUserAgent, to: Endpoint) {
    this.#phone = phone;
    this.#to = to;
  }

  async all(): Promise<void> {
    this.#turn++;
    const beganMs = performance.now();
    await this.#count('OPTIONS', this.#request('OPTIONS'));
    await this.#count('REGISTER', this.#request('REGISTER', ['Expires', '3600']));
    await this.#count('INVITE', this.#call());
    this.slowestMs = Math.max(this.slowestMs, performance.now() - beganMs);
  }

  /** Leaves no binding behind. */
  async unregister(): Promise<void> {
    for (let users = 0; users < USERS.length; users++) {
      this.#turn++;
      await this.#count('REGISTER', this.#request('REGISTER', ['Expires', '0']));
    }
  }

  async #count(method: string, answer: Promise<string>): Promise<void> {
    const key = `${method} ${await answer}`;
    this.seen[key] = (this.seen[key] ?? 0) + 1;
  }

  get #common() {
    const username = USERS[this.#turn % USERS.length] as string;
    const credentials = { username, password: PASSWORD };
    return { from: `sip:${username}@${DOMAIN}`, destination: this.#to, credentials };
  }

  #request(method: string, ...headers: readonly HeaderField[]): Promise<string> {
    const request = { ...this.#common, method, uri: `sip:${DOMAIN}`, headers };
    return new Promise((resolve) =>
      this.#phone.request({ ...request, to: request.from }, (outcome) =>
        resolve(outcome.kind === 'response' ? `${outcome.response.status}` : outcome.kind),
      ),
    );
  }

  #call(): Promise<string> {
    const body = { contentType: 'application/sdp', content: SDP };
    return new Promise((resolve) =>
      this.#phone.invite(
        { ...this.#common, uri: `sip:100@${DOMAIN}`, body },
        {
          provisional() {},
          answered: (dialog) => {
            dialog.handle({
              ended: () => {},
              offered: () => 488,
              requested: () => 405,
            });
            dialog.bye();
            resolve('200');
          },
          failed: (failure) =>
            resolve(failure.kind === 'response' ? `${failure.response.status}` : failure.kind),
        },
      ),
    );
  }
}

/** @throws whatever the exchange lets through: then it is not up any more. */
export async function soakServer(options: ServerSoakOptions): Promise<ServerSoakResult> {
  await using opened = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'tandem-soak-'));
  opened.defer(() => rmSync(folder, { recursive: true }));
  const app = await startWebhookApp((_request, response) =>
    response.writeHead(200, { 'content-type': 'text/xml' }).end(TWIML),
  );
  opened.defer(() => app.close());
  const clock = new CountingClock();
  const settings = { TANDEM_HTTP_PORT: '0', TANDEM_SIP_PORT: '0', TANDEM_HEALTH_INTERVAL_S: '0' };
  const config = readConfig({ TANDEM_DATA: folder, ...settings });
  const errors = new Set<string>();
  const log: Log = { ...silentLog, error: (_fields, message) => void errors.add(message) };
  const tandem = await startTandem(config, { clock, random: systemRandom(), log });
  opened.defer(() => tandem.stop(0));
  await configure(tandem, `${app.url}/voice`);
  const [address = '', port = ''] = tandem.sip.split(':');
  const to: Endpoint = { transport: 'udp', address, port: Number(port) };
  const phone = await createUserAgent({
    clock: systemClock,
    random: systemRandom(),
    log: silentLog,
    listen: [{ host: '127.0.0.1', port: 0 }],
  });
  opened.defer(() => phone.close());
  const fuzzer = await PacketFuzzer.open(to, seededRandom(2026));
  opened.defer(() => fuzzer.close());
  return await run({
    ...options,
    tandem,
    clock,
    fuzzer,
    prober: new Prober(phone, to),
    errors,
    port: to.port,
  });
}

interface Running extends ServerSoakOptions {
  readonly tandem: Tandem;
  readonly clock: CountingClock;
  readonly fuzzer: PacketFuzzer;
  readonly prober: Prober;
  readonly errors: ReadonlySet<string>;
  readonly port: number;
}

async function run(running: Running): Promise<ServerSoakResult> {
  const { packets, fuzzer, prober, errors, port } = running;
  const startMs = performance.now();
  await flood(running, packets * WARM_UP_SHARE);
  await settle(running);
  const startBytes = heapBytes();
  await flood(running, packets);
  const { slowestMs } = prober;
  const packetsPerSecond = Math.round((packets * 1000) / (performance.now() - startMs));
  await settle(running);
  const heapGrowthBytes = heapBytes() - startBytes;
  await prober.all();
  await prober.unregister();
  const strayTimers = await settle(running);
  const left = { ...running.tandem.counts(), strayTimers };
  const isClean = Object.values(left).every((count) => count === 0);
  const isAnswered = Object.keys(prober.seen).every((key) => key.endsWith(' 200'));
  return {
    name: 'server',
    packets: fuzzer.sent,
    overTcp: fuzzer.overTcp,
    lost: lostAt(port),
    answers: fuzzer.answers,
    packetsPerSecond,
    probes: prober.seen,
    slowestProbeMs: Math.round(slowestMs),
    errors: [...errors],
    left,
    heapGrowthBytes,
    passed: isClean && errors.size === 0 && isAnswered && heapGrowthBytes < MAX_GROWTH_BYTES,
  };
}

/** Sends packets until there have been `end`, good requests among them. */
async function flood({ fuzzer, prober, probeEvery, progress }: Running, end: number): Promise<void> {
  const startMs = performance.now();
  const before = fuzzer.sent;
  let probing: Promise<void> | undefined;
  while (fuzzer.sent < end) {
    await fuzzer.batch();
    if (fuzzer.sent % probeEvery >= BATCH) continue;
    // While packets go on coming; one probe at a time.
    await probing;
    probing = prober.all();
    progress?.(fuzzer.sent, Math.round(((fuzzer.sent - before) * 1000) / (performance.now() - startMs)));
  }
  await probing;
}

/** Until nothing is under way, timers fired ahead of their time; says how many belong to nothing. */
async function settle({ tandem, clock }: Running): Promise<number> {
  for (let turns = 0; turns < 200 && tandem.counts().calls > 0; turns++) await sleep(20);
  await absorb(clock, true);
  return clock.pending;
}

/** Datagrams lost at a UDP port, by the kernel's word. */
function lostAt(port: number): number {
  const place = port.toString(16).toUpperCase().padStart(4, '0');
  const rows = readFileSync('/proc/self/net/udp', 'utf8').trim().split('\n').slice(1);
  const row = rows.map((each) => each.trim().split(/\s+/)).find(([, local]) => local?.endsWith(`:${place}`));
  return Number(row?.at(-1) ?? 0);
}

if (import.meta.main) {
  const [packets = '1000000'] = process.argv.slice(2);
  const result = await soakServer({
    packets: Number(packets),
    probeEvery: 2000,
    progress: (done, perSecond) => process.stderr.write(`\r${done} packets, ${perSecond} a second`),
  });
  process.stderr.write('\n');
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (!result.passed) process.exitCode = 1;
}
