import { describe, expect, it } from 'vitest';
import { type Arriving, arriving, bridge, callee, caller, leg, read } from '../../test/support/rtp-legs.ts';
import { LATCH_MS } from './latch.ts';
import { Recorder } from './recorder.ts';
import { SrtpSender } from './srtp.ts';
import { eventOf, writeEvent } from './telephone-event.ts';

const event = (key: string, duration: number, end: boolean): Buffer => {
  const payload = Buffer.alloc(4);
  writeEvent({ event: eventOf(key), duration, end }, payload, 0);
  return payload;
};

describe('a bridge', () => {
  it('passes payloads on as they are, in a stream of its own that goes on from its silence', () => {
    const { a, b } = bridge();
    for (let frame = 1; frame <= 3; frame++) b.beat.run(frame);
    for (let frame = 4; frame <= 8; frame++) {
      a.beat.run(frame);
      b.beat.run(frame);
      a.session.receive(arriving({ sequence: frame }), caller, frame * 20);
    }
    const packets = b.sent.map(read);
    expect(new Set(packets.map(({ ssrc }) => ssrc)).size).toBe(1);
    expect(packets[0]?.ssrc).not.toBe(9);
    const steps = packets.slice(1).map((packet, at) => packet.sequence - (packets[at]?.sequence ?? 0));
    expect(new Set(steps)).toEqual(new Set([1]));
    const relayed = packets.slice(-5);
    expect(relayed.map(({ payload }) => payload[0])).toEqual([4, 5, 6, 7, 8]);
    const times = relayed.map(({ timestamp }) => timestamp);
    expect(times.slice(1).map((time, at) => (time - (times[at] as number)) >>> 0)).toEqual([
      160, 160, 160, 160,
    ]);
    // Where the stream's own beat is, give or take a frame.
    const silence = packets[0]?.timestamp as number;
    expect((times[0] as number) - silence).toBe(3 * 160);
    expect(relayed.map(({ marker }) => marker)).toEqual([true, false, false, false, false]);
  });

  it('leaves behind what surrounds a payload: sources, an extension, padding', () => {
    const { a, b } = bridge();
    const plain = arriving({ sequence: 5 });
    const payload = plain.subarray(12);
    const around = Buffer.concat([plain.subarray(0, 12), Buffer.alloc(4 + 8), payload, Buffer.from([0, 2])]);
    around[0] = 0x80 | 0x20 | 0x10 | 1; // padding, an extension of one word, one source
    around.writeUInt16BE(1, 12 + 4 + 2);
    a.session.receive(around, a.peer, 100);
    expect(b.sent).toHaveLength(1);
    expect(read(b.sent[0] as Buffer).payload).toEqual(payload);
    expect(b.sent[0]).toHaveLength(12 + 160);
  });

  it('fills with silence when the other side says nothing, and not before', () => {
    const { a, b } = bridge();
    b.beat.run(1);
    a.beat.run(1);
    a.session.receive(arriving({ sequence: 1 }), caller, 20);
    const after = b.sent.length;
    for (let frame = 2; frame < 11; frame++) b.beat.run(frame);
    expect(b.sent).toHaveLength(after);
    b.beat.run(11);
    expect(read(b.sent.at(-1) as Buffer).payload[0]).toBe(0xff);
  });

  it('rests while it relays, and is there in the beat after something else is wanted of it', () => {
    const relaying = () => {
      const { a, b } = bridge();
      b.beat.run(1);
      a.session.receive(arriving({ sequence: 1 }), a.peer, 20);
      b.beat.run(2);
      b.sent.length = 0;
      return b;
    };
    const pressing = relaying();
    pressing.session.press(1, '5');
    pressing.beat.run(3);
    expect(pressing.sent.map((datagram) => read(datagram).payloadType)).toEqual([97]);

    const alone = relaying();
    alone.session.unbridge();
    alone.beat.run(3);
    expect(alone.sent.map((datagram) => read(datagram).payload)).toEqual([Buffer.alloc(160, 0xff)]);

    const frames: number[] = [];
    const recorded = relaying();
    const ends = { write: () => {}, ended: () => {} };
    const recorder = new Recorder({ channels: 1 }, 2, ends);
    recorder.tick = (frame) => void frames.push(frame);
    recorded.session.record(recorder);
    for (const frame of [3, 4]) recorded.beat.run(frame);
    expect(frames).toEqual([3, 4]);
  });

  it('puts one law in place of the other, and back', () => {
    const { a, b } = bridge({ far: { payloadType: 8 } });
    const codes = Buffer.from(Array.from({ length: 160 }, (_, at) => at));
    a.session.receive(arriving({ sequence: 1, payload: codes }), caller, 20);
    const relayed = read(b.sent[0] as Buffer);
    expect(relayed.payloadType).toBe(8);
    expect(relayed.payload).toHaveLength(160);
    b.session.receive(
      arriving({ sequence: 1, payloadType: 8, payload: relayed.payload, ssrc: 5 }),
      callee,
      20,
    );
    const back = read(a.sent[0] as Buffer);
    expect(back.payloadType).toBe(0);
    const heard = leg(3, caller);
    heard.session.receive(arriving({ sequence: 1, payload: codes }), caller, 20);
    heard.session.receive(arriving({ sequence: 2, payload: back.payload }), caller, 40);
    const captured = heard.session.captured();
    const worst = Math.max(
      ...codes.map(
        (_, at) =>
          Math.abs((captured[at] as number) - (captured[160 + at] as number)) /
          (Math.abs(captured[at] as number) + 64),
      ),
    );
    expect(worst).toBeLessThan(0.12);
  });

  it('passes events on with their payload type, marker and one timestamp, and tells the key once', () => {
    const { a, b } = bridge();
    a.session.receive(arriving({ sequence: 1 }), caller, 20);
    const packets = [
      arriving({
        sequence: 2,
        timestamp: 90_000,
        payloadType: 101,
        payload: event('7', 160, false),
        marker: true,
      }),
      arriving({ sequence: 3, timestamp: 90_000, payloadType: 101, payload: event('7', 40_000, false) }),
      ...[4, 5, 6].map((sequence) =>
        arriving({ sequence, timestamp: 90_000, payloadType: 101, payload: event('7', 40_160, true) }),
      ),
    ];
    for (const packet of packets) a.session.receive(packet, caller, 40);
    expect([a.digits, b.digits]).toEqual([['7'], []]);
    const relayed = b.sent.slice(1).map(read);
    expect(relayed.map(({ payloadType, marker }) => [payloadType, marker])).toEqual([
      [97, true],
      [97, false],
      [97, false],
      [97, false],
      [97, false],
    ]);
    expect(new Set(relayed.map(({ timestamp }) => timestamp)).size).toBe(1);
    expect(relayed.map(({ payload }) => payload.readUInt16BE(2))).toEqual([
      160, 40_000, 40_160, 40_160, 40_160,
    ]);
  });

  it('keeps one timestamp through an event of many seconds', () => {
    const { a, b } = bridge();
    for (let frame = 5; frame < 300; frame += 5) {
      for (const { beat } of [a, b]) beat.run(frame);
      const payload = event('0', frame * 160, false);
      a.session.receive(
        arriving({ sequence: frame, timestamp: 90_000, payloadType: 101, payload }),
        caller,
        0,
      );
    }
    const relayed = b.sent.map(read).filter(({ payloadType }) => payloadType === 97);
    expect(relayed).toHaveLength(59);
    expect(new Set(relayed.map(({ timestamp }) => timestamp)).size).toBe(1);
  });

  it('carries on in time when the source changes or its clock jumps', () => {
    const { a, b } = bridge();
    const at = (frame: number, packet: Arriving) => {
      a.beat.run(frame);
      b.beat.run(frame);
      a.session.receive(arriving(packet), caller, frame * 20);
    };
    at(1, { sequence: 1 });
    at(2, { sequence: 2, timestamp: 4_000_000_000 });
    a.session.connect(caller, 60);
    at(3, { sequence: 900, timestamp: 5, ssrc: 10 });
    // Another source that could be the same one by its timestamps.
    a.session.connect(caller, 80);
    at(4, { sequence: 7, timestamp: 5 + 800, ssrc: 11 });
    const relayed = b.sent.map(read).filter(({ payload }) => payload[0] !== 0xff);
    const times = relayed.map(({ timestamp }) => timestamp);
    expect(times.slice(1).map((time, at) => (time - (times[at] as number)) >>> 0)).toEqual([160, 160, 160]);
    expect(relayed.map(({ marker }) => marker)).toEqual([true, true, true, true]);
  });

  it('sends nothing to a leg on hold, nor anything while a prompt plays', () => {
    const held = bridge({ far: { direction: 'recvonly' } });
    held.a.session.receive(arriving({ sequence: 1 }), caller, 20);
    expect(held.b.sent).toEqual([]);
    const { a, b } = bridge();
    b.session.play(1, { kind: 'tone', frequenciesHz: [440], durationMs: 20 });
    a.session.receive(arriving({ sequence: 1 }), caller, 20);
    expect(b.sent).toEqual([]);
    b.beat.run(1);
    expect(b.finished).toEqual([1]);
    a.session.receive(arriving({ sequence: 2 }), caller, 40);
    expect(b.sent.map((each) => read(each).payload[0] === 2)).toEqual([false, true]);
  });
});

