// node soak/calls.ts [calls] [parallel]: calls in a row leave no call, transaction, dialog, timer, port or row behind.
// Carriers that answer, hang up, are busy and are out of service; one JSON line with the result at the end.
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../src/config.ts';
import { silentLog } from '../src/lib/log.ts';
import { systemRandom } from '../src/lib/random.ts';
import { startTandem, type Tandem } from '../src/tandem.ts';
import { type CallLoad, startCallLoad } from '../test/support/call-load.ts';
import { CountingClock } from '../test/support/counting-clock.ts';
import { timersOf } from '../test/support/exchange.ts';
import { heapBytes } from './heap.ts';
import { openRtpPorts, settle } from './measure.ts';

export interface SoakOptions {
  readonly calls: number;
  readonly parallel: number;
  /** Fires the timers that absorb retransmissions at the end, instead of waiting 64·T1 for them. */
  readonly hurry?: boolean;
  /** Told after every so many calls. */
  readonly progress?: (done: number, perSecond: number) => void;
}

export interface SoakResult {
  readonly name: 'calls';
  readonly calls: number;
  /** By CallStatus. */
  readonly ended: Readonly<Record<string, number>>;
  readonly callsPerSecond: number;
  /** What should be nothing. */
  readonly left: Readonly<Record<string, number>>;
  readonly heapGrowthBytes: number;
  readonly passed: boolean;
}

/** A dialog, a timer or a trace that stays of each call takes more. */
const MAX_GROWTH_BYTES_PER_CALL = 200;
/** What caches may take on top, whatever the number of calls. */
const MAX_GROWTH_BYTES = 20e6;
const PROGRESS_EVERY = 1000;
const WARM_UP_CALLS = 1000;
/** What the carrier does by the number's last digit. */
const ENDINGS = ['486', '404', '001', '002', '003', '004', '005', '006', '007', '008'];

const header = (text: string, name: string): string => {
  const start = text.indexOf(`\r\n${name}: `) + name.length + 4;
  return text.slice(start, text.indexOf('\r\n', start));
};

/** A carrier that keeps no state; `status` refuses every call. */
async function startUas(status?: string) {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  const sdp =
    'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n';
  socket.on('message', (datagram, from) => {
    const text = datagram.toString('latin1');
    const method = text.slice(0, text.indexOf(' '));
    if (method === 'ACK' || method === 'SIP/2.0') return;
    const to = header(text, 'To');
    const same = ['Via', 'From', 'Call-ID', 'CSeq']
      .map((name) => `${name}: ${header(text, name)}\r\n`)
      .join('');
    const answer = (line: string, body = '') => {
      const tagged = to.includes(';tag=') ? to : `${to};tag=uas`;
      const rest = `Contact: <sip:127.0.0.1:${port}>\r\nContent-Type: application/sdp\r\n`;
      const message = `SIP/2.0 ${line}\r\n${same}To: ${tagged}\r\n${rest}Content-Length: ${body.length}\r\n\r\n${body}`;
      socket.send(message, from.port, from.address);
    };
    if (method !== 'INVITE') return answer('200 OK');
    const refusal = status ?? /^INVITE sip:\+\d*(486|404)@/.exec(text)?.[1];
    if (refusal) return answer(`${refusal} Refused`);
    answer('180 Ringing');
    answer('200 OK', sdp);
  });
  return {
    uri: `sip:127.0.0.1:${port}`,
    close: () => new Promise<void>((done) => socket.close(() => done())),
  };
}

/** Runs the calls against an exchange of its own. */
export async function soakCalls(options: SoakOptions): Promise<SoakResult> {
  await using opened = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'tandem-soak-'));
  opened.defer(() => rmSync(folder, { recursive: true }));
  const [answering, dead] = await Promise.all([startUas(), startUas('503')]);
  opened.defer(() => Promise.all([answering.close(), dead.close()]).then(() => {}));
  const clock = new CountingClock();
  const config = readConfig({
    TANDEM_DATA: folder,
    TANDEM_HTTP_PORT: '0',
    TANDEM_SIP_PORT: '0',
    TANDEM_HEALTH_INTERVAL_S: '0',
    TANDEM_HEALTH_RECOVERY_S: '1',
  });
  const tandem = await startTandem(config, { clock, random: systemRandom(), log: silentLog });
  opened.defer(() => tandem.stop(0));
  const load = await startCallLoad(tandem, options.parallel);
  opened.defer(() => load.close());
  const targets = [dead.uri, answering.uri].map((uri, priority) => ({
    Target: uri,
    Priority: `${priority}`,
  }));
  const byoc = await load.trunkTo(targets);
  const { calls, parallel, hurry = false } = options;
  // Fills caches and pools; what is held after it, and after it has settled, is what each further call is held against.
  await placeAll(load, byoc, { calls: Math.min(WARM_UP_CALLS, calls), parallel });
  await settle(tandem, clock, hurry);
  const startBytes = heapBytes();
  const run = await placeAll(load, byoc, options);
  const strayTimers = await settle(tandem, clock, hurry);
  const heapGrowthBytes = heapBytes() - startBytes;
  const left = {
    ...tandem.counts(),
    timers: timersOf(tandem, clock),
    strayTimers,
    rtpPorts: openRtpPorts(),
    ...(await rowsLeft(load, tandem)),
  };
  const isClean = Object.values(left).every((count) => count === 0);
  const isGrowing = heapGrowthBytes > MAX_GROWTH_BYTES + MAX_GROWTH_BYTES_PER_CALL * calls;
  const counted = Object.values(run.ended).reduce((sum, count) => sum + count, 0);
  return {
    name: 'calls',
    calls,
    ...run,
    heapGrowthBytes,
    left,
    passed: isClean && !isGrowing && counted === calls && !run.ended['no-answer'],
  };
}

async function placeAll(load: CallLoad, byoc: string, { calls, progress }: SoakOptions) {
  const startMs = performance.now();
  const ended = await load.place(calls, {
    order: (number) => ({
      To: `+1555${String(number).padStart(7, '0')}${ENDINGS[number % ENDINGS.length]}`,
      Byoc: byoc,
    }),
    ended: (done) => {
      if (done % PROGRESS_EVERY === 0) {
        progress?.(done, Math.round((done * 1000) / (performance.now() - startMs)));
      }
    },
  });
  const callsPerSecond = Math.round((calls * 1000) / (performance.now() - startMs));
  return { ended, callsPerSecond };
}

/** What the database still holds of calls under way, by the API's word. */
async function rowsLeft(load: CallLoad, { account }: Tandem): Promise<Record<string, number>> {
  const live = ['queued', 'ringing', 'in-progress'];
  const pages = await Promise.all(
    live.map((status) => load.get(`/2010-04-01/Accounts/${account.accountSid}/Calls.json?Status=${status}`)),
  );
  const unfinished = pages.flatMap((page) => (JSON.parse(page) as { calls: readonly object[] }).calls);
  const waiting = /^tandem_outbox_callbacks (\d+)/m.exec(await load.get('/metrics'))?.[1];
  return { unfinishedCalls: unfinished.length, outboxRows: Number(waiting) };
}

if (import.meta.main) {
  const [calls = '100000', parallel = '50'] = process.argv.slice(2);
  const result = await soakCalls({
    calls: Number(calls),
    parallel: Number(parallel),
    progress: (done, perSecond) => process.stderr.write(`\r${done} calls, ${perSecond} a second`),
  });
  process.stderr.write('\n');
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (!result.passed) process.exitCode = 1;
}
