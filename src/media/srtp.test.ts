import { describe, expect, it } from 'vitest';
import {
  ProtectionProfileAes128CmHmacSha1_80,
  RtcpPacketConverter,
  RtpHeader,
  RtpPacket,
  SrtcpSession,
  SrtpSession,
} from 'werift-rtp';
import { seededRandom } from '../lib/random.ts';
import { emptyPacket, readHeader, writeHeader } from './rtp.ts';
import { SrtcpReceiver, SrtcpSender } from './srtcp.ts';
import { indexNear, ReplayWindow, SrtpReceiver, SrtpSender } from './srtp.ts';
import { deriveKey, KeyStream } from './srtp-keys.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
const KEY = Buffer.from(Array.from({ length: 30 }, (_, at) => (at * 37 + 11) & 0xff));
const SUITE = 'AES_CM_128_HMAC_SHA1_80';

describe('SRTP’s keys', () => {
  it('make the key stream of RFC 3711 B.2', () => {
    const stream = new KeyStream(
      bytes('2B7E151628AED2A6ABF7158809CF4F3C'),
      bytes('F0F1F2F3F4F5F6F7F8F9FAFBFCFD'),
    );
    const packet = Buffer.alloc(48);
    stream.apply(packet, { start: 0, end: 48 }, 0, 0);
    expect(packet).toEqual(
      bytes(
        'E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0',
      ),
    );
    // The same, where the stream is longer than what is made ahead.
    const long = Buffer.alloc(1472);
    stream.apply(long, { start: 0, end: 1472 }, 0, 0);
    expect(long.subarray(0, 48)).toEqual(packet);
  });

  it('are derived as in RFC 3711 B.3', () => {
    const master = bytes('E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6');
    expect(deriveKey(master, 0, 16)).toEqual(bytes('C61E7A93744F39EE10734AFE3FF7A087'));
    expect(deriveKey(master, 2, 14)).toEqual(bytes('30CBBC08863D8C85D49DB34A9AE1'));
    expect(deriveKey(master, 1, 94)).toEqual(
      bytes(`CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE E049646C43D9327AD175578EF7227098
        6371C10C9A369AC2F94A8C5FBCDDDC25 6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2`),
    );
  });

  it('have thirty bytes', () => {
    expect(() => new SrtpSender(SUITE, new Uint8Array(29))).toThrow(RangeError);
  });
});

/** A packet of 160 bytes whose payload says its number, in memory that has room for a tag. */
function plain(sequence: number, { ssrc = 7, payload = 160 } = {}): Buffer {
  const datagram = Buffer.alloc(12 + payload + 14, sequence & 0xff);
  writeHeader({ marker: false, payloadType: 0, sequence, timestamp: sequence * 160, ssrc }, datagram);
  return datagram;
}

function protect(sender: SrtpSender, sequence: number, options: Parameters<typeof plain>[1] = {}): Buffer {
  const datagram = plain(sequence, options);
  return Buffer.from(datagram.subarray(0, sender.protect(datagram, 12 + (options.payload ?? 160))));
}

/** The payload as it was, or undefined. */
function unprotect(receiver: SrtpReceiver, datagram: Buffer): Buffer | undefined {
  const copy = Buffer.from(datagram);
  const packet = emptyPacket();
  expect(readHeader(copy, packet)).toBe(true);
  return receiver.unprotect(copy, packet) ? copy.subarray(packet.start, packet.end) : undefined;
}

