import { describe, expect, it } from 'vitest';
import { seededRandom } from '../lib/random.ts';
import { Beat } from './beat.ts';
import type { PeerMedia } from './engine.ts';
import { emptyPacket, readRtp, writeHeader } from './rtp.ts';
import { RtpSession } from './rtp-session.ts';
import { fillTone, toneLevel } from './tone.ts';

const peer: PeerMedia = { address: '192.0.2.1', port: 4000, payloadType: 0, dtmfPayloadType: 101 };

function start({ seed = 1, captureSamples = 8000 } = {}) {
  const sent: { datagram: Buffer; port: number; address: string }[] = [];
  const finished: number[] = [];
  const digits: string[] = [];
  const rtcp: Buffer[] = [];
  const settled: (number | undefined)[] = [];
  const beat = new Beat();
  const session = new RtpSession({
    beat,
    random: seededRandom(seed),
    captureSamples,
    families: [4],
    lostAfterMs: 0,
    now: () => 0,
    sockets: {
      send: (datagram, to) => sent.push({ ...to, datagram: Buffer.from(datagram) }),
      sendRtcp: (datagram) => rtcp.push(Buffer.from(datagram)),
      settle: (source) => settled.push(source?.port),
    },
    digit: (digit) => digits.push(digit),
    lost: () => {},
    finished: (play) => finished.push(play),
  });
  return { session, beat, sent, finished, digits, rtcp, settled };
}

const read = ({ datagram }: { datagram: Buffer }) => {
  const packet = emptyPacket();
  expect(readRtp(datagram, packet)).toBe(true);
  return { ...packet, marker: ((datagram[1] as number) & 0x80) !== 0 };
};

const arriving = (
  sequence: number,
  { payloadType = 0, payload = Buffer.alloc(160, 0x80) as Buffer, ssrc = 9 } = {},
): Buffer => {
  const header = Buffer.alloc(12);
  writeHeader({ marker: false, payloadType, sequence, timestamp: sequence * 160, ssrc }, header);
  return Buffer.concat([header, payload]);
};

describe('RtpSession, sending', () => {
  it('sends nothing before it is connected, then silence every frame', () => {
    const { session, beat, sent } = start();
    beat.run(1);
    expect(sent).toEqual([]);
    session.connect(peer, 0);
    beat.run(2);
    beat.run(3);
    expect(sent).toMatchObject([{ port: 4000, address: '192.0.2.1' }, {}]);
    expect(sent[0]?.datagram.subarray(12)).toEqual(Buffer.alloc(160, 0xff));
    session.connect({ ...peer, payloadType: 8 }, 0);
    beat.run(4);
    expect(sent[2]?.datagram.subarray(12)).toEqual(Buffer.alloc(160, 0xd5));
  });

  it('counts sequence by packet and timestamp by frame, skipped frames included', () => {
    const { session, beat, sent } = start();
    session.connect(peer, 0);
    for (const frame of [10, 11, 15]) beat.run(frame);
    const [first, second, third] = sent.map(read);
    expect(second?.sequence).toBe((first?.sequence as number) + 1);
    expect(third?.sequence).toBe((first?.sequence as number) + 2);
    expect(((second?.timestamp as number) - (first?.timestamp as number)) >>> 0).toBe(160);
    expect(((third?.timestamp as number) - (first?.timestamp as number)) >>> 0).toBe(800);
    expect(new Set([first?.ssrc, second?.ssrc, third?.ssrc]).size).toBe(1);
  });

  it('starts every session with an SSRC of its own and a sequence below 2^15', () => {
    const first = Array.from({ length: 50 }, (_, seed) => {
      const { session, beat, sent } = start({ seed });
      session.connect(peer, 0);
      beat.run(1);
      return read(sent[0] as { datagram: Buffer });
    });
    expect(new Set(first.map(({ ssrc }) => ssrc)).size).toBe(50);
    expect(Math.max(...first.map(({ sequence }) => sequence))).toBeLessThan(2 ** 15);
  });

  it('marks the first packet and the first after a gap', () => {
    const { session, beat, sent } = start();
    session.connect(peer, 0);
    beat.run(1);
    beat.run(2);
    session.mute();
    beat.run(3);
    expect(sent).toHaveLength(2);
    session.echo();
    beat.run(4);
    beat.run(5);
    expect(sent.map((each) => read(each).marker)).toEqual([true, false, true, false]);
  });

  it('plays to the end and says so once; a prompt before the connection waits', () => {
    const { session, beat, sent, finished } = start();
    session.play(7, { kind: 'tone', frequenciesHz: [1000], durationMs: 40 });
    beat.run(1);
    session.connect(peer, 0);
    beat.run(2);
    expect(finished).toEqual([]);
    beat.run(3);
    beat.run(4);
    expect(finished).toEqual([7]);
    const silent = sent.map(({ datagram }) => datagram.subarray(12).every((code) => code === 0xff));
    expect(silent).toEqual([false, false, true]);
  });

  it.each<[what: string, nowhere: Partial<PeerMedia>]>([
    ['holds', { address: '0.0.0.0' }],
    ['is of another family', { address: '2001:db8::1' }],
    ['has no address', { address: 'media.example' }],
    ['has no port', { port: 0 }],
    ['has no such port', { port: 65_536 }],
  ])('plays on for nobody while the peer %s', (_, nowhere) => {
    const { session, beat, sent, finished } = start();
    session.connect({ ...peer, ...nowhere }, 0);
    session.play(1, { kind: 'silence', durationMs: 40 });
    beat.run(1);
    beat.run(2);
    expect(sent).toEqual([]);
    expect(finished).toEqual([1]);
  });

  it('does not follow a forged source port of 0', () => {
    const { session, beat, sent } = start();
    session.connect(peer, 0);
    session.receive(arriving(1), { ...peer, port: 0 }, 1);
    beat.run(1);
    expect(sent).toMatchObject([{ port: 4000 }]);
    expect(session.captured()).toHaveLength(0);
  });
});

