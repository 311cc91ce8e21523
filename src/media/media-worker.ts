// A media worker's entry: owns sockets and ports, paces every session in it by one timer.
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { Pacer } from './pacer.ts';
import { PortPool } from './port-pool.ts';
import { RtpSession } from './rtp-session.ts';
import type { FromMediaWorker, MediaWorkerData, SessionRequest, ToMediaWorker } from './worker-messages.ts';

interface OpenSession {
  readonly rtp: RtpSession;
  readonly socket: Socket;
  readonly port: number;
}

const { address, ports } = workerData as MediaWorkerData;
const ipv6 = isIPv6(address);
const clock = systemClock;
const random = systemRandom();
const pool = new PortPool(ports, clock);
const pacer = new Pacer(clock.monotonic());
const sessions = new Map<number, OpenSession>();
let ticking = false;

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
const post = (message: FromMediaWorker): void => parentPort?.postMessage(message);

parentPort?.on('message', (message: ToMediaWorker) => {
  if (message.type === 'counts') answer(message.ask, { sessions: sessions.size, sockets: activeSockets() });
  else if (message.type === 'open') void open(message.session, message);
  else tell(sessions.get(message.session), message);
});
post({ type: 'ready' });

function answer(ask: number, value: (FromMediaWorker & { type: 'answer' })['value']): void {
  post({ type: 'answer', ask, value });
}

function tell(open: OpenSession | undefined, message: SessionRequest & { readonly session: number }): void {
  if (!open) return;
  switch (message.type) {
    case 'connect':
      return open.rtp.connect(message.peer, clock.monotonic());
    case 'play':
      return open.rtp.play(message.number, message.playable);
    case 'stop':
      return open.rtp.stopPlaying();
    case 'echo':
      return open.rtp.echo();
    case 'mute':
      return open.rtp.mute();
    case 'captured':
      return answer(message.ask, open.rtp.captured());
    case 'statistics':
      return answer(message.ask, open.rtp.statistics());
    case 'close':
      sessions.delete(message.session);
      open.socket.close();
      return pool.free(open.port);
  }
}

async function open(
  session: number,
  { ask, captureSamples }: { ask: number; captureSamples: number },
): Promise<void> {
  const bound = await bindNext();
  if (bound) {
    const { socket, port } = bound;
    const rtp = new RtpSession({
      random,
      captureSamples,
      ipv6,
      send: (datagram, port, address) => socket.send(datagram, port, address),
      finished: (number) => post({ type: 'finished', session, number }),
    });
    socket.on('message', (datagram, from) => rtp.receive(datagram, from, clock.monotonic()));
    sessions.set(session, { rtp, socket, port });
    if (!ticking) tick();
  }
  answer(ask, bound?.port);
}

/** The next free port that nobody else on the machine has bound. */
async function bindNext(): Promise<{ socket: Socket; port: number } | undefined> {
  for (let port = pool.take(); port !== undefined; port = pool.take()) {
    const socket = await bind(port);
    if (socket) return { socket, port };
    pool.free(port);
  }
  return undefined;
}

function bind(port: number): Promise<Socket | undefined> {
  const socket = createSocket({
    type: ipv6 ? 'udp6' : 'udp4',
    ipv6Only: ipv6,
    // Only addresses come here; Node's own look-up costs an allocation and a tick for every packet.
    lookup: (host, _options, done) => done(null, host, ipv6 ? 6 : 4),
  });
  return new Promise((resolve) => {
    socket.once('error', () => {
      socket.close();
      resolve(undefined);
    });
    socket.bind({ port, address, exclusive: true }, () => {
      // An unreachable peer is no reason to stop: its call is ended by signalling.
      socket.removeAllListeners('error').on('error', () => {});
      resolve(socket);
    });
  });
}

function tick(): void {
  ticking = sessions.size > 0;
  if (!ticking) return;
  const { first, end } = pacer.due(clock.monotonic());
  for (let frame = first; frame < end; frame++) for (const { rtp } of sessions.values()) rtp.tick(frame);
  clock.after(pacer.delayMs(clock.monotonic()), tick);
}

const activeSockets = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource.startsWith('UDP')).length;
