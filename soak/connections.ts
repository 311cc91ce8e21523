// 10,000 TCP connections that say nothing, send an octet a second, or never read, and one peer that must not notice.
// `node soak/connections.ts [connections] [seconds]` prints one JSON line; exits 1 when memory or the peer's wait grew
// beyond their bounds. Needs as many file descriptors (`ulimit -n`) in each of two processes.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../src/lib/clock.ts';
import { silentLog } from '../src/lib/log.ts';
import { listenAll } from '../src/sip/transport/listen.ts';
import type { Flow } from '../src/sip/transport/transport.ts';
import { collectGarbage } from './heap.ts';

const HOST = '127.0.0.1';
/** A process of 10,000 sockets may hold this much for each of them, and for what it sends to those that never read. */
const MAX_BYTES_PER_CONNECTION = 20_000;
const MAX_QUEUED_BYTES = 80 * 1024 * 1024;
const MAX_WAIT_MS = 500;
const SECOND_MS = 1000;
const PEER_EVERY_MS = 20;
const AT_ONCE = 500;
const MESSAGE =
  'OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n' +
  'To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n';
const RESPONSE = MESSAGE.replace(/^.*/, 'SIP/2.0 200 OK');
/** So many of those that never read are sent more than the system takes for them. */
const FLOODED = 50;
const LARGE = RESPONSE.replace('Length: 0', 'Length: 60000') + 'x'.repeat(60_000);

export interface ConnectionsResult {
  readonly name: 'connections';
  readonly connections: number;
  /** Of resident memory, all of them up and a third of them silent, a third dribbling, a third never reading. */
  readonly bytesPerConnection: number;
  /** How much resident memory grew while the deaf third was sent a response a second each, some of them 60 kB. */
  readonly growthBytes: number;
  /** From the one peer's request to its response; the 99th percentile, alone and among the others. */
  readonly aloneMs: number;
  readonly amongMs: number;
  readonly passed: boolean;
}

const residentBytes = (): number => {
  collectGarbage();
  return process.memoryUsage.rss();
};

/** Opens its connections, says so, and dribbles until it is ended. */
async function misbehave(port: number, count: number): Promise<void> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, () =>
      connect({ host: HOST, port }).on('error', () => {}),
    );
    await Promise.all(batch.map((socket) => once(socket, 'connect')));
    sockets.push(...batch);
  }
  const third = Math.floor(count / 3);
  const [slow, deaf] = [sockets.slice(third, 2 * third), sockets.slice(2 * third)];
  for (const socket of deaf) {
    socket.pause();
    socket.write(MESSAGE);
  }
  process.send?.('open');
  setInterval(() => {
    for (const socket of slow) if (!socket.destroyed) socket.write('O');
  }, SECOND_MS);
}

/** The 99th percentile of how long a peer waits for its answers, milliseconds. */
async function waitOfPeer(port: number, seconds: number): Promise<number> {
  const socket = connect({ host: HOST, port });
  await once(socket, 'connect');
  const waits: number[] = [];
  for (const endMs = performance.now() + seconds * SECOND_MS; performance.now() < endMs; ) {
    const beganMs = performance.now();
    socket.write(MESSAGE);
    await once(socket, 'data');
    waits.push(performance.now() - beganMs);
    await wait(PEER_EVERY_MS);
  }
  socket.destroy();
  return waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.99)] ?? Number.NaN;
}

export async function measure(connections: number, seconds: number): Promise<ConnectionsResult> {
  const deaf = new Set<Flow>();
  let isOpening = false;
  const listen = [{ host: HOST, port: 0, transport: 'tcp' as const }];
  const [transport] = await listenAll({
    listen,
    clock: systemClock,
    log: silentLog,
    receive: (_, flow) => {
      if (isOpening) deaf.add(flow);
      flow.transport.send(RESPONSE, flow.peer);
    },
  });
  if (!transport) throw new Error('nothing listens');
  const { port } = transport.local;
  const aloneMs = await waitOfPeer(port, 2);
  const emptyBytes = residentBytes();
  isOpening = true;
  const child = fork(import.meta.filename, [`${port}`, `${connections}`], {
    env: { ...process.env, ROLE: 'crowd' },
  });
  await once(child, 'message');
  await wait(SECOND_MS);
  isOpening = false;
  const fullBytes = residentBytes();
  const flood = setInterval(() => {
    for (const [index, flow] of [...deaf].entries()) {
      const octets = index < FLOODED ? LARGE : RESPONSE;
      flow.transport.send(octets, flow.peer, () => deaf.delete(flow));
    }
  }, SECOND_MS);
  const amongMs = await waitOfPeer(port, seconds);
  const growthBytes = residentBytes() - fullBytes;
  clearInterval(flood);
  child.kill();
  await transport.close();
  const bytesPerConnection = Math.round((fullBytes - emptyBytes) / connections);
  return {
    name: 'connections',
    connections,
    bytesPerConnection,
    growthBytes,
    aloneMs: Number(aloneMs.toFixed(1)),
    amongMs: Number(amongMs.toFixed(1)),
    passed:
      bytesPerConnection < MAX_BYTES_PER_CONNECTION &&
      growthBytes < MAX_QUEUED_BYTES &&
      amongMs < MAX_WAIT_MS,
  };
}

const [first, second] = process.argv.slice(2).map(Number);
if (process.env['ROLE'] === 'crowd') await misbehave(first ?? 0, second ?? 0);
else if (import.meta.main) {
  const result = await measure(first ?? 10_000, second ?? 10);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (!result.passed) process.exitCode = 1;
}
