// A UDP line to a SIP peer that loses, delays, reorders and doubles datagrams as a seed says, both ways.
import { createSocket, type Socket } from 'node:dgram';
import type { Random } from '../../src/lib/random.ts';
import type { Weather } from './memory-link.ts';

export interface LossyLine {
  /** `sip:127.0.0.1:port`: what is sent there comes to the peer. */
  readonly uri: string;
  /** Datagrams that were lost. */
  lost(): number;
  close(): Promise<void>;
}

/** @param peer `sip:127.0.0.1:port` at the far end. */
export async function startLossyLine(peer: string, weather: Weather, random: Random): Promise<LossyLine> {
  const [near, far] = await Promise.all([open(), open()]);
  const peerPort = Number(peer.split(':')[2]);
  let callerPort = 0;
  let lost = 0;
  let isOpen = true;
  const carry = (octets: Buffer, by: Socket, port: number): void => {
    for (let copies = random.fraction() < weather.duplicates ? 2 : 1; copies > 0; copies--) {
      if (random.fraction() < weather.loss) {
        lost += 1;
        continue;
      }
      setTimeout(() => isOpen && by.send(octets, port, '127.0.0.1'), random.fraction() * weather.maxDelayMs);
    }
  };
  near.on('message', (octets, from) => {
    callerPort = from.port;
    carry(octets, far, peerPort);
  });
  far.on('message', (octets) => carry(octets, near, callerPort));
  return {
    uri: `sip:127.0.0.1:${near.address().port}`,
    lost: () => lost,
    close: async () => {
      isOpen = false;
      await Promise.all([near, far].map((socket) => new Promise<void>((done) => socket.close(() => done()))));
    },
  };
}

async function open(): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket;
}
