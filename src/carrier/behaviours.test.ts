import { describe, expect, it } from 'vitest';
import { BEHAVIOURS, behaviourOf, treatmentOf } from './behaviours.ts';

describe('behaviours', () => {
  it.each([
    ['+15550486', 'busy'],
    ['+15550603', 'decline'],
    ['+15550404', 'not-found'],
    ['+15550503', 'unavailable'],
    ['+15550180', 'ring'],
    ['+15550000', 'silent'],
    ['+15550100', 'slow'],
    ['+15550440', 'tone'],
    ['+15550001', 'drop-media'],
    ['+15550002', 'hang-up'],
    ['486', 'busy'],
    ['4860', 'echo'],
    ['86', 'echo'],
    ['alice', 'echo'],
    ['', 'echo'],
  ])('%s: %s', (number, behaviour) => {
    expect(behaviourOf(number)).toBe(behaviour);
  });

  it('is a table without doubt: names and endings once each, no ending inside another', () => {
    const endings = BEHAVIOURS.map(({ ending }) => ending).filter((ending) => ending !== '');
    expect(new Set(BEHAVIOURS.map(({ name }) => name)).size).toBe(BEHAVIOURS.length);
    expect(endings).toHaveLength(BEHAVIOURS.length - 1);
    for (const one of endings) expect(endings.filter((other) => other.endsWith(one))).toEqual([one]);
    for (const { name, treatment } of BEHAVIOURS) expect(treatmentOf(name)).toBe(treatment);
  });
});
