import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyPacket, HEADER_BYTES, MAX_PACKET_BYTES, readRtp, writeHeader } from './rtp.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const FIXED = '1234 00000064 deadbeef';

describe('readRtp', () => {
  it.each<[what: string, datagram: string, start: number, end: number]>([
    ['a plain packet', `80 00 ${FIXED} ffff`, 12, 14],
    ['a marker', `80 80 ${FIXED} ff`, 12, 13],
    ['two CSRCs', `82 00 ${FIXED} 00000001 00000002 ff`, 20, 21],
    ['padding', `a0 00 ${FIXED} ffff 000002`, 12, 15],
    ['an extension', `90 00 ${FIXED} bede 0001 aabbccdd ff`, 20, 21],
    ['everything at once', `b1 00 ${FIXED} 00000001 bede 0000 ff 000003`, 20, 21],
  ])('finds the payload of %s', (_, hex, start, end) => {
    const packet = emptyPacket();
    const datagram = hex.endsWith('000003') ? bytes(hex.replace('000003', '0000 03')) : bytes(hex);
    expect(readRtp(datagram, packet)).toBe(true);
    expect(packet).toEqual({
      payloadType: 0,
      sequence: 0x1234,
      timestamp: 100,
      ssrc: 0xdeadbeef,
      start,
      end,
    });
  });

  it.each([
    ['nothing', ''],
    ['half a header', '80 00 1234'],
    ['no payload', `80 00 ${FIXED}`],
    ['version 1', `40 00 ${FIXED} ff`],
    ['version 3', `c0 00 ${FIXED} ff`],
    ['CSRCs that are not there', `8f 00 ${FIXED} ff`],
    ['an extension cut off', `90 00 ${FIXED} bede`],
    ['an extension longer than the packet', `90 00 ${FIXED} bede ffff ff`],
    ['padding of no length', `a0 00 ${FIXED} ff 00`],
    ['padding longer than the packet', `a0 00 ${FIXED} ff ff`],
    ['nothing but padding', `a0 00 ${FIXED} 0002`],
  ])('refuses %s', (_, hex) => {
    expect(readRtp(bytes(hex), emptyPacket())).toBe(false);
  });

  it('refuses what no Ethernet frame holds', () => {
    const longest = Buffer.alloc(MAX_PACKET_BYTES, 0x80);
    longest[0] = 0x80;
    expect(readRtp(longest, emptyPacket())).toBe(true);
    expect(readRtp(Buffer.concat([longest, Buffer.of(0)]), emptyPacket())).toBe(false);
  });

  it('never reads outside of the datagram', () => {
    const packet = emptyPacket();
    const datagrams = fc.tuple(
      fc.constantFrom(0x80, 0x8f, 0x90, 0xa0, 0xbf, 0x40),
      fc.uint8Array({ maxLength: 64 }),
    );
    fc.assert(
      fc.property(datagrams, ([first, rest]) => {
        const datagram = Buffer.from([first, ...rest]);
        return (
          !readRtp(datagram, packet) ||
          (packet.start >= HEADER_BYTES && packet.start < packet.end && packet.end <= datagram.length)
        );
      }),
      { seed: 11, numRuns: 3000 },
    );
  });
});

describe('writeHeader', () => {
  it('writes what readRtp reads, modulo the width of the fields', () => {
    const datagram = Buffer.alloc(HEADER_BYTES + 1);
    writeHeader(
      { marker: true, payloadType: 8, sequence: 0x1_0002, timestamp: 2 ** 32 + 3, ssrc: 0xffff_ffff },
      datagram,
    );
    expect(datagram.toString('hex')).toBe('8088000200000003ffffffff00');
    const packet = emptyPacket();
    expect(readRtp(datagram, packet)).toBe(true);
    expect(packet).toMatchObject({ payloadType: 8, sequence: 2, timestamp: 3, ssrc: 0xffff_ffff });
  });
});
