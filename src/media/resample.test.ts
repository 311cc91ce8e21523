import { describe, expect, it } from 'vitest';
import { resample } from './resample.ts';
import { toneLevel } from './tone.ts';

const RATES = [11_025, 16_000, 22_050, 44_100, 48_000];
const second = (hz: number, rate: number) =>
  Int16Array.from({ length: rate }, (_, at) => Math.round(16_384 * Math.sin((2 * Math.PI * hz * at) / rate)));

describe('resample', () => {
  it.each(RATES)('keeps the tones of a telephone, from %i Hz', (rate) => {
    for (const hz of [300, 1000, 3000]) {
      const resampled = resample(second(hz, rate), rate);
      expect(resampled).toHaveLength(8000);
      expect(toneLevel(resampled, hz)).toBeGreaterThan(0.47);
      expect(toneLevel(resampled, hz)).toBeLessThan(0.51);
    }
  });

  it.each(RATES)('lets nothing fold back, from %i Hz', (rate) => {
    for (const hz of [5000, 6500, 7500].filter((hz) => hz < rate / 2))
      expect(toneLevel(resample(second(hz, rate), rate), 8000 - hz)).toBeLessThan(0.005);
  });

  it('neither overflows nor fails on nothing, and leaves 8 kHz as it is', () => {
    const loud = resample(new Int16Array(200).fill(32_767), 16_000);
    expect(Math.min(...loud.subarray(30, 60))).toBeGreaterThan(32_700);
    expect(resample(new Int16Array(0), 16_000)).toHaveLength(0);
    expect(resample(Int16Array.of(1000), 47_999)).toHaveLength(1);
    const same = Int16Array.of(1, 2, 3);
    expect(resample(same, 8000)).toBe(same);
  });
});
