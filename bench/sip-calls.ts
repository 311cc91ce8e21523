// CPU seconds per 1000 calls through a B2BUA on the stack, beside Kamailio as a stateful proxy: interleaved, median of
// five. Calls go at 1000 a second and last 300 ms; run by itself it takes `--rate=N` and `--calls=N`.
import { parseArgs } from 'node:util';
import { median } from './cpu-time.ts';
import { type Cost, type Load, missing, startCallee, startKamailio, startOurs } from './sip-load.ts';

const ROUNDS = 5;
const WARM_UP_S = 36;

function loadOf(args: readonly string[]): Load {
  const { values } = parseArgs({
    args: args.filter((arg) => arg.startsWith('--')),
    options: { rate: { type: 'string' }, calls: { type: 'string' } },
  });
  return { rate: Number(values.rate ?? 1000), calls: Number(values.calls ?? 6000), holdMs: 300 };
}

const summary = (costs: readonly Cost[]) => ({
  cpuSecondsPer1000Calls: Number(median(costs.map((cost) => cost.cpuSecondsPer1000Calls)).toFixed(3)),
  failed: costs.reduce((sum, { failed }) => sum + failed, 0),
  retransmissions: costs.reduce((sum, { retransmissions }) => sum + retransmissions, 0),
});

export async function measure(): Promise<object> {
  const skipped = missing(['sipp', 'kamailio']);
  if (skipped) return { skipped };
  const load = loadOf(process.argv.slice(2));
  const callee = await startCallee();
  const ours = await startOurs('b2bua.ts', [String(callee.port)]);
  const kamailio = await startKamailio(callee.port);
  // Does not count: until 64·T1 are over, transactions begin and none ends, and what ends them has never run.
  const warmUp = { ...load, calls: load.rate * WARM_UP_S };
  await callee.run(kamailio, warmUp);
  await callee.run(ours, warmUp);
  const rounds: { readonly ours: Cost; readonly kamailio: Cost }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({ kamailio: await callee.run(kamailio, load), ours: await callee.run(ours, load) });
  }
  await Promise.all([ours.stop(), kamailio.stop(), callee.stop()]);
  const ratios = rounds.map(
    (round) => round.ours.cpuSecondsPer1000Calls / round.kamailio.cpuSecondsPer1000Calls,
  );
  return {
    ...load,
    ours: summary(rounds.map((round) => round.ours)),
    kamailio: summary(rounds.map((round) => round.kamailio)),
    ratio: Number(median(ratios).toFixed(2)),
  };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await measure())}\n`);
