// Runs rtpengine in user space, driven by its ng protocol (bencode over UDP): a relay and an SRTP that are not ours.
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { bound, freePort, isInstalled, startProgram } from './program.ts';

export const hasRtpengine = isInstalled('rtpengine', 'rtpengine-daemon');

export interface Rtpengine {
  readonly pid: number;
  /** Sends one command; resolves with the SDP of its answer, empty where that has none. */
  ask(command: Readonly<Record<string, string>>): Promise<string>;
  stop(): Promise<void>;
}

/** On 127.0.0.1, with its ports for media in this range and one thread, as one media worker of ours is. */
export async function startRtpengine(ports: { first: number; last: number }): Promise<Rtpengine> {
  const control = freePort();
  const program = startProgram('rtpengine', () => [
    '--config-file=none',
    '--foreground',
    '--table=-1', // no kernel module
    '--interface=127.0.0.1',
    `--listen-ng=127.0.0.1:${control}`,
    '--num-threads=1',
    `--port-min=${ports.first}`,
    `--port-max=${ports.last}`,
    '--log-level=2',
    '--log-stderr',
  ]);
  try {
    await bound(control, 'udp');
  } catch (error) {
    await program.stop();
    throw new Error(program.output(), { cause: error });
  }
  const socket = createSocket('udp4');
  return {
    pid: program.pid,
    ask: (command) => ask(socket, control, command),
    stop: async () => {
      socket.close();
      await program.stop();
    },
  };
}

const bencode = (values: Readonly<Record<string, string>>): string =>
  `d${Object.keys(values)
    .toSorted()
    .map((key) => `${key.length}:${key}${(values[key] as string).length}:${values[key]}`)
    .join('')}e`;

async function ask(socket: Socket, port: number, command: Readonly<Record<string, string>>): Promise<string> {
  const cookie = randomBytes(4).toString('hex');
  const answer = new Promise<string>((resolve) =>
    socket.once('message', (datagram) => resolve(String(datagram))),
  );
  socket.send(`${cookie} ${bencode(command)}`, port, '127.0.0.1');
  const text = await answer;
  if (!text.includes('6:result2:ok')) throw new Error(`rtpengine says ${text}`);
  const found = /3:sdp(\d+):/.exec(text);
  return found ? text.slice(found.index + found[0].length).slice(0, Number(found[1])) : '';
}
