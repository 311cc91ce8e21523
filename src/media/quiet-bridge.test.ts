import { describe, expect, it } from 'vitest';
import { arriving, bridge, callee, caller, read } from '../../test/support/rtp-legs.ts';
import type { PeerMedia } from './engine.ts';
import { Recorder } from './recorder.ts';

describe('a bridge that has nothing to relay', () => {
  /** A bridge after so many beats in which nothing came, and what each beat sent to the far side. */
  const quiet = (frames: number, far: Partial<PeerMedia> = {}) => {
    const { a, b } = bridge({ far });
    const sentAt: number[] = [];
    const pass = (from: number, to: number): void => {
      for (let frame = from; frame <= to; frame++) {
        a.beat.run(frame);
        const before = b.sent.length;
        b.beat.run(frame);
        if (b.sent.length > before) sentAt.push(frame);
      }
    };
    pass(1, frames);
    return { a, b, sentAt, pass };
  };

  it('is sent silence five times in the first second and then every 15 s, and its reports', () => {
    const { b, sentAt } = quiet(2400);
    expect(sentAt).toEqual([1, 11, 21, 31, 41, 791, 1541, 2291]);
    expect(new Set(b.sent.map((each) => read(each).payload[0]))).toEqual(new Set([0xff]));
    // 48 s of reports that are 2 to 6 s apart.
    expect(b.rtcp.length).toBeGreaterThanOrEqual(7);
    expect(b.rtcp.length).toBeLessThanOrEqual(24);
  });

  it.each([
    ['soon after the last packet, from a clock that stood still', 110, 0],
    ['soon after the last packet, from a clock that went on', 110, 60],
    ['just after what keeps the way open, from a clock that stood still', 802, 0],
    ['just after what keeps the way open, from a clock that went on', 802, 752],
  ])('sounds at once, marked and in time, when packets come again: %s', (_, frame, passed) => {
    const { a, b, pass } = quiet(50);
    const speak = (sequence: number, timestamp: number): void =>
      a.session.receive(arriving({ sequence, timestamp }), caller, 0);
    speak(1, 77_000);
    pass(51, frame);
    const spoken = b.sent.findIndex((each) => read(each).payload[0] === 1);
    const silent = b.sent.length;
    for (const sequence of [2, 3]) speak(sequence, 77_000 + (sequence - 1 + passed) * 160);
    const packets = b.sent.map(read);
    const again = packets.slice(silent);
    expect(again.map(({ payload, marker }) => [payload[0], marker])).toEqual([
      [2, true],
      [3, false],
    ]);
    const [first, second] = again.map(({ timestamp }) => timestamp) as [number, number];
    expect((first - (packets[spoken]?.timestamp as number)) >>> 0).toBe((frame - 50) * 160);
    expect((second - first) >>> 0).toBe(160);
    expect(packets[silent]?.sequence).toBe((packets[0]?.sequence as number) + silent);
  });

  it.each([
    [
      'a prompt',
      {},
      0,
      ({ b }) => b.session.play(1, { kind: 'tone', frequenciesHz: [440], durationMs: 100 }),
    ],
    ['digits', {}, 97, ({ b }) => b.session.press(1, '5')],
    [
      'a key of the other side',
      { dtmfPayloadType: undefined as never },
      0,
      ({ b }) => b.session.soundKey('5'),
    ],
  ] satisfies [string, Partial<PeerMedia>, number, (legs: ReturnType<typeof quiet>) => void][])(
    'sounds %s in the very next beat, marked, and in every one after it',
    (_, far, type, start) => {
      const legs = quiet(500, far);
      const before = legs.b.sent.length;
      start(legs);
      legs.pass(501, 503);
      const packets = legs.b.sent.slice(before).map(read);
      expect(packets.map(({ payloadType, marker }) => [payloadType, marker])).toEqual([
        [type, true],
        [type, false],
        [type, false],
      ]);
    },
  );

  it('opens the way again when the peer is elsewhere, or may be sent to again', () => {
    const { b, sentAt, pass } = quiet(500);
    b.session.connect({ ...callee, port: 6100 }, 10_000);
    pass(501, 600);
    b.session.connect({ ...callee, direction: 'recvonly' }, 12_000);
    pass(601, 2000);
    b.session.connect(callee, 40_000);
    pass(2001, 2100);
    const again = [2001, 2011, 2021, 2031, 2041];
    expect(sentAt.slice(5)).toEqual([501, 511, 521, 531, 541, ...again]);
  });

  it('is recorded as long as it was', () => {
    const { a, b, pass } = quiet(500);
    const chunks: Buffer[] = [];
    const recorder = new Recorder({ channels: 2 }, 500, {
      write: (chunk) => chunks.push(chunk),
      ended: () => {},
    });
    b.session.record(recorder);
    for (const [frame, next] of [
      [510, 700],
      [700, 720],
    ] as const) {
      pass(frame === 510 ? 501 : frame + 1, frame);
      a.session.receive(arriving({ sequence: frame, payload: Buffer.alloc(160, 0x80) }), caller, frame * 20);
      pass(frame + 1, next);
    }
    recorder.finish('stopped', 720);
    const samples = Buffer.concat(chunks);
    const loud = Array.from({ length: 220 }, (_, at) => samples.readInt16LE(at * 640 + 2) !== 0);
    expect(samples).toHaveLength(220 * 640);
    expect(loud.flatMap((is, at) => (is ? [at] : []))).toEqual([10, 200]);
    expect(b.sent).toHaveLength(7);
  });
});
