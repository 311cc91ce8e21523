// The yardstick: rtpengine in user space, driven by its ng protocol (bencode over UDP).
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { acceptAnswer, makeSrtpKeys, readAudio, writeOffer } from '../../src/sdp/index.ts';
import type { OpenRequest, Target } from './messages.ts';

const RTPENGINE = 'rtpengine';

export const rtpengineInstalled = (): boolean => spawnSync(RTPENGINE, ['--version']).status === 0;

const NG_PORT = 22_229;
const SETTLE_MS = 1000;

export interface Rtpengine {
  readonly pid: number;
  open(request: OpenRequest): Promise<Target[]>;
  close(): Promise<void>;
}

export async function startRtpengine(): Promise<Rtpengine> {
  const child = spawn(
    RTPENGINE,
    // One thread, as one media worker of ours is; no kernel module.
    [
      '--foreground',
      '--table=-1',
      '--interface=127.0.0.1',
      `--listen-ng=127.0.0.1:${NG_PORT}`,
      '--num-threads=1',
      '--port-min=30000',
      '--port-max=39999',
      '--log-level=2',
      '--log-stderr',
    ],
    { stdio: 'ignore' },
  );
  const socket = createSocket('udp4');
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  if (child.exitCode !== null) throw new Error('rtpengine ended; is its port taken?');
  const calls: string[] = [];
  return {
    pid: child.pid as number,
    open: async (request) => {
      for (const call of calls.splice(0))
        await ask(socket, { command: 'delete', 'call-id': call, 'from-tag': 'near' });
      const targets: Target[] = [];
      for (let call = 0; call < request.calls; call++) {
        const id = randomBytes(8).toString('hex');
        calls.push(id);
        targets.push(...(await openCall(socket, id, request)));
      }
      return targets;
    },
    close: () => stop(child, socket),
  };
}

async function openCall(
  socket: Socket,
  id: string,
  { setting, nearPort, farPort }: OpenRequest,
): Promise<Target[]> {
  const keys = setting === 'bridged-srtp' ? makeSrtpKeys(randomBytes, ['AES_CM_128_HMAC_SHA1_80']) : [];
  const local = (port: number) => ({ address: '127.0.0.1', port, sessionId: '1', version: 1 });
  const near = { ...local(nearPort), srtp: keys };
  const common = { 'call-id': id, 'from-tag': 'near', ICE: 'remove' };
  const offered = await ask(socket, {
    ...common,
    command: 'offer',
    sdp: writeOffer(near),
    'transport-protocol': 'RTP/AVP',
  });
  const answered = await ask(socket, {
    ...common,
    command: 'answer',
    'to-tag': 'far',
    sdp: writeOffer(local(farPort)),
  });
  const agreed = acceptAnswer(readAudio(answered, 'allowed'), near);
  return [
    { side: 'near', port: agreed.port, ...(agreed.srtp && { srtp: agreed.srtp }) },
    { side: 'far', port: readAudio(offered).port },
  ];
}

const bencode = (values: Record<string, string>): string =>
  `d${Object.keys(values)
    .toSorted()
    .map((key) => `${key.length}:${key}${(values[key] as string).length}:${values[key]}`)
    .join('')}e`;

/** The `sdp` of the answer; empty where it has none. */
async function ask(socket: Socket, values: Record<string, string>): Promise<string> {
  const cookie = randomBytes(4).toString('hex');
  const answer = new Promise<string>((resolve) =>
    socket.once('message', (datagram) => resolve(String(datagram))),
  );
  socket.send(`${cookie} ${bencode(values)}`, NG_PORT, '127.0.0.1');
  const text = await answer;
  if (!text.includes('6:result2:ok')) throw new Error(`rtpengine says ${text}`);
  const found = /3:sdp(\d+):/.exec(text);
  return found ? text.slice(found.index + found[0].length).slice(0, Number(found[1])) : '';
}

async function stop(child: ChildProcess, socket: Socket): Promise<void> {
  socket.close();
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}
