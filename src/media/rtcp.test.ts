import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtcpPacketConverter, RtcpSourceDescriptionPacket, RtcpSrPacket } from 'werift-rtp';
import { seededRandom } from '../lib/random.ts';
import { Reception } from './reception.ts';
import { readRtcp, shortNtp, writeReport } from './rtcp.ts';
import { RtcpSession } from './rtcp-session.ts';

const report = {
  ssrc: 7,
  nowMs: 1_700_000_000_500,
  cname: 'abcdef',
  sender: { rtpTimestamp: 1600, packets: 10, octets: 1600 },
  reception: { ssrc: 9, fractionLost: 64, lost: 3, highestSequence: 0x1_0005, jitter: 12 },
  lastReport: { ntp: 0x1234_5678, ageMs: 2000 },
  bye: false,
};

describe('a report', () => {
  it('is what an independent implementation reads', () => {
    const [sr, sdes] = RtcpPacketConverter.deSerialize(writeReport(report)) as [
      RtcpSrPacket,
      RtcpSourceDescriptionPacket,
    ];
    expect(sr.ssrc).toBe(7);
    expect(sr.senderInfo).toMatchObject({ rtpTimestamp: 1600, packetCount: 10, octetCount: 1600 });
    expect(sr.senderInfo.ntpTimestamp >> 32n).toBe(BigInt(1_700_000_000 + 2_208_988_800));
    expect(sr.reports[0]).toMatchObject({
      ssrc: 9,
      fractionLost: 64,
      packetsLost: 3,
      highestSequence: 0x1_0005,
      jitter: 12,
      lsr: 0x1234_5678,
      dlsr: 2 * 65_536,
    });
    expect(sdes.chunks[0]).toMatchObject({ source: 7, items: [{ type: 1, text: 'abcdef' }] });
  });

  it.each(['', 'a', 'ab', 'abc'])('is made of whole words, with the name "%s", and may say BYE', (cname) => {
    const packet = writeReport({ ...report, cname, sender: undefined, bye: true });
    expect(packet[1]).toBe(201);
    expect(packet.length % 4).toBe(0);
    expect(readRtcp(packet, 9)).toMatchObject({ ssrc: 7, bye: true, about: { lastReport: 0x1234_5678 } });
    expect(readRtcp(packet, 8)).not.toHaveProperty('about');
  });

  it('is read or refused, whatever the bytes', () => {
    const valid = writeReport(report);
    fc.assert(
      fc.property(
        fc.nat(valid.length),
        fc.uint8Array({ maxLength: 6 }),
        fc.nat(valid.length),
        (at, put, end) => {
          const packet = Buffer.concat([valid.subarray(0, at), put, valid.subarray(at + put.length)]);
          readRtcp(packet.subarray(0, end), 9);
          return true;
        },
      ),
      { seed: 3, numRuns: 2000 },
    );
    for (const bad of [Buffer.alloc(0), valid.subarray(0, 20), Buffer.of(0x80, 200, 0xff, 0xff, 0, 0, 0, 0)])
      expect(readRtcp(bad, 9)).toBeUndefined();
    // A packet of length 0 words must not be read for ever.
    expect(readRtcp(Buffer.from('80c90001000000018000000080000000'.repeat(9), 'hex'), 9)).toBeUndefined();
  });
});

describe('Reception', () => {
  const packet = (sequence: number, ssrc = 9) => ({
    ssrc,
    sequence: sequence & 0xffff,
    timestamp: sequence * 160,
  });

  it('counts what was lost, over the end of the sequence numbers and of a source', () => {
    const reception = new Reception();
    expect(reception.report()).toBeUndefined();
    for (const sequence of [65_530, 65_531, 65_534, 65_536, 65_539])
      reception.received(packet(sequence), sequence * 20, true);
    expect(reception.lost).toBe(5);
    expect(reception.report()).toEqual({
      ssrc: 9,
      fractionLost: 128,
      lost: 5,
      highestSequence: 65_539,
      jitter: 0,
    });
    reception.received(packet(65_540), 65_540 * 20, true);
    expect(reception.report()).toMatchObject({ fractionLost: 0, lost: 5 });
    reception.received(packet(3, 10), 60, true);
    reception.received(packet(5, 10), 100, true);
    expect(reception.lost).toBe(6);
    expect(reception.report()).toMatchObject({ ssrc: 10, lost: 1 });
  });

  it('measures jitter as RFC 3550 A.8 does, and not by telephone-events', () => {
    const reception = new Reception();
    let jitter = 0;
    for (let sequence = 0; sequence < 200; sequence++) {
      const lateMs = sequence % 2 ? 10 : 0;
      reception.received(packet(sequence), 1e6 + sequence * 20 + lateMs, true);
      if (sequence > 0) jitter += (10 - jitter) / 16;
    }
    expect(reception.jitterMs).toBeCloseTo(jitter, 2);
    reception.received({ ssrc: 9, sequence: 200, timestamp: 0 }, 2e6, false);
    expect(reception.jitterMs).toBeCloseTo(jitter, 2);
  });
});

describe('RtcpSession', () => {
  it('reports every five seconds on the average, spread out, the first time sooner', () => {
    const firsts: number[] = [];
    const intervals: number[] = [];
    for (let seed = 0; seed < 200; seed++) {
      const session = new RtcpSession({ random: seededRandom(seed), ssrc: 1, now: () => 0 });
      const due = Array.from({ length: 1000 }, (_, frame) => frame).filter((frame) => session.due(frame));
      firsts.push((due[0] as number) * 20);
      intervals.push(((due[1] as number) - (due[0] as number)) * 20);
    }
    const mean = (values: number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
    expect([Math.min(...firsts) > 1000, Math.max(...firsts) < 3100]).toEqual([true, true]);
    expect([Math.min(...intervals) > 2000, Math.max(...intervals) < 6200]).toEqual([true, true]);
    expect(mean(intervals)).toBeGreaterThan(3700);
    expect(mean(intervals)).toBeLessThan(4500);
  });

  it('tells the round trip from the peer’s report', () => {
    let nowMs = 1_700_000_000_000;
    const now = () => nowMs;
    const [a, b] = [1, 2].map((ssrc) => new RtcpSession({ random: seededRandom(ssrc), ssrc, now })) as [
      RtcpSession,
      RtcpSession,
    ];
    const heard = new Reception();
    heard.received({ ssrc: 1, sequence: 1, timestamp: 0 }, 0, true);
    const fromA = a.write({ rtpTimestamp: 0, packets: 5, octets: 800 }, new Reception());
    nowMs += 30;
    expect(b.receive(fromA)).toBe(true);
    nowMs += 2000;
    const fromB = b.write({ rtpTimestamp: 0, packets: 0, octets: 0 }, heard);
    nowMs += 50;
    expect(a.receive(fromB)).toBe(true);
    expect(a.roundTripMs).toBeGreaterThan(79);
    expect(a.roundTripMs).toBeLessThan(81);
    expect(a.receive(Buffer.from('no RTCP at all'))).toBe(false);
    expect(shortNtp(nowMs + 1000) - shortNtp(nowMs)).toBe(65_536);
  });
});
