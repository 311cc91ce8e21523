// Media: how evenly many live calls are sent, where that ends, and what a relayed packet costs beside rtpengine, and
// beside the least that it can cost on Node.
// The engine, its yardstick and the peers each run in a process of their own; sums are per packet that went through.
// `npm run bench -- media` measures all of it, `node bench/media.ts rtp srtp` the parts that are named.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { hasRtpengine } from '../test/interop/rtpengine.ts';
import { cpuTimeMs, median } from './cpu-time.ts';
import { runBareRelay } from './media/bare-relay.ts';
import { runEngine } from './media/engine-process.ts';
import type { OpenRequest, PeerRequest, PeerResult, Setting, Target } from './media/messages.ts';
import { runPeers } from './media/peers.ts';
import { startYardstick } from './media/rtpengine.ts';

const LIVE_CALLS = 200;
const LIVE_SECONDS = 10;
const AIM_MS = 10;
const KNEE_STEP = 100;
const MAX_CALLS = 1500;
const KNEE_SECONDS = 4;
const BRIDGES = 100;
const RELAY_SECONDS = 4;
const ROUNDS = 5;

/** A child's answer to a message, or its first word. */
async function answerOf<T>(child: ChildProcess, message?: object): Promise<T> {
  const late = new AbortController();
  const { signal } = late;
  const answer = once(child, 'message', { signal });
  const gone = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`a process of the benchmark ended with code ${code}`);
  });
  gone.catch(() => {});
  if (message !== undefined) child.send(message);
  try {
    const [value] = await Promise.race([answer, gone]);
    return value as T;
  } finally {
    answer.catch(() => {});
    late.abort();
  }
}

const start = (role: string): ChildProcess =>
  fork(import.meta.filename, [role], { serialization: 'advanced' });

interface Relay {
  readonly pid: number;
  open(request: OpenRequest): Promise<Target[]>;
}

const PARTS = ['live', 'knee', 'rtp', 'srtp', 'srtp-both'] as const;
type Part = (typeof PARTS)[number];

export async function measure(parts: readonly Part[] = PARTS): Promise<object> {
  const [engine, bare, peers] = [start('--engine'), start('--bare'), start('--peers')];
  const [, , ports] = await Promise.all([
    answerOf(engine),
    answerOf(bare),
    answerOf<{ nearPort: number; farPort: number }>(peers),
  ]);
  const relayIn = (child: ChildProcess): Relay => ({
    pid: child.pid as number,
    open: (request) => answerOf(child, request),
  });
  const ours = relayIn(engine);
  const yardstick = hasRtpengine ? await startYardstick() : undefined;
  const run = (relay: Relay, setting: Setting, calls: number, seconds: number) =>
    load({ relay, peers, request: { setting, calls, ...ports }, seconds });
  try {
    const relayed = (setting: Setting, floor?: Relay) => () =>
      compare((relay) => run(relay, setting, BRIDGES, RELAY_SECONDS), { ours, rtpengine: yardstick, floor });
    const measures: Record<Part, () => Promise<object>> = {
      live: async () => ({ calls: LIVE_CALLS, ...(await run(ours, 'live', LIVE_CALLS, LIVE_SECONDS)) }),
      knee: () => findKnee((calls) => run(ours, 'live', calls, KNEE_SECONDS)),
      rtp: relayed('bridged', relayIn(bare)),
      srtp: relayed('bridged-srtp'),
      'srtp-both': relayed('bridged-srtp-both'),
    };
    const figures: [Part, object][] = [];
    for (const part of parts) figures.push([part, await measures[part]()]);
    return Object.fromEntries(figures);
  } finally {
    for (const child of [engine, bare, peers]) child.kill();
    await yardstick?.close();
  }
}

interface Load {
  readonly relay: Relay;
  readonly peers: ChildProcess;
  readonly request: OpenRequest;
  readonly seconds: number;
}

interface Loaded extends PeerResult {
  readonly cpuShare: number;
  /** Of the machine, over the last minute: with more than its cores, others had their part in the figures. */
  readonly loadAverage: number;
  /** Of the engine, for each packet that the peers sent and it received. */
  readonly cpuMicrosAPacket: number;
}

