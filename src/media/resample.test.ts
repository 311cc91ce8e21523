import { describe, expect, it } from 'vitest';
import { halveRate } from './resample.ts';
import { toneLevel } from './tone.ts';

const at16kHz = (hz: number) =>
  Int16Array.from({ length: 16_000 }, (_, at) =>
    Math.round(16_384 * Math.sin((2 * Math.PI * hz * at) / 16_000)),
  );

describe('halveRate', () => {
  it.each([300, 1000, 3000])('keeps %i Hz', (hz) => {
    const halved = halveRate(at16kHz(hz));
    expect(halved).toHaveLength(8000);
    expect(toneLevel(halved, hz)).toBeGreaterThan(0.47);
    expect(toneLevel(halved, hz)).toBeLessThan(0.51);
  });

  it.each([5000, 6500, 7500])('lets no %i Hz fold back', (hz) => {
    expect(toneLevel(halveRate(at16kHz(hz)), 8000 - hz)).toBeLessThan(0.005);
  });

  it('neither overflows nor fails on nothing', () => {
    expect(Math.min(...halveRate(new Int16Array(200).fill(32_767)).subarray(30, 60))).toBeGreaterThan(32_700);
    expect(halveRate(new Int16Array(0))).toHaveLength(0);
    expect(halveRate(Int16Array.of(1000))).toHaveLength(1);
  });
});
