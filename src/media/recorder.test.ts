import { describe, expect, it } from 'vitest';
import type { RecordingEnd } from './recorder.ts';
import { Recorder, type RecorderEnd, type RecorderOptions } from './recorder.ts';

const FRAME = 160;

function start(options: Partial<RecorderOptions> = {}, firstFrame = 1000) {
  const chunks: Buffer[] = [];
  const ends: RecorderEnd[] = [];
  const recorder = new Recorder({ channels: 1, ...options }, firstFrame, {
    write: (chunk) => chunks.push(chunk),
    ended: (end) => ends.push(end),
  });
  let frame = firstFrame;
  const samplesOf = (value: number) => new Int16Array(FRAME).fill(value);
  return {
    recorder,
    ends,
    /** A frame passes; packets of constant samples came or went in it. */
    pass(packets: { heard?: number; sent?: number; at?: number; ssrc?: number } = {}): void {
      const { heard, sent, at = frame, ssrc = 1 } = packets;
      const packet = { timestamp: (0xffff_f000 + at * FRAME) >>> 0, ssrc, count: FRAME };
      if (heard !== undefined) recorder.hear(samplesOf(heard), packet, frame);
      if (sent !== undefined) recorder.send(samplesOf(sent), packet, frame);
      recorder.tick(++frame);
    },
    pause: (how: 'skip' | 'silence') => recorder.pause(how, frame),
    resume: () => recorder.resume(frame),
    stop: (by: 'stopped' | 'closed' = 'stopped') => recorder.finish(by, frame),
    /** First sample of each frame of a channel. */
    frames(channel = 0): number[] {
      const bytes = Buffer.concat(chunks);
      const step = (options.channels ?? 1) * 2;
      return Array.from({ length: bytes.length / step / FRAME }, (_, at) =>
        bytes.readInt16LE(at * FRAME * step + channel * 2),
      );
    },
  };
}

describe('Recorder', () => {
  it('keeps time by timestamps: lost packets are silence, late ones lie where they belong', () => {
    const { pass, stop, frames } = start();
    for (let at = 1000; at < 1020; at++) {
      if (at === 1005) pass();
      else if (at === 1008) pass();
      else if (at === 1010) {
        pass({ heard: 1008, at: 1008 });
      } else pass({ heard: at });
    }
    stop();
    const expected = Array.from({ length: 20 }, (_, at) => (at === 5 || at === 10 ? 0 : 1000 + at));
    expect(frames()).toEqual(expected);
  });

  it('puts directions side by side, or mixes them without overflow, or takes one', () => {
    const [dual, mixed, outbound] = [start({ channels: 2 }), start(), start({ track: 'outbound' })];
    for (const recording of [dual, mixed, outbound]) {
      for (let times = 0; times < 3; times++) recording.pass({ heard: 30_000, sent: 10_000 });
      recording.stop();
    }
    expect([dual.frames(0), dual.frames(1)]).toEqual([
      [30_000, 30_000, 30_000],
      [10_000, 10_000, 10_000],
    ]);
    expect(mixed.frames()).toEqual([32_767, 32_767, 32_767]);
    expect(outbound.frames()).toEqual([10_000, 10_000, 10_000]);
  });

  it('follows a new source, and a clock that jumps, in time', () => {
    const { pass, stop, frames } = start();
    pass({ heard: 1 });
    pass({ heard: 2 });
    pass({ heard: 3, at: 50_000 });
    pass({ heard: 4, at: 50_001 });
    pass({ heard: 5, at: 7, ssrc: 2 });
    pass({ heard: 6, at: 8, ssrc: 2 });
    stop();
    expect(frames()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('begins again where packets come from too long ago', () => {
    const { pass, stop, frames } = start();
    for (let at = 0; at < 40; at++) pass({ heard: 1 });
    // The network is half a second slower from now on.
    for (let at = 0; at < 25; at++) pass();
    for (let at = 0; at < 5; at++) pass({ heard: 2, at: 1040 + at });
    stop();
    expect(frames().slice(60)).toEqual([0, 0, 0, 0, 0, 2, 2, 2, 2, 2]);
  });

  it('ends at its length to the sample, and after silence from the peer alone', () => {
    const long = start({ maxLengthMs: 200 });
    for (let at = 0; at < 40; at++) long.pass({ heard: 5000 });
    expect(long.ends).toEqual([{ by: 'max-length', heardSpeech: true, keepBytes: 3200 }]);
    const silent = start({ silenceTimeoutMs: 100 });
    for (let at = 0; at < 10; at++) silent.pass({ heard: 5000 });
    for (let at = 0; at < 40; at++) silent.pass({ heard: 20, sent: 5000 });
    expect(silent.ends).toEqual([{ by: 'silence', heardSpeech: true, keepBytes: 15 * 320 }]);
    silent.stop();
    expect(silent.ends).toHaveLength(1);
  });

  it('trims silence at both ends, and to nothing where there is nothing else', () => {
    const { pass, stop, frames, ends } = start({ trim: true });
    for (const heard of [0, 10, 5000, 0, 5000, 10, 0]) pass({ heard });
    stop();
    expect(frames()).toEqual([5000, 0, 5000, 10, 0]);
    expect(ends[0]?.keepBytes).toBe(3 * 320);
    const silent = start({ trim: true });
    for (let at = 0; at < 30; at++) silent.pass({ heard: 10 });
    silent.stop('closed');
    expect(silent.ends).toEqual([{ by: 'closed', heardSpeech: false, keepBytes: 0 }]);
  });

  it('leaves paused time out, or silent', () => {
    const modes: readonly ('skip' | 'silence')[] = ['skip', 'silence'];
    const recorded = modes.map((how) => {
      const { pause, resume, pass, stop, frames } = start();
      for (let at = 0; at < 30; at++) pass({ heard: 1000 + at });
      pause(how);
      for (let at = 0; at < 30; at++) pass({ heard: 2000 + at });
      resume();
      for (let at = 0; at < 30; at++) pass({ heard: 3000 + at });
      stop();
      return frames();
    });
    const [skipped, silent] = recorded as [number[], number[]];
    const said = (from: number) => Array.from({ length: 30 }, (_, at) => from + at);
    // Not what was said before it, and nothing of what was said in it.
    expect(skipped).toEqual([...said(1000), ...said(3000)]);
    expect(silent).toEqual([...said(1000), ...said(0).fill(0), ...said(3000)]);
  });

  it('does not take a pause for silence', () => {
    const { pause, resume, pass, ends } = start({ silenceTimeoutMs: 200 });
    pause('silence');
    for (let at = 0; at < 60; at++) pass();
    expect(ends).toEqual([]);
    resume();
    for (let at = 0; at < 30; at++) pass();
    expect(ends).toMatchObject([{ by: 'silence' }]);
  });

  it.each<[keys: string | undefined, by: RecordingEnd | undefined]>([
    ['12#', 'key'],
    ['*', undefined],
    [undefined, undefined],
  ])('ends at a key of %s', (finishOnKeys, by) => {
    const { recorder, ends } = start({ ...(finishOnKeys !== undefined && { finishOnKeys }) });
    recorder.key('#');
    expect(ends[0]?.by).toBe(by);
    if (by) expect(ends[0]).toMatchObject({ key: '#' });
  });
});
