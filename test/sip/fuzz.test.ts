import { expect, it } from 'vitest';
import { seededRandom } from '../../src/lib/random.ts';
import { fuzz, survives, tortureMessages } from './fuzz.ts';

it('mutated messages neither throw, nor take long, nor change on their way through', () => {
  const report = fuzz(tortureMessages(), { count: 30_000 }, seededRandom(11));
  expect(report.mutated).toBe(30_000);
  expect(report.accepted).toBeGreaterThan(300);
  expect(report.slow).toEqual([]);
});

it('an unchanged message is accepted or refused, and both happen', () => {
  const verdicts = tortureMessages().map(survives);
  expect(new Set(verdicts)).toEqual(new Set([true, false]));
});
