// The other side of dialog-memory.ts, in a worker with a heap of its own: it calls, and takes every call.
import { parentPort } from 'node:worker_threads';
import { systemClock } from '../src/lib/clock.ts';
import { silentLog } from '../src/lib/log.ts';
import { systemRandom } from '../src/lib/random.ts';
import { createUserAgent } from '../src/sip/index.ts';
import { placeCalls, SDP } from './dialog-calls.ts';

const agent = await createUserAgent({
  clock: systemClock,
  random: systemRandom(),
  log: silentLog,
  listen: [{ host: '127.0.0.1', port: 0 }],
});
agent.onInvite((invite) => {
  invite.progress(180);
  invite.accept(SDP);
});
parentPort?.on('message', ({ port, count }: { port: number; count: number }) => {
  void placeCalls(agent, port, count).then(() => parentPort?.postMessage('placed'));
});
parentPort?.postMessage(agent.listening[0]?.port);
