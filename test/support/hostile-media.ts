// Packets that no media engine may let anybody hear: run against each engine by its own test.
import { createSocket, type Socket } from 'node:dgram';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  type MediaEngine,
  type MediaSession,
  type SrtpParameters,
  toneLevel,
} from '../../src/media/index.ts';
import { srtpPair } from './media-contract.ts';

const [FRIEND_HZ, FOE_HZ] = [1000, 2000];
const PATIENCE = 8000;
const PACKETS = 40;

interface Wire {
  readonly socket: Socket;
  readonly port: number;
  readonly received: Buffer[];
  send(datagram: Buffer, to: MediaSession): Promise<void>;
}

async function wire(): Promise<Wire> {
  const socket = createSocket('udp4');
  const received: Buffer[] = [];
  socket.on('message', (datagram) => received.push(datagram));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void socket.close());
  return {
    socket,
    port: socket.address().port,
    received,
    send: (datagram, { local }) =>
      new Promise((resolve, reject) => {
        socket.send(datagram, local.port, local.address, (error) => (error ? reject(error) : resolve()));
      }),
  };
}

/** A tone as the engine itself sends it, packet by packet. */
async function recordPackets(engine: MediaEngine, hz: number, srtp?: SrtpParameters): Promise<Buffer[]> {
  const [sink, session] = [await wire(), await engine.open({ family: 'sender' })];
  session.connect({ address: '127.0.0.1', port: sink.port, payloadType: 0, ...(srtp && { srtp }) });
  void session.play({ kind: 'tone', frequenciesHz: [hz], durationMs: Number.POSITIVE_INFINITY });
  await vi.waitFor(() => expect(sink.received.length).toBeGreaterThanOrEqual(PACKETS + 10), PATIENCE);
  session.close();
  // The first few may be silence from before the tone.
  return sink.received.slice(5, 5 + PACKETS);
}

const sequenceOf = (datagram: Buffer): number => datagram.readUInt16BE(2);

/** The header of one packet before the sound of another. */
function dressed(header: Buffer, sound: Buffer, change: (datagram: Buffer) => void = () => {}): Buffer {
  const datagram = Buffer.concat([header.subarray(0, 12), sound.subarray(12)]);
  change(datagram);
  return datagram;
}

/** @param open Resolves with an engine of its own for one test; it is closed afterwards. */
export function describeHostileMedia(name: string, open: () => Promise<MediaEngine>): void {
  let engine: MediaEngine;
  beforeEach(async () => {
    engine = await open();
    onTestFinished(() => engine.close());
  });

  const [senders, receivers] = srtpPair('AES_CM_128_HMAC_SHA1_80');
  const [foes] = srtpPair('AES_CM_128_HMAC_SHA1_80');
  describe.each([
    ['RTP', undefined, undefined, undefined],
    ['SRTP', senders, receivers, foes],
  ])(`${name} hears over %s`, (_, sending, receiving, foreign) => {
    it('the peer, and not who is wrong, replayed, late, oversized, malformed or a stranger', async () => {
      const [friends, foes] = [
        await recordPackets(engine, FRIEND_HZ, sending),
        await recordPackets(engine, FOE_HZ, foreign),
      ];
      const [friend, stranger] = [await wire(), await wire()];
      const session = await engine.open({ family: 'listener', captureMs: 60_000 });
      session.connect({
        address: '127.0.0.1',
        port: friend.port,
        payloadType: 0,
        ...(receiving && { srtp: receiving }),
      });
      // It answers in order: the peer is known then.
      await session.statistics();
      for (const [at, packet] of friends.entries()) {
        const foe = foes[at] as Buffer;
        await friend.send(packet, session);
        // One by one: a burst would be more than the system keeps for a socket.
        const arrived = async () => expect((await session.statistics()).packetsReceived).toBe(at + 1);
        await vi.waitFor(arrived, { timeout: PATIENCE, interval: 1 });
        const next = (datagram: Buffer) => datagram.writeUInt16BE((sequenceOf(packet) + 1) & 0xffff, 2);
        const late = (datagram: Buffer) => datagram.writeUInt16BE((sequenceOf(packet) - 20) & 0xffff, 2);
        await stranger.send(dressed(packet, foe, next), session);
        await stranger.send(packet, session);
        await friend.send(dressed(packet, foe), session);
        await friend.send(dressed(packet, foe, late), session);
        await friend.send(foe, session);
        await friend.send(packet, session);
        await friend.send(dressed(packet, Buffer.concat([foe, Buffer.alloc(3000, 0x80)]), next), session);
        await friend.send(
          dressed(packet, foe, (datagram) => datagram.writeUInt8(0x40, 0)),
          session,
        );
        await friend.send(Buffer.from('OPTIONS sip:media SIP/2.0\r\n\r\n'), session);
        if (receiving) await friend.send(dressed(packet, foe, next), session);
      }
      const heard = await session.captured();
      expect(heard).toHaveLength(PACKETS * 160);
      expect(toneLevel(heard, FRIEND_HZ)).toBeGreaterThan(0.4);
      expect(toneLevel(heard, FOE_HZ)).toBeLessThan(0.001);
      expect((await session.statistics()).lost).toBe(0);
    });
  });
}
