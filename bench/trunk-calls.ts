// Calls of an Elastic trunk, from a PBX to a carrier through the whole exchange: address list, routing, records and route
// traces written, media set up. Beside it Kamailio as a bare stateful proxy, and Kamailio at the same job with rtpengine.
//   cost     CPU seconds per 1000 calls: interleaved, median of five; a round with failed calls counts for neither
//   past503  the same past a carrier that answers 503
//   most     the most calls a second that either takes
//   live     the most calls with sound both ways that either carries on one CPU (trunk-live.ts)
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { median } from './cpu-time.ts';
import {
  type Cost,
  type Load,
  missing,
  pinCpus,
  type Server,
  startCallee,
  startKamailio,
} from './sip-load.ts';
import { liveKnee } from './trunk-live.ts';
import { startSameJob, startTrunk } from './trunk-servers.ts';

const ROUNDS = 5;
const RATES = [400, 500, 600, 700, 800, 900, 1000, 1250, 1500, 1750, 2000];
const RATE_SECONDS = 3;
/** Of a hundred calls: more than that many retransmissions say that a server is behind. */
const MAX_RETRANSMISSIONS = 1;
/** Of the rate that was wanted, the share that SIPp came up to. */
const MIN_RATE = 0.95;
/** Of Kamailio, where it may use several CPUs (startSameJob). */
const CHILDREN = { 1: 1, 2: 4 } as const;
const AT_ONCE = { scenario: 'trunk-caller', number: '+14155550123' };
const PAST_503 = { scenario: 'trunk-caller', number: '+14165550123' };

const PARTS = ['cost', 'past503', 'most', 'live'] as const;
type Part = (typeof PARTS)[number];

const USAGE = `node bench/trunk-calls.ts [--parts=${PARTS.join(',')}] [--rate=<calls a second, 1000>] \
[--calls=<of a round, 4000>] [--cpus=<2: server and load share all; 1: the server has one to itself>]`;

interface Flags {
  readonly parts: readonly Part[];
  readonly load: Load;
  readonly cpus: 1 | 2;
}

/** Ends the program where the flags are wrong. */
function readFlags(args: readonly string[]): Flags {
  const text = (byDefault: string) => ({ type: 'string', default: byDefault }) as const;
  try {
    const { values } = parseArgs({
      args: args.filter((arg) => arg.startsWith('--')),
      options: { parts: text(PARTS.join()), rate: text('1000'), calls: text('4000'), cpus: text('2') },
    });
    const [rate, calls, cpus] = [Number(values.rate), Number(values.calls), Number(values.cpus)];
    if (!Number.isInteger(rate) || !Number.isInteger(calls) || rate < 1 || calls < 1)
      throw new Error('--rate and --calls are whole numbers from 1');
    if (cpus !== 1 && cpus !== 2) throw new Error('--cpus is 1 or 2');
    const named = values.parts.split(',');
    const unknown = named.find((name) => !PARTS.some((part) => part === name));
    if (unknown !== undefined) throw new Error(`there is no part "${unknown}"`);
    return {
      parts: PARTS.filter((part) => named.includes(part)),
      load: { rate, calls, holdMs: 300 },
      cpus,
    };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
    process.exit(1);
  }
}

const hasFailed = ({ failed }: Cost): boolean => failed > 0;

/** Null where no round went well: a call that fails early costs little. */
const medianOf = (values: readonly number[], digits: number): number | null =>
  values.length === 0 ? null : Number(median(values).toFixed(digits));

const summary = (costs: readonly Cost[]) => ({
  rate: medianOf(
    costs.map(({ rate }) => rate),
    0,
  ),
  cpuSecondsPer1000Calls: medianOf(
    costs.filter((cost) => !hasFailed(cost)).map((cost) => cost.cpuSecondsPer1000Calls),
    3,
  ),
  failed: costs.reduce((sum, { failed }) => sum + failed, 0),
  roundsWithFailures: costs.filter(hasFailed).length,
  retransmissions: costs.reduce((sum, { retransmissions }) => sum + retransmissions, 0),
});

/** Of the rounds in which neither failed calls. */
function ratio(ours: readonly Cost[], theirs: readonly Cost[]): number | null {
  const ratios = ours.flatMap((our, round) => {
    const their = theirs[round];
    if (!their || hasFailed(our) || hasFailed(their)) return [];
    return [our.cpuSecondsPer1000Calls / their.cpuSecondsPer1000Calls];
  });
  return medianOf(ratios, 2);
}

type Run = (server: Server, load: Load) => Promise<Cost>;

