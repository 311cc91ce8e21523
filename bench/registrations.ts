// Registrations per CPU-second of a ten-line registrar on the stack (registrar.ts): each is a challenge and an answer.
import { median } from './cpu-time.ts';
import { type Cost, missing, runAlone, startOurs } from './sip-load.ts';

const ROUNDS = 5;
const LOAD = { calls: 5000, rate: 1000, holdMs: 0 };

export async function measure(): Promise<object> {
  const skipped = missing(['sipp']);
  if (skipped) return { skipped };
  const registrar = await startOurs('registrar.ts', []);
  const rounds: Cost[] = [];
  // The first round warms up and does not count.
  for (let round = 0; round <= ROUNDS; round++) rounds.push(await runAlone('register', registrar, LOAD));
  await registrar.stop();
  const counted = rounds.slice(1);
  const costs = counted.map((cost) => cost.cpuSecondsPer1000Calls);
  return {
    registrationsPerCpuSecond: Math.round(1000 / median(costs)),
    failed: counted.reduce((sum, { failed }) => sum + failed, 0),
    retransmissions: counted.reduce((sum, { retransmissions }) => sum + retransmissions, 0),
  };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await measure())}\n`);
