// How many live calls with sound both ways a server on one CPU carries: calls from a PBX to a carrier over a trunk, 50
// packets a second each way, more and more of them until more than one packet in two hundred is lost or late.
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { end, type Server, spawnOn } from './sip-load.ts';
import type { Heard, PartiesRequest } from './trunk-parties.ts';
import type { Carriers } from './trunk-servers.ts';

/** More, and the other side hears it: a phone's jitter buffer holds two packets or so. */
const LATE_MS = 40;
const MAX_SHARE = 0.005;
const FIRST = 200;
const STEP = 50;
const MOST = 1500;
const SECONDS = 2;
/** New calls are not measured. */
const SETTLE_MS = 500;

/** Of its CPU: a server that uses less could do more. */
const BUSY = 0.95;

interface Step extends Heard {
  readonly calls: number;
  /** Of one CPU, for everything that the server is. */
  readonly serverCpuShare: number;
}

export interface LiveKnee {
  /** The most live calls whose sound was good, and what more of them did to it; 0 when the first were too many. */
  readonly calls: number;
  readonly within: Step | undefined;
  readonly beyond: Step | undefined;
  /** In words. */
  readonly says: string;
}

const isGood = ({ sent, lost, late }: Heard): boolean => sent > 0 && lost + late <= sent * MAX_SHARE;

/** Starts the parties, then the server, whose carrier they are. */
export async function liveKnee(startServer: (carriers: Carriers) => Promise<Server>): Promise<LiveKnee> {
  const parties = spawnOn('load', process.execPath, [join(import.meta.dirname, 'trunk-parties.ts')], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [port] = (await once(parties, 'message')) as [number];
  const server = await startServer({ callee: port, refuser: port });
  const ask = async <T>(request: PartiesRequest): Promise<T> => {
    const answer = once(parties, 'message');
    parties.send(request);
    return (await answer)[0] as T;
  };
  const step = async (calls: number): Promise<Step> => {
    const open = await ask<number>({ type: 'open', port: server.port, calls });
    if (open !== calls) throw new Error(`${calls} calls were wanted, and ${open} are up`);
    await pause(SETTLE_MS);
    const [startMs, cpuMs] = [performance.now(), server.cpuMs()];
    const measured = ask<Heard>({ type: 'measure', seconds: SECONDS, lateMs: LATE_MS });
    await pause(SECONDS * 1000);
    const serverCpuShare = (server.cpuMs() - cpuMs) / (performance.now() - startMs);
    return { calls, ...(await measured), serverCpuShare: Number(serverCpuShare.toFixed(2)) };
  };
  try {
    const knee = await climb(step);
    await ask({ type: 'close' });
    await pause(SETTLE_MS);
    return knee;
  } finally {
    await Promise.all([server.stop(), end(parties)]);
  }
}

/** What goes wrong once only was the machine. */
async function climb(step: (calls: number) => Promise<Step>): Promise<LiveKnee> {
  let within: Step | undefined;
  for (let calls = FIRST; calls <= MOST; calls += STEP) {
    let last = await step(calls);
    if (!isGood(last)) last = await step(calls);
    if (!isGood(last)) return kneeAt(within, last);
    within = last;
  }
  return kneeAt(within, undefined);
}

function kneeAt(within: Step | undefined, beyond: Step | undefined): LiveKnee {
  const calls = within?.calls ?? 0;
  const isServers = beyond !== undefined && beyond.serverCpuShare >= BUSY;
  const why = isServers
    ? 'the server had no CPU left'
    : 'or more: it was not the server that had no CPU left';
  return { calls, within, beyond, says: `${calls} live calls on one CPU, ${why}` };
}
