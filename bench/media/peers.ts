// The peers of every call, in one process: two sockets, a stream to each session, and a look at what comes back.
import { createSocket, type Socket } from 'node:dgram';
import { writeHeader } from '../../src/media/rtp.ts';
import { SrtpSender } from '../../src/media/srtp.ts';
import type { PeerRequest, PeerResult, Target } from './messages.ts';

const FRAME_MS = 20;
/** Streams are spread over the frame. */
const SLICES = 10;
/** Not looked at: until everything runs evenly. */
const WARM_UP_MS = 1000;

interface Stream {
  readonly target: Target;
  readonly datagram: Buffer;
  readonly srtp: SrtpSender | undefined;
  readonly header: {
    marker: boolean;
    payloadType: number;
    sequence: number;
    timestamp: number;
    ssrc: number;
  };
}

const bound = async (): Promise<Socket> => {
  const socket = createSocket({
    type: 'udp4',
    recvBufferSize: 8 << 20,
    lookup: (host, _, done) => done(null, host, 4),
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket;
};

export async function runPeers(): Promise<void> {
  const sockets = { near: await bound(), far: await bound() };
  const arrivals = new Map<number, number[]>();
  let [received, listening] = [0, false];
  for (const socket of Object.values(sockets))
    socket.on('message', (datagram) => {
      if (!listening) return;
      received++;
      const ssrc = datagram.readUInt32BE(8);
      const times = arrivals.get(ssrc) ?? [];
      arrivals.set(ssrc, times);
      times.push(performance.now() - datagram.readUInt32BE(4) / 8);
    });
  process.on('message', async (request: PeerRequest) => {
    const streams = request.targets.map(newStream);
    let sent = 0;
    const sending = pace(streams, (stream) => {
      if (listening) sent++;
      send(sockets[stream.target.side], stream);
    });
    await sleep(WARM_UP_MS);
    [received, sent] = [0, 0];
    arrivals.clear();
    listening = true;
    await sleep(request.seconds * 1000);
    listening = false;
    sending.stop();
    process.send?.({ sent, received, deviationMs: deviations(arrivals) } satisfies PeerResult);
  });
  process.send?.({ nearPort: sockets.near.address().port, farPort: sockets.far.address().port });
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function newStream(target: Target, number: number): Stream {
  return {
    target,
    datagram: Buffer.alloc(200, 0xd3),
    srtp: target.srtp && new SrtpSender(target.srtp.suite, target.srtp.localKey),
    header: { marker: false, payloadType: 0, sequence: 1, timestamp: 0, ssrc: 1000 + number },
  };
}

function send(socket: Socket, { target, datagram, srtp, header }: Stream): void {
  header.sequence++;
  header.timestamp += 160;
  writeHeader(header, datagram);
  if (srtp) datagram.fill(0xd3, 12, 172);
  const length = srtp ? srtp.protect(datagram, 172) : 172;
  socket.send(datagram, 0, length, target.port, '127.0.0.1');
}

function pace(streams: readonly Stream[], each: (stream: Stream) => void): { stop(): void } {
  const start = performance.now();
  let slice = 0;
  let timer: NodeJS.Timeout;
  const beat = (): void => {
    for (; start + (slice * FRAME_MS) / SLICES <= performance.now(); slice++)
      for (let at = slice % SLICES; at < streams.length; at += SLICES) each(streams[at] as Stream);
    timer = setTimeout(beat, 1);
  };
  beat();
  return { stop: () => clearTimeout(timer) };
}

/** How far each packet came from its stream's median lateness. */
function deviations(arrivals: ReadonlyMap<number, number[]>): PeerResult['deviationMs'] {
  const all: number[] = [];
  for (const times of arrivals.values()) {
    const median = times.toSorted((a, b) => a - b)[times.length >> 1] as number;
    for (const time of times) all.push(Math.abs(time - median));
  }
  all.sort((a, b) => a - b);
  const at = (share: number) =>
    Number((all[Math.min(all.length - 1, Math.floor(all.length * share))] ?? 0).toFixed(2));
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}