describe('SRTP', () => {
  it.each([
    [SUITE, 182],
    ['AES_CM_128_HMAC_SHA1_32', 176],
  ] as const)('opens what it protected with %s', (suite, length) => {
    const [sender, receiver] = [new SrtpSender(suite, KEY), new SrtpReceiver(suite, KEY)];
    for (let sequence = 1; sequence < 40; sequence++) {
      const datagram = protect(sender, sequence);
      expect(datagram).toHaveLength(length);
      expect(datagram.includes(Buffer.alloc(16, sequence))).toBe(false);
      expect(unprotect(receiver, datagram)).toEqual(Buffer.alloc(160, sequence));
    }
  });

  it('takes short and long packets of one stream by turns', () => {
    const [sender, receiver] = [new SrtpSender(SUITE, KEY), new SrtpReceiver(SUITE, KEY)];
    for (const [sequence, payload] of [4, 160, 161, 1, 240, 1400, 4, 160].entries())
      expect(unprotect(receiver, protect(sender, sequence, { payload }))).toEqual(
        Buffer.alloc(payload, sequence),
      );
  });

  it('refuses what is forged, cut, replayed or too old, and what another key made', () => {
    const [sender, receiver] = [new SrtpSender(SUITE, KEY), new SrtpReceiver(SUITE, KEY)];
    const datagrams = Array.from({ length: 200 }, (_, sequence) => protect(sender, sequence));
    const [first, second, third] = datagrams as [Buffer, Buffer, Buffer];
    expect(unprotect(receiver, first)).toBeDefined();
    for (const at of [1, 3, 7, 12, 100, 181]) {
      const forged = Buffer.from(second);
      forged[at] = (forged[at] as number) ^ 1;
      expect(unprotect(receiver, forged)).toBeUndefined();
    }
    expect(unprotect(receiver, second.subarray(0, 100))).toBeUndefined();
    expect(unprotect(receiver, second.subarray(0, 20))).toBeUndefined();
    expect(unprotect(new SrtpReceiver(SUITE, Buffer.alloc(30, 1)), second)).toBeUndefined();
    expect(unprotect(receiver, third)).toBeDefined();
    expect(unprotect(receiver, second)).toBeDefined();
    for (const replayed of [first, second, third]) expect(unprotect(receiver, replayed)).toBeUndefined();
    expect(unprotect(receiver, datagrams[199] as Buffer)).toBeDefined();
    expect(unprotect(receiver, datagrams[50] as Buffer)).toBeUndefined();
    expect(unprotect(receiver, datagrams[150] as Buffer)).toBeDefined();
  });

  it('counts roll-overs, in spite of loss and disorder around them', () => {
    const [sender, receiver] = [new SrtpSender(SUITE, KEY), new SrtpReceiver(SUITE, KEY)];
    const sent = new Map<number, Buffer>();
    for (let index = 65_000; index < 3 * 65_536; index++) sent.set(index, protect(sender, index & 0xffff));
    const order = [
      65_000, 65_530, 65_537, 65_535, 65_540, 65_536, 98_000, 120_000, 131_071, 131_072, 150_000,
    ];
    for (const index of order)
      expect(unprotect(receiver, sent.get(index) as Buffer)).toEqual(Buffer.alloc(160, index & 0xff));
    // A new context knows nothing of roll-overs before it.
    expect(unprotect(new SrtpReceiver(SUITE, KEY), sent.get(70_000) as Buffer)).toBeUndefined();
    expect(unprotect(new SrtpReceiver(SUITE, KEY), sent.get(65_001) as Buffer)).toBeDefined();
  });

  it('starts at roll-over 0 with another source', () => {
    const receiver = new SrtpReceiver(SUITE, KEY);
    const [one, other] = [new SrtpSender(SUITE, KEY), new SrtpSender(SUITE, KEY)];
    expect(unprotect(receiver, protect(one, 65_535))).toBeDefined();
    expect(unprotect(receiver, protect(one, 0))).toBeDefined();
    for (const sequence of [5, 6])
      expect(unprotect(receiver, protect(other, sequence, { ssrc: 8 }))).toEqual(Buffer.alloc(160, sequence));
    // The same numbers from yet another source have another key stream.
    const third = new SrtpSender(SUITE, KEY);
    for (const sequence of [6, 7])
      expect(unprotect(receiver, protect(third, sequence, { ssrc: 9 }))).toEqual(Buffer.alloc(160, sequence));
  });

  it('estimates indexes as RFC 3711 appendix A does', () => {
    expect(indexNear(0, 65_535)).toBe(65_536);
    expect(indexNear(65_535, 65_536)).toBe(65_535);
    expect(indexNear(40_000, 1)).toBe(40_000 - 65_536);
    expect(indexNear(30_000, 1)).toBe(30_000);
    expect(indexNear(10, 5 * 65_536 + 40_000)).toBe(6 * 65_536 + 10);
    expect(indexNear(10_000, 5 * 65_536 + 40_000)).toBe(5 * 65_536 + 10_000);
  });

  it('remembers a window of indexes and no more', () => {
    const window = new ReplayWindow();
    window.add(100);
    expect([window.has(100), window.has(99), window.has(37), window.has(36)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    window.add(120);
    window.add(170);
    expect([window.has(164), window.has(120), window.has(170)]).toEqual([false, true, true]);
    window.add(180);
    expect([window.has(116), window.has(117), window.has(179)]).toEqual([true, false, false]);
    window.add(1000);
    expect([window.has(999), window.has(1000 - 63), window.has(1001)]).toEqual([false, false, false]);
  });

  it('remembers each of 64 indexes, in whatever order they come', () => {
    const random = seededRandom(3);
    const window = new ReplayWindow();
    const here = new Set<number>();
    for (let round = 0, highest = -1; round < 5000; round++) {
      const index = Math.max(
        0,
        highest + Math.round((random.fraction() - 0.7) * (round % 50 === 0 ? 200 : 60)),
      );
      expect(window.has(index)).toBe(here.has(index) || index <= highest - 64);
      if (window.has(index)) continue;
      window.add(index);
      here.add(index);
      highest = Math.max(highest, index);
      expect(window.highest).toBe(highest);
    }
  });
});

describe('an independent implementation', () => {
  const profile = ProtectionProfileAes128CmHmacSha1_80;
  const [local, remote] = [KEY, Buffer.from(KEY.map((byte) => byte ^ 0x55))];
  const keys = {
    localMasterKey: local.subarray(0, 16),
    localMasterSalt: local.subarray(16),
    remoteMasterKey: remote.subarray(0, 16),
    remoteMasterSalt: remote.subarray(16),
  };

  it('opens our SRTP, over a roll-over', () => {
    const theirs = new SrtpSession({ keys, profile });
    const ours = new SrtpSender(SUITE, remote);
    for (const sequence of [65_533, 65_534, 65_535, 0, 1, 2]) {
      const packet = theirs.decrypt(protect(ours, sequence));
      expect(RtpPacket.deSerialize(packet).payload).toEqual(Buffer.alloc(160, sequence & 0xff));
    }
  });

  it('makes SRTP that we open', () => {
    const theirs = new SrtpSession({ keys, profile });
    const ours = new SrtpReceiver(SUITE, local);
    for (const sequence of [65_534, 65_535, 0, 1]) {
      const header = new RtpHeader({ payloadType: 0, sequenceNumber: sequence, timestamp: 160, ssrc: 7 });
      const payload = Buffer.alloc(160, sequence & 0xff);
      expect(unprotect(ours, theirs.encrypt(payload, header))).toEqual(payload);
    }
  });

  it('opens our SRTCP and makes SRTCP that we open, once', () => {
    const theirs = new SrtcpSession({ keys, profile });
    const report = bytes('81c90007 00000007 00000009 00000000 00000001 00000000 00000000 00000000');
    expect(RtcpPacketConverter.deSerialize(report)).toHaveLength(1);
    const ours = new SrtcpSender(remote);
    for (let times = 0; times < 3; times++) {
      const sent = ours.protect(report);
      expect(sent.subarray(8, 32)).not.toEqual(report.subarray(8));
      expect(theirs.decrypt(sent)).toEqual(report);
    }
    const receiver = new SrtcpReceiver(local);
    const arrived = theirs.encrypt(report);
    expect(receiver.unprotect(Buffer.from(arrived))).toEqual(report);
    expect(receiver.unprotect(Buffer.from(arrived))).toBeUndefined();
    const forged = theirs.encrypt(report);
    forged[20] = (forged[20] as number) ^ 1;
    expect(receiver.unprotect(forged)).toBeUndefined();
    expect(receiver.unprotect(Buffer.alloc(12))).toBeUndefined();
  });
});
