// Routing decisions: from a call's question to its target in the order of a call, with 10 targets, and with 1 and 100,000
// policies in the directory. A decision reads trunk, policy and targets, takes in their health, and draws every target.
import { HealthWatch } from '../src/calls/route/health-watch.ts';
import { planCall } from '../src/calls/route/plan.ts';
import { withHealth } from '../src/calls/route/route-runner.ts';
import { systemClock } from '../src/lib/clock.ts';
import { silentLog } from '../src/lib/log.ts';
import { systemRandom } from '../src/lib/random.ts';
import {
  byocTrunk,
  connectionPolicy,
  connectionPolicyTarget,
  DEFAULT_SUFFIXES,
  newRow,
} from '../src/resources/index.ts';
import { drawTarget } from '../src/routing/index.ts';
import type { UserAgent } from '../src/sip/index.ts';
import { DirectoryMirror } from '../src/store/directory.ts';
import { median } from './cpu-time.ts';

const ROUNDS = 5;
const DECISIONS = 50_000;
const TARGETS = 10;
/** Beyond so many policies, 10 targets each would fill this machine's memory: the others have one each. */
const FULL_POLICIES = 1000;

const world = { clock: systemClock, random: systemRandom() };
const ACCOUNT = { accountSid: `AC${'1'.repeat(32)}` };

interface Network {
  readonly directory: DirectoryMirror;
  /** Trunks whose policies have 10 targets. */
  readonly trunks: readonly string[];
}

function networkOf(policies: number): Network {
  const directory = new DirectoryMirror();
  const trunks: string[] = [];
  for (let number = 0; number < policies; number++) {
    const policy = newRow(connectionPolicy, ACCOUNT, world);
    directory.put(connectionPolicy, policy);
    const isFull = number < FULL_POLICIES;
    for (let place = 0; place < (isFull ? TARGETS : 1); place++) {
      const values = {
        target: `sip:c${place}.p${number}.example:5060`,
        priority: place >> 2,
        weight: 1 + place,
      };
      const row = newRow(
        connectionPolicyTarget,
        { ...ACCOUNT, ...values, connectionPolicySid: policy.sid },
        world,
      );
      directory.put(connectionPolicyTarget, row);
    }
    const trunk = newRow(byocTrunk, { ...ACCOUNT, connectionPolicySid: policy.sid }, world);
    directory.put(byocTrunk, trunk);
    if (isFull) trunks.push(trunk.sid);
  }
  return { directory, trunks };
}

/** CPU microseconds of a decision that draws its first target, and of one that draws all ten. */
function time({ directory, trunks }: Network, draws: number): number {
  const health = new HealthWatch({
    ...world,
    agent: undefined as unknown as UserAgent, // nothing is asked
    locate: async () => [],
    log: silentLog,
    directory,
    fromDomain: '192.0.2.1',
    settings: { intervalMs: 0, failures: 3, recoveryMs: 1000, silenceMs: 4_000 },
  });
  const planning = {
    directory,
    suffixes: DEFAULT_SUFFIXES,
    contactsOf: () => ({ bindings: [], elsewhere: [] }),
  };
  const before = process.cpuUsage();
  let drawn = 0;
  for (let call = 0; call < DECISIONS; call++) {
    const byoc = trunks[call % trunks.length] as string;
    const question = { ...ACCOUNT, to: '+15550001234', from: '+15550009999', byoc, timeoutS: 60 };
    let rest = withHealth(planCall(question, planning).targets, health);
    for (let draw = 0; draw < draws; draw++) {
      const found = drawTarget(rest, world.random);
      if (!found) break;
      rest = found.rest;
      drawn += 1;
    }
  }
  const used = process.cpuUsage(before);
  if (drawn !== DECISIONS * draws) throw new Error(`${drawn} targets were drawn`);
  return (used.user + used.system) / DECISIONS;
}

function cost(network: Network, draws: number) {
  // The first round warms up and does not count.
  const rounds = Array.from({ length: ROUNDS + 1 }, () => time(network, draws)).slice(1);
  const microseconds = median(rounds);
  return { microseconds: Number(microseconds.toFixed(2)), perCpuSecond: Math.round(1e6 / microseconds) };
}

export async function measure() {
  const results: Record<string, object> = {};
  for (const policies of [1, 100_000]) {
    const network = networkOf(policies);
    results[`${policies} policies`] = {
      firstTarget: cost(network, 1),
      allTenTargets: cost(network, TARGETS),
    };
  }
  return { targets: TARGETS, ...results };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await measure())}\n`);