describe('RtpSession, hearing', () => {
  const connected = (options = {}) => {
    const started = start(options);
    started.session.connect(peer, 0);
    return started;
  };

  it('captures both laws, and nothing that is not sound', () => {
    const { session } = connected();
    session.receive(arriving(1), peer, 1);
    session.receive(arriving(2, { payloadType: 8, payload: Buffer.alloc(80, 0xaa) }), peer, 1);
    session.receive(arriving(3, { payloadType: 101, payload: Buffer.alloc(4) }), peer, 1);
    session.receive(arriving(4, { payloadType: 18 }), peer, 1);
    const captured = session.captured();
    expect([...new Set(captured.subarray(0, 160))]).toEqual([32_124]);
    expect([...new Set(captured.subarray(160))]).toEqual([32_256]);
    expect(captured).toHaveLength(240);
    expect(session.statistics()).toMatchObject({ packetsSent: 0, packetsReceived: 3, packetsRefused: 1 });
  });

  it.each<[string, Buffer, { address: string; port: number }]>([
    ['a stranger', arriving(2), { address: '198.51.100.66', port: 4000 }],
    ['another port', arriving(2), { address: '192.0.2.1', port: 4002 }],
    ['another SSRC', arriving(2, { ssrc: 10 }), peer],
    ['a duplicate', arriving(1), peer],
    ['version 1', Buffer.concat([Buffer.of(0x40), arriving(2).subarray(1)]), peer],
    ['an oversized packet', arriving(2, { payload: Buffer.alloc(1500, 0x80) }), peer],
  ])('does not hear %s', (_, datagram, from) => {
    const { session } = connected();
    session.receive(arriving(1), peer, 1);
    session.receive(datagram, from, 2);
    expect(session.captured()).toHaveLength(160);
    expect(session.statistics().packetsRefused).toBe(1);
  });

  it('hears nothing before it is connected', () => {
    const { session } = start();
    session.receive(arriving(1), peer, 1);
    expect(session.captured()).toHaveLength(0);
  });

  it('keeps the first samples only, and stops at the limit', () => {
    const { session } = connected({ captureSamples: 200 });
    session.receive(arriving(1), peer, 1);
    session.receive(arriving(2), peer, 1);
    session.receive(arriving(3), peer, 1);
    expect(session.captured()).toHaveLength(200);
  });

  it('compares IPv6 addresses by value and sends where packets came from', () => {
    const { session } = start();
    session.connect({ ...peer, address: '2001:0DB8:0:0::1' }, 0);
    session.receive(arriving(1), { address: '2001:db8::1', port: 4000 }, 1);
    expect(session.statistics().packetsReceived).toBe(1);
  });

  it('latches anew only when it is connected again', () => {
    const { session, beat, sent } = connected();
    session.receive(arriving(1), { ...peer, port: 5000 }, 1);
    session.receive(arriving(2), { ...peer, port: 6000 }, 1);
    beat.run(1);
    session.connect(peer, 2);
    session.receive(arriving(3, { ssrc: 77 }), { ...peer, port: 6000 }, 2);
    beat.run(2);
    expect(sent.map(({ port }) => port)).toEqual([5000, 6000]);
  });

  it('echoes what it hears in the law the peer wants', () => {
    const { session, beat, sent } = connected();
    session.connect({ ...peer, payloadType: 8 }, 0);
    session.echo();
    const samples = new Int16Array(160);
    for (let frame = 1; frame <= 20; frame++) {
      fillTone([1000], frame * 160, samples);
      // 1000 Hz repeats every 8 samples, so that one frame may stand for all.
      session.receive(arriving(frame, { payload: ulaw(samples) }), peer, frame);
      beat.run(frame);
    }
    const listener = start();
    listener.session.connect(peer, 0);
    for (const { datagram } of sent) listener.session.receive(datagram, peer, 0);
    expect(sent.map((each) => read(each).payloadType)).toEqual(Array.from({ length: 20 }, () => 8));
    expect(toneLevel(listener.session.captured().subarray(320), 1000)).toBeGreaterThan(0.45);
  });
});

function ulaw(samples: Int16Array): Buffer {
  const { session, beat, sent } = start();
  session.connect(peer, 0);
  session.play(1, { kind: 'samples', samples });
  beat.run(1);
  return sent.map(({ datagram }) => datagram.subarray(12))[0] as Buffer;
}
