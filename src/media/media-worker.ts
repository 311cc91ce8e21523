// A media worker's entry: owns sockets and ports, paces every session in it by one timer.
import { isIP } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { Beat } from './beat.ts';
import { FileRecording } from './file-recording.ts';
import { MessageBatch } from './message-batch.ts';
import { Pacer } from './pacer.ts';
import { PortPool } from './port-pool.ts';
import { RtpSession } from './rtp-session.ts';
import { SessionSockets } from './session-sockets.ts';
import type { FromMediaWorker, MediaWorkerData, SessionRequest, ToMediaWorker } from './worker-messages.ts';

interface OpenSession {
  readonly rtp: RtpSession;
  readonly sockets: SessionSockets;
  readonly port: number;
  /** By their numbers, while they run. */
  readonly recordings: Map<number, FileRecording>;
}

type Request<Type> = Extract<SessionRequest, { readonly type: Type }>;

const { addresses, ports, lostAfterMs } = workerData as MediaWorkerData;
const families = addresses.map(isIP);
const clock = systemClock;
const random = systemRandom();
const pool = new PortPool(ports, clock);
const pacer = new Pacer(clock.monotonic());
const beat = new Beat();
const sessions = new Map<number, OpenSession>();
let ticking = false;

const batch = new MessageBatch<FromMediaWorker>({
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  post: (messages) => parentPort?.postMessage(messages),
  unsendable: (_message, reason) => {
    throw reason;
  },
});
const post = (message: FromMediaWorker): void => batch.put(message);

parentPort?.on('message', (messages: readonly ToMediaWorker[]) => {
  for (const message of messages) take(message);
});
post({ type: 'ready' });

function take(message: ToMediaWorker): void {
  if (message.type === 'counts') answer(message.ask, { sessions: sessions.size, sockets: activeSockets() });
  else if (message.type === 'open') void open(message.session, message);
  else tell(sessions.get(message.session), message);
}

function answer(ask: number, value: (FromMediaWorker & { type: 'answer' })['value']): void {
  post({ type: 'answer', ask, value });
}

function tell(open: OpenSession | undefined, message: SessionRequest & { readonly session: number }): void {
  if (!open) return;
  const { rtp } = open;
  switch (message.type) {
    case 'connect':
      return rtp.connect(message.peer, clock.monotonic());
    case 'play':
      return rtp.play(message.number, message.playable);
    case 'press':
      return rtp.press(message.number, message.digits);
    case 'stop':
      return rtp.stopPlaying();
    case 'echo':
      return rtp.echo();
    case 'mute':
      return rtp.mute();
    case 'bridge':
      return bridge(rtp, sessions.get(message.other));
    case 'unbridge':
      return rtp.unbridge();
    case 'record':
      return record(open, message);
    case 'recording':
      return changeRecording(open, message);
    case 'captured':
      return answer(message.ask, rtp.captured());
    case 'statistics':
      return answer(message.ask, rtp.statistics());
    case 'close':
      return close(message.session, open);
  }
}

async function open(session: number, { ask, captureSamples }: Request<'open'>): Promise<void> {
  const bound = await bindNext();
  if (bound) {
    const { sockets, port } = bound;
    const rtp = new RtpSession({
      random,
      captureSamples,
      families,
      lostAfterMs,
      now: () => clock.now(),
      sockets,
      beat,
      finished: (number) => post({ type: 'finished', session, number }),
      digit: (digit) => post({ type: 'digit', session, digit }),
      lost: () => post({ type: 'lost', session }),
    });
    sockets.onRtp((datagram, from) => rtp.receive(datagram, from, clock.monotonic()));
    sockets.onRtcp((datagram, from) => rtp.receiveRtcp(datagram, from));
    sessions.set(session, { rtp, sockets, port, recordings: new Map() });
    if (!ticking) tick();
  }
  answer(ask, bound?.port);
}

/** The next free pair of ports that nobody else on the machine has bound. */
async function bindNext(): Promise<{ sockets: SessionSockets; port: number } | undefined> {
  for (let port = pool.take(); port !== undefined; port = pool.take()) {
    const sockets = await SessionSockets.bind(addresses, port);
    if (sockets) return { sockets, port };
    pool.free(port);
  }
  return undefined;
}

function bridge(rtp: RtpSession, other: OpenSession | undefined): void {
  if (other) rtp.bridge(other.rtp);
}

function record({ rtp, recordings }: OpenSession, { ask, recording, options }: Request<'record'>): void {
  const made = new FileRecording(options, pacer.frame, () => {
    recordings.delete(recording);
    rtp.stopRecording(made.recorder);
  });
  recordings.set(recording, made);
  rtp.record(made.recorder);
  void made.result.then((result) => answer(ask, result));
}

function changeRecording(open: OpenSession, { recording, change }: Request<'recording'>): void {
  const recorder = open.recordings.get(recording)?.recorder;
  if (change === 'stop') recorder?.finish('stopped', pacer.frame);
  else if (change === 'resume') recorder?.resume(pacer.frame);
  else recorder?.pause(change, pacer.frame);
}

function close(session: number, { rtp, sockets, port, recordings }: OpenSession): void {
  for (const { recorder } of recordings.values()) recorder.finish('closed', pacer.frame);
  rtp.close();
  sessions.delete(session);
  sockets.close();
  pool.free(port);
}

function tick(): void {
  ticking = sessions.size > 0;
  if (!ticking) return;
  const { first, end } = pacer.due(clock.monotonic());
  for (let frame = first; frame < end; frame++) beat.run(frame);
  clock.after(pacer.delayMs(clock.monotonic()), tick);
}

const activeSockets = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource.startsWith('UDP')).length;
