import { describe, expect, it } from 'vitest';
import { PromptSource } from './prompt-source.ts';
import { fillTone, toneLevel } from './tone.ts';

const tone = (...hz: number[]): Int16Array => {
  const samples = new Int16Array(8000);
  fillTone(hz, 0, samples);
  return samples;
};

describe('tones', () => {
  it('measures half of full scale where the tone is and nothing elsewhere', () => {
    expect(toneLevel(tone(440), 440)).toBeCloseTo(0.5, 2);
    expect(toneLevel(tone(440), 480)).toBeLessThan(0.001);
    expect(toneLevel(new Int16Array(8000), 440)).toBe(0);
    expect(toneLevel(new Int16Array(0), 440)).toBe(0);
  });

  it('shares the loudness within a chord', () => {
    const chord = tone(440, 480);
    expect(toneLevel(chord, 440)).toBeCloseTo(0.25, 2);
    expect(toneLevel(chord, 480)).toBeCloseTo(0.25, 2);
    expect(Math.max(...chord)).toBeLessThanOrEqual(16_384);
  });

  it('joins frames without a click', () => {
    const whole = tone(433).subarray(0, 320);
    const [first, second] = [new Int16Array(160), new Int16Array(160)];
    fillTone([433], 0, first);
    fillTone([433], 160, second);
    expect([...first, ...second]).toEqual([...whole]);
  });
});

describe('PromptSource', () => {
  const frames = (source: PromptSource): number[][] => {
    const all = [];
    while (!source.finished) {
      const frame = new Int16Array(160).fill(99);
      source.read(frame);
      all.push([...frame]);
    }
    return all;
  };

  it('ends samples within a frame in silence', () => {
    const read = frames(new PromptSource({ kind: 'samples', samples: new Int16Array(170).fill(5) }));
    expect(read).toHaveLength(2);
    expect(read.flat().filter((sample) => sample === 5)).toHaveLength(170);
    expect(read[1]?.slice(10)).toEqual(Array.from({ length: 150 }, () => 0));
  });

  it('ends a tone after its time', () => {
    const [frame, ...more] = frames(
      new PromptSource({ kind: 'tone', frequenciesHz: [1000], durationMs: 10 }),
    );
    expect(more).toEqual([]);
    expect(frame?.slice(0, 80).some((sample) => Math.abs(sample) > 10_000)).toBe(true);
    expect(frame?.slice(80)).toEqual(Array.from({ length: 80 }, () => 0));
  });

  it('counts silence in frames, and nothing is no frame', () => {
    expect(frames(new PromptSource({ kind: 'silence', durationMs: 100 }))).toHaveLength(5);
    expect(frames(new PromptSource({ kind: 'samples', samples: new Int16Array(0) }))).toEqual([]);
  });
});