describe('settling', () => {
  it('is told once, at once for the source that was named, after five seconds for another', () => {
    const { session, settled } = leg(1, caller);
    expect(settled).toEqual([undefined]);
    session.receive(arriving({ sequence: 1 }), { ...caller, port: 5000 }, 10);
    session.receive(arriving({ sequence: 2 }), { ...caller, port: 5000 }, LATCH_MS);
    expect(settled).toEqual([undefined]);
    session.receive(arriving({ sequence: 3 }), { ...caller, port: 5000 }, LATCH_MS + 1);
    session.receive(arriving({ sequence: 4 }), { ...caller, port: 5000 }, LATCH_MS + 2);
    expect(settled).toEqual([undefined, 5000]);
    session.connect(caller, LATCH_MS + 3);
    session.receive(arriving({ sequence: 5 }), caller, LATCH_MS + 4);
    expect(settled).toEqual([undefined, 5000, undefined, 4000]);
  });

  it('needs the key where there is one', () => {
    const key = new Uint8Array(30).fill(1);
    const srtp = { suite: 'AES_CM_128_HMAC_SHA1_80', localKey: key, remoteKey: key } as const;
    const { session, settled } = leg(1, { ...caller, srtp });
    const nat = { ...caller, port: 5000 };
    session.receive(Buffer.concat([arriving({ sequence: 1 }), Buffer.alloc(10)]), nat, 1);
    session.receive(Buffer.concat([arriving({ sequence: 1 }), Buffer.alloc(10)]), caller, 1);
    expect([settled, session.statistics().packetsRefused]).toEqual([[undefined], 2]);
    const datagram = Buffer.concat([arriving({ sequence: 2 }), Buffer.alloc(10)]);
    new SrtpSender(srtp.suite, key).protect(datagram, 172);
    session.receive(datagram, caller, 2);
    expect(settled).toEqual([undefined, 4000]);
    expect(session.captured()).toHaveLength(160);
  });
});

