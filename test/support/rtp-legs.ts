// Sessions of RTP without sockets: their peers' packets put in by hand, what they send kept.
import { expect } from 'vitest';
import { seededRandom } from '../../src/lib/random.ts';
import { Beat } from '../../src/media/beat.ts';
import type { PeerMedia } from '../../src/media/engine.ts';
import { emptyPacket, readRtp, writeHeader } from '../../src/media/rtp.ts';
import { RtpSession } from '../../src/media/rtp-session.ts';

export const caller: PeerMedia = { address: '192.0.2.1', port: 4000, payloadType: 0, dtmfPayloadType: 101 };
export const callee: PeerMedia = { address: '192.0.2.2', port: 6000, payloadType: 0, dtmfPayloadType: 97 };

export function leg(seed: number, peer: PeerMedia) {
  const sent: Buffer[] = [];
  const rtcp: { datagram: Buffer; port: number }[] = [];
  const settled: (number | undefined)[] = [];
  const digits: string[] = [];
  const finished: number[] = [];
  const lost: true[] = [];
  const beat = new Beat();
  const session = new RtpSession({
    beat,
    random: seededRandom(seed),
    captureSamples: 8000,
    families: [4],
    lostAfterMs: 60_000,
    now: () => 1_700_000_000_000,
    sockets: {
      send: (datagram) => sent.push(Buffer.from(datagram)),
      sendRtcp: (datagram, { port }) => rtcp.push({ datagram: Buffer.from(datagram), port }),
      settle: (source) => settled.push(source?.port),
    },
    finished: (number) => finished.push(number),
    digit: (digit) => digits.push(digit),
    lost: () => lost.push(true),
  });
  session.connect(peer, 0);
  return { session, beat, sent, rtcp, settled, digits, finished, lost, peer };
}

/** Two legs that are bridged. */
export function bridge({
  near = {},
  far = {},
}: {
  near?: Partial<PeerMedia>;
  far?: Partial<PeerMedia>;
} = {}) {
  const [a, b] = [leg(1, { ...caller, ...near }), leg(2, { ...callee, ...far })];
  a.session.bridge(b.session);
  return { a, b };
}

export interface Arriving {
  readonly sequence: number;
  readonly timestamp?: number;
  readonly payloadType?: number;
  readonly payload?: Buffer;
  readonly marker?: boolean;
  readonly ssrc?: number;
}

export function arriving({ sequence, marker = false, payloadType = 0, ssrc = 9, ...more }: Arriving): Buffer {
  const { timestamp = 77_000 + sequence * 160, payload = Buffer.alloc(160, sequence & 0xff) } = more;
  const header = Buffer.alloc(12);
  writeHeader({ marker, payloadType, sequence, timestamp, ssrc }, header);
  return Buffer.concat([header, payload]);
}

export const read = (datagram: Buffer) => {
  const packet = emptyPacket();
  expect(readRtp(datagram, packet)).toBe(true);
  const { start, end, ...rest } = packet;
  return { ...rest, marker: (datagram[1] as number) >= 0x80, payload: datagram.subarray(start, end) };
};
