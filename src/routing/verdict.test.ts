import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { judge } from './verdict.ts';

const PAGE = readFileSync(new URL('../../docs/failover.md', import.meta.url), 'utf8');

/** The statuses that the page's rule of this name lists. */
function listed(rule: string): number[] {
  const line = new RegExp(`^\\| \\*\\*${rule}\\*\\* \\| ([^|]*) \\|`, 'm').exec(PAGE)?.[1] ?? '';
  return [...line.matchAll(/\b[3-5]\d\d\b/g)].map(([status]) => Number(status));
}

const ALL = Array.from({ length: 400 }, (_, index) => 300 + index);
const finals = (
  progress: { readonly rang: boolean; readonly earlyMedia: boolean },
  ringAgain = false,
): number[] => ALL.filter((status) => !judge(status, progress, { ringAgain }).goOn);
const SIXES = ALL.filter((status) => status >= 600);

describe('the table of docs/failover.md', () => {
  it('lists every status that ends a call, before it rang, after it, and after early media', () => {
    const always = [...listed('Final'), ...SIXES];
    expect(always.length).toBe(108);
    expect(finals({ rang: false, earlyMedia: false })).toEqual(always);
    const afterRinging = [...always, ...listed('Rang')].toSorted((a, b) => a - b);
    expect(finals({ rang: true, earlyMedia: false })).toEqual(afterRinging);
    const fives = ALL.filter((status) => status >= 500 && status < 600);
    expect(finals({ rang: true, earlyMedia: true })).toEqual(
      [...afterRinging, ...fives].toSorted((a, b) => a - b),
    );
    expect(finals({ rang: true, earlyMedia: true }, true)).toEqual(always);
  });

  it('has a reason in words for each', () => {
    for (const status of ALL)
      expect(judge(status, { rang: true, earlyMedia: true }, { ringAgain: false }).why).toMatch(/^\d{3} \w/);
  });
});