describe('RTCP', () => {
  it('goes one port above, or where the peer wants it, and ends with BYE', () => {
    for (const [peer, port] of [
      [caller, 4001],
      [{ ...caller, rtcpPort: 4999 }, 4999],
    ] as const) {
      const { session, beat, rtcp } = leg(1, peer);
      for (let frame = 1; frame <= 500; frame++) beat.run(frame);
      expect(rtcp.length).toBeGreaterThanOrEqual(2);
      expect(rtcp.length).toBeLessThanOrEqual(5);
      session.close();
      expect(new Set(rtcp.map((each) => each.port))).toEqual(new Set([port]));
      expect(rtcp[0]?.datagram[1]).toBe(200);
      expect(rtcp.at(-1)?.datagram.subarray(-8, -6)).toEqual(Buffer.of(0x81, 203));
    }
  });

  it('tells the round trip, and is not heard from a stranger', () => {
    const one = leg(1, { ...callee, port: 7000 });
    const other = leg(2, caller);
    const reportOf = ({ beat, rtcp }: typeof one): Buffer => {
      const before = rtcp.length;
      for (let frame = 1; rtcp.length === before && frame < 1000; frame++) beat.run(frame);
      return rtcp.at(-1)?.datagram as Buffer;
    };
    const first = reportOf(one);
    other.session.receive(one.sent[0] as Buffer, caller, 20);
    other.session.receiveRtcp(first, { ...caller, port: 4001 });
    const back = reportOf(other);
    one.session.receiveRtcp(back, { address: '198.51.100.66', port: 7001 });
    expect(one.session.statistics()).not.toHaveProperty('roundTripMs');
    one.session.receiveRtcp(back, { ...callee, port: 7001 });
    expect(one.session.statistics()).toMatchObject({ roundTripMs: 0 });
  });
});

describe('a peer of whom nothing comes', () => {
  /** A minute of beats, and what may be on top until the next report. */
  const MINUTE = { from: 2999, until: 3400 };
  const run = ({ beat }: ReturnType<typeof leg>, from: number, until: number): void => {
    for (let frame = from; frame <= until; frame++) beat.run(frame);
  };

  it('is lost after a minute, told once', () => {
    const one = leg(1, caller);
    run(one, 1, MINUTE.from);
    expect(one.lost).toEqual([]);
    run(one, MINUTE.from + 1, 9000);
    expect(one.lost).toEqual([true]);
  });

  it.each<[string, (one: ReturnType<typeof leg>) => void]>([
    ['sound', ({ session }) => session.receive(arriving({ sequence: 1 }), caller, 2)],
    [
      'a report',
      ({ session }) => {
        const other = leg(2, callee);
        run(other, 1, 500);
        session.receiveRtcp(other.rtcp[0]?.datagram as Buffer, { ...caller, port: 4001 });
      },
    ],
    ['a hold', ({ session }) => session.connect({ ...caller, direction: 'sendonly' }, 2)],
  ])('is not, where there was %s meanwhile', (_what, meanwhile) => {
    const one = leg(1, caller);
    run(one, 1, 2000);
    meanwhile(one);
    run(one, 2001, MINUTE.until);
    expect(one.lost).toEqual([]);
  });

  it('is told of in a bridge too, where the other one is heard', () => {
    const { a, b } = bridge();
    for (let frame = 1; frame <= MINUTE.until; frame++) {
      if (frame % 100 === 0) a.session.receive(arriving({ sequence: frame }), caller, 2);
      a.beat.run(frame);
      b.beat.run(frame);
    }
    expect([a.lost, b.lost]).toEqual([[], [true]]);
  });
});
