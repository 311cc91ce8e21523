import { describe, expect, it } from 'vitest';
import { seededRandom } from '../lib/random.ts';
import { countDraws, judgeShares, upperGamma } from './load-share.ts';
import type { Target } from './target-selection.ts';

const target = (sid: string, priority: number, weight: number, enabled = true): Target => ({
  sid,
  uri: `sip:${sid}.example.com`,
  priority,
  weight,
  enabled,
});

const TARGETS = [
  target('a', 1, 70),
  target('b', 1, 20),
  target('c', 1, 10),
  target('d', 2, 5),
  target('e', 0, 9, false),
];

describe('load share', () => {
  it('finds seeded draws in keeping with 70/20/10', () => {
    const share = judgeShares(TARGETS, countDraws(TARGETS, 100_000, seededRandom(1)));
    expect(share.selections).toBe(100_000);
    expect(share.targets.map(({ expected }) => expected)).toEqual([0.7, 0.2, 0.1, 0, 0]);
    expect(share.targets[0]?.observed).toBeCloseTo(0.7, 2);
    expect(share.targets[3]?.selections).toBe(0);
    expect(share.degreesOfFreedom).toBe(2);
    expect(share.pValue).toBeGreaterThan(0.01);
  });

  it('finds draws that break the weights out', () => {
    const { pValue, chiSquare } = judgeShares(TARGETS, [600, 300, 100, 0, 0]);
    expect(chiSquare).toBeCloseTo(100 ** 2 / 700 + 100 ** 2 / 200, 9);
    expect(pValue).toBeLessThan(1e-9);
  });

  it('has nothing to judge with one target, or none', () => {
    expect(judgeShares(TARGETS.slice(0, 1), [5])).toMatchObject({ pValue: 1, degreesOfFreedom: 0 });
    expect(judgeShares([], [])).toMatchObject({ selections: 0, pValue: 1, targets: [] });
    expect(countDraws([target('a', 1, 1, false)], 10, seededRandom(1))).toEqual([0]);
  });

  // Upper tail of chi-square, from printed tables.
  it.each([
    [1, 3.841, 0.05],
    [2, 5.991, 0.05],
    [5, 15.086, 0.01],
    [9, 27.877, 0.001],
    [3, 0.352, 0.95],
  ])('has the tail of %i degrees of freedom at %f as %f', (degrees, chiSquare, p) => {
    expect(upperGamma(degrees / 2, chiSquare / 2)).toBeCloseTo(p, 4);
  });
});
