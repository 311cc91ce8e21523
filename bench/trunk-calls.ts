// CPU seconds per 1000 calls of an Elastic trunk, from a PBX to a carrier through the whole exchange: address list, routing,
// records and route traces written, media set up. Beside it Kamailio as a bare stateful proxy, and Kamailio at the same
// job with rtpengine; the same past a carrier that answers 503. Interleaved, median of five; a round in which a side failed
// calls counts for neither. Last the knee: how many calls a second either takes on one CPU.
import { parseArgs } from 'node:util';
import { median } from './cpu-time.ts';
import { type Cost, type Load, missing, type Server, startCallee, startKamailio } from './sip-load.ts';
import { startSameJob, startTrunk } from './trunk-servers.ts';

const ROUNDS = 5;
const KNEE_RATES = [250, 500, 750, 1000, 1250, 1500, 2000];
const KNEE_SECONDS = 4;
/** Of a hundred calls: more than that many retransmissions say that a server is behind. */
const MAX_RETRANSMISSIONS = 1;
const AT_ONCE = { scenario: 'trunk-caller', number: '+14155550123' };
const PAST_503 = { scenario: 'trunk-caller', number: '+14165550123' };

const USAGE = `node bench/trunk-calls.ts [--rate=<calls a second, 1000>] [--calls=<of a round, 4000>]`;

/** Ends the program where the flags are wrong. */
function loadOf(args: readonly string[]): Load {
  try {
    const { values } = parseArgs({
      args: args.filter((arg) => arg.startsWith('--')),
      options: { rate: { type: 'string', default: '1000' }, calls: { type: 'string', default: '4000' } },
    });
    const [rate, calls] = [Number(values.rate), Number(values.calls)];
    if (!Number.isInteger(rate) || !Number.isInteger(calls) || rate < 1 || calls < 1)
      throw new Error('--rate and --calls are whole numbers from 1');
    return { rate, calls, holdMs: 300 };
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

/** The highest rate at which every call succeeded and next to nothing was sent twice; 0 when none was. */
async function kneeOf(server: Server, run: Run): Promise<number> {
  let knee = 0;
  for (const rate of KNEE_RATES) {
    const calls = rate * KNEE_SECONDS;
    const { failed, retransmissions } = await run(server, { rate, calls, holdMs: 300, ...AT_ONCE });
    if (failed > 0 || retransmissions > (calls * MAX_RETRANSMISSIONS) / 100) break;
    knee = rate;
  }
  return knee;
}

export async function measure(): Promise<object> {
  const skipped = missing(['sipp', 'kamailio', 'rtpengine']);
  if (skipped) return { skipped };
  const load = loadOf(process.argv.slice(2));
  const [callee, refuser] = await Promise.all([startCallee(), startCallee('refuser')]);
  const carriers = { callee: callee.port, refuser: refuser.port };
  const ours = await startTrunk(carriers);
  const proxy = await startKamailio(callee.port);
  const sameJob = await startSameJob(carriers);
  const runs: readonly (readonly [name: string, server: Server, load: Load])[] = [
    ['proxy', proxy, { ...load, ...AT_ONCE }],
    ['sameJob', sameJob, { ...load, ...AT_ONCE }],
    ['ours', ours, { ...load, ...AT_ONCE }],
    ['sameJobPast503', sameJob, { ...load, ...PAST_503 }],
    ['oursPast503', ours, { ...load, ...PAST_503 }],
  ];
  const costs: Record<string, Cost[]> = Object.fromEntries(runs.map(([name]) => [name, []]));
  // The first round warms up and does not count.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, server, each] of runs) {
      const cost = await callee.run(server, each);
      if (round > 0) costs[name]?.push(cost);
    }
  }
  const knee = { ours: await kneeOf(ours, callee.run), sameJob: await kneeOf(sameJob, callee.run) };
  await Promise.all([ours.stop(), proxy.stop(), sameJob.stop(), callee.stop(), refuser.stop()]);
  const of = (name: string): readonly Cost[] => costs[name] ?? [];
  return {
    ...load,
    ...Object.fromEntries(runs.map(([name]) => [name, summary(of(name))])),
    ratioToSameJob: ratio(of('ours'), of('sameJob')),
    ratioToProxy: ratio(of('ours'), of('proxy')),
    ratioToSameJobPast503: ratio(of('oursPast503'), of('sameJobPast503')),
    kneeCallsPerSecond: knee,
  };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await measure())}\n`);
