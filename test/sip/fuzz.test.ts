import { expect, it } from 'vitest';
import { seededRandom } from '../../src/lib/random.ts';
import { parseMessage } from '../../src/sip/message/parse.ts';
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
  ['SIP/2.0/UDP h; branch=one;branch=two', 'one'],
  ['SIP/2.0/UDP h;BRANCH=one;branch=two', 'one'],
  ['SIP/2.0/UDP h;branch;branch=two', ''],
  ['SIP/2.0/UDP h;rport;branch=one;branch=two', 'one'],
  ['SIP/2.0/UDP h;x=";branch=zero";branch=one', 'one'],
])('of two parameters of a name the first counts, also once written anew: %s', (via, branch) => {
  const message = `OPTIONS sip:a@b SIP/2.0\r\nVia: ${via}\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n`;
  expect(parseMessage(message).via.branch).toBe(branch);
  expect(survives(message)).toBe(true);
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

it.each([
  ['header lines without a name', 'X\r\n'],
  ['header lines of nothing but a bare line feed', 'X\n'],
  ['headers with a quote and no end of it', 'f:"\r\n'],
  ['headers whose name is a known one but for its end', 'content-lengtz:1\r\n'],
])('64 KiB of %s are read in no time', (_, line) => {
  const message = `OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n${line.repeat(60_000 / line.length)}\r\n`;
  expect(isSlow(message)).toBe(false);
});
