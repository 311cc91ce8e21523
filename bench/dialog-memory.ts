// Heap per open dialog, over 10,000 of them: those that we took and those that we placed, right after they were set up
// and when the transactions that did so have ended. The peer has a heap of its own, in a worker.
import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../src/lib/clock.ts';
import { silentLog } from '../src/lib/log.ts';
import { systemRandom } from '../src/lib/random.ts';
import { createUserAgent, type SipUserAgent } from '../src/sip/index.ts';
import { placeCalls, SDP } from './dialog-calls.ts';

const DIALOGS = 10_000;

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

async function heapBytes(): Promise<number> {
  // What finalisers and promises held is gone after the second.
  for (let i = 0; i < 2; i++) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}

async function settle(agent: SipUserAgent): Promise<void> {
  while (agent.counts().transactions > 0) await new Promise((resolve) => setTimeout(resolve, 500));
}

/** Bytes per dialog with and without the transactions that `connect` leaves. */
async function perDialog(agent: SipUserAgent, connect: () => Promise<unknown>) {
  const before = await heapBytes();
  await connect();
  const atOnce = (await heapBytes()) - before;
  await settle(agent);
  const settled = (await heapBytes()) - before;
  return {
    bytes: Math.round(settled / DIALOGS),
    bytesWithTransactions: Math.round(atOnce / DIALOGS),
  };
}

export async function measure(): Promise<object> {
  const agent = await createUserAgent({
    clock: systemClock,
    random: systemRandom(),
    log: silentLog,
    listen: [{ host: '127.0.0.1', port: 0 }],
  });
  agent.onInvite((invite) => {
    invite.progress(180);
    invite.accept(SDP).handle({ ended: () => {}, offered: () => 488 });
  });
  const port = agent.listening[0]?.port as number;
  const peer = new Worker(new URL('./dialog-peer.ts', import.meta.url));
  const [peerPort] = (await once(peer, 'message')) as [number];
  // What is compiled and cached on the first calls is no dialog's.
  await placeCalls(agent, peerPort, 500);
  const taken = await perDialog(agent, () => {
    peer.postMessage({ port, count: DIALOGS });
    return once(peer, 'message');
  });
  const placed = await perDialog(agent, () => placeCalls(agent, peerPort, DIALOGS));
  const { dialogs } = agent.counts();
  await agent.close();
  await peer.terminate();
  return { dialogs, taken, placed };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await measure())}\n`);