async function load({ relay, peers, request, seconds }: Load): Promise<Loaded> {
  const targets = await relay.open(request);
  const measured = answerOf<PeerResult>(peers, { targets, seconds } satisfies PeerRequest);
  measured.catch(() => {});
  // The peers warm up for a second; both ends of this span lie in the even part.
  await new Promise((resolve) => setTimeout(resolve, 1200));
  const [startMs, cpuMs] = [performance.now(), cpuTimeMs(relay.pid)];
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000 - 400));
  const [usedMs, spanMs] = [cpuTimeMs(relay.pid) - cpuMs, performance.now() - startMs];
  const result = await measured;
  const packets = result.sent * (spanMs / (seconds * 1000));
  return {
    ...result,
    loadAverage: Number((loadavg()[0] as number).toFixed(2)),
    cpuShare: Number((usedMs / spanMs).toFixed(3)),
    cpuMicrosAPacket: Number(((usedMs * 1000) / packets).toFixed(2)),
  };
}

/** The most calls whose packets leave in time, and what broke with more; what breaks once only was the machine. */
async function findKnee(run: (calls: number) => Promise<Loaded>): Promise<object> {
  let [good, last]: [number, Loaded | undefined] = [0, undefined];
  let within: Loaded | undefined;
  for (let calls = LIVE_CALLS; calls <= MAX_CALLS; calls += KNEE_STEP) {
    const inTime = (loaded: Loaded): boolean =>
      loaded.deviationMs.p999 <= AIM_MS && loaded.received >= calls * 50 * KNEE_SECONDS * 0.98;
    last = await run(calls);
    if (!inTime(last)) last = await run(calls);
    if (!inTime(last)) break;
    [good, within] = [calls, last];
  }
  return { calls: good, within, beyond: last === within ? undefined : last };
}

interface Relays {
  readonly ours: Relay;
  /** Where it is installed. */
  readonly rtpengine: Relay | undefined;
  /** Knows no SRTP. */
  readonly floor: Relay | undefined;
}

/** Rounds by turns: what else the machine does hits all. */
async function compare(run: (relay: Relay) => Promise<Loaded>, relays: Relays): Promise<object> {
  const rounds: Partial<Record<keyof Relays, number>>[] = [];
  const shares: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const costs: Partial<Record<keyof Relays, number>> = {};
    for (const [name, relay] of Object.entries(relays) as [keyof Relays, Relay | undefined][]) {
      if (!relay) continue;
      const loaded = await run(relay);
      costs[name] = loaded.cpuMicrosAPacket;
      shares.push(loaded.received / loaded.sent);
    }
    rounds.push(costs);
  }
  const cost = (name: keyof Relays) => median(rounds.map((costs) => costs[name] ?? Number.NaN));
  const own = cost('ours');
  const beside = (name: keyof Relays): number => Number((own / cost(name)).toFixed(2));
  return {
    cpuMicrosAPacket: own,
    ...(relays.rtpengine && {
      rtpengineCpuMicrosAPacket: cost('rtpengine'),
      ratio: beside('rtpengine'),
    }),
    ...(relays.floor && { floorCpuMicrosAPacket: cost('floor'), ratioToFloor: beside('floor') }),
    smallestShareDelivered: Number(Math.min(...shares).toFixed(3)),
  };
}

/** The parts that the command line names; all where it names none. */
function namedParts(): readonly Part[] {
  const named = process.argv.slice(2);
  const unknown = named.find((name) => !PARTS.some((part) => part === name));
  if (unknown !== undefined) throw new Error(`There is no part "${unknown}"; there are ${PARTS.join(', ')}`);
  return named.length > 0 ? PARTS.filter((part) => named.includes(part)) : PARTS;
}

// A child whose parent is gone has nothing left to do.
process.on('disconnect', () => process.exit(1));
if (process.argv[2] === '--engine') await runEngine();
else if (process.argv[2] === '--bare') await runBareRelay();
else if (process.argv[2] === '--peers') await runPeers();
else if (import.meta.main) console.log(JSON.stringify(await measure(namedParts())));
