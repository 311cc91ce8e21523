import { expect, it } from 'vitest';
import { seededRandom } from '../../src/lib/random.ts';
import { fuzz, isSlow, survives, tortureMessages } from './fuzz.ts';

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

it.each([
  ['spaces before the fold', (run: string) => `a${run}b\r\n c`],
  ['spaces after the fold', (run: string) => `a\r\n${run}b`],
  ['folds', (run: string) => `a${run.replaceAll(' ', '\r\n ').slice(0, 60_000)}b`],
])('64 KiB of %s are read in no time', (_, value) => {
  const header = value(' '.repeat(60_000));
  const message = `OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nTo: ${header}\r\n\r\n`;
  expect(isSlow(message)).toBe(false);
});