/** Each server's costs, a round of all after the other; the first round warms up and does not count. */
async function compare(servers: readonly Server[], load: Load, run: Run): Promise<readonly Cost[][]> {
  const costs: Cost[][] = servers.map(() => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [at, server] of servers.entries()) {
      const cost = await run(server, load);
      if (round > 0) costs[at]?.push(cost);
    }
  }
  return costs;
}

const isCarried = (cost: Cost, { calls, rate }: Load): boolean =>
  cost.failed === 0 &&
  cost.rate >= rate * MIN_RATE &&
  cost.retransmissions <= (calls * MAX_RETRANSMISSIONS) / 100;

interface Most {
  /** The highest rate that is carried; 0 when the first was not. */
  readonly rate: number;
  /** What became of the next one. */
  readonly beyond: Cost | undefined;
}

/** Every call is begun in time and succeeds, and next to nothing is sent twice; what goes wrong once was the machine. */
async function mostCalls(server: Server, run: Run): Promise<Most> {
  let most = 0;
  for (const rate of RATES) {
    const load = { rate, calls: rate * RATE_SECONDS, holdMs: 300, ...AT_ONCE };
    let cost = await run(server, load);
    if (!isCarried(cost, load)) cost = await run(server, load);
    if (!isCarried(cost, load)) return { rate: most, beyond: cost };
    most = rate;
  }
  return { rate: most, beyond: undefined };
}

const onCpus = (cpus: Flags['cpus']): string =>
  cpus === 1 ? 'one CPU to itself' : `what the load leaves of ${availableParallelism()} CPUs`;

/** In words: whether both carry the rate, and else what they carry. */
function saysOf(ours: number, sameJob: number, { load, cpus }: Flags): string {
  const both = Math.min(ours, sameJob);
  const place = `where a server has ${onCpus(cpus)}`;
  if (both >= load.rate) return `both carry ${load.rate} calls a second ${place}`;
  const who =
    ours >= load.rate ? 'only we carry' : sameJob >= load.rate ? 'only they carry' : 'neither carries';
  return `${who} ${load.rate} calls a second ${place}; ${both} is the highest rate that both carry`;
}

/** The parts that send calls by SIPp. */
async function measureCalls(flags: Flags): Promise<object> {
  const [callee, refuser] = await Promise.all([startCallee(), startCallee('refuser')]);
  const carriers = { callee: callee.port, refuser: refuser.port };
  const ours = await startTrunk(carriers);
  const proxy = await startKamailio(callee.port);
  const sameJob = await startSameJob(carriers, CHILDREN[flags.cpus]);
  const { load, parts } = flags;
  let calls = 0;
  const run: Run = async (server, each) => {
    if (server === sameJob) calls += each.calls;
    return callee.run(server, each);
  };
  const figures: Record<string, object> = {};
  if (parts.includes('cost')) {
    const servers = [proxy, sameJob, ours];
    const [bare = [], same = [], own = []] = await compare(servers, { ...load, ...AT_ONCE }, run);
    figures['cost'] = {
      proxy: summary(bare),
      sameJob: summary(same),
      ours: summary(own),
      ratioToSameJob: ratio(own, same),
      ratioToProxy: ratio(own, bare),
    };
  }
  if (parts.includes('past503')) {
    const [same = [], own = []] = await compare([sameJob, ours], { ...load, ...PAST_503 }, run);
    figures['past503'] = { sameJob: summary(same), ours: summary(own), ratioToSameJob: ratio(own, same) };
  }
  if (parts.includes('most')) {
    const [own, same] = [await mostCalls(ours, run), await mostCalls(sameJob, run)];
    figures['most'] = { ours: own, sameJob: same, says: saysOf(own.rate, same.rate, flags) };
  }
  figures['sameJobRows'] = { wanted: calls * 2, written: sameJob.rows() };
  await Promise.all([ours.stop(), proxy.stop(), sameJob.stop(), callee.stop(), refuser.stop()]);
  return figures;
}

export async function measure(): Promise<object> {
  const skipped = missing(['sipp', 'kamailio', 'rtpengine']);
  if (skipped) return { skipped };
  const flags = readFlags(process.argv.slice(2));
  const { parts, load, cpus } = flags;
  pinCpus(cpus === 1);
  const calls = parts.some((part) => part !== 'live') ? await measureCalls(flags) : {};
  pinCpus(true);
  if (!parts.includes('live')) return { ...load, cpus, ...calls };
  const live = { ours: await liveKnee(startTrunk), sameJob: await liveKnee(startSameJob) };
  return { ...load, cpus, ...calls, live };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await measure())}\n`);
