// A short cut of the soak of trunk calls: `node --expose-gc soak/mixed.ts` runs it for as long as one likes.
import { expect, it } from 'vitest';
import { soakMixed } from '../../soak/mixed.ts';
import { KINDS } from '../../soak/trunk-kinds.ts';

it('mixed traffic both ways over a trunk ends as it should, says why where it fails, and leaves nothing', async () => {
  const result = await soakMixed({ seconds: 4, callsPerSecond: 10, hurry: true });
  expect(result.wrong).toEqual({});
  expect(Object.keys(result.went).toSorted()).toEqual(KINDS.map(({ name }) => name).toSorted());
  expect(result.records).toEqual({});
  expect(Object.keys(result.recordings)).toEqual(['completed']);
  expect(result.unexplained).toEqual([]);
  expect(result.explained).toBeGreaterThan(4);
  expect(Object.keys(result.answers).filter((each) => !/ 20\d$/.test(each))).toEqual([]);
  expect(Object.entries(result.left).filter(([, count]) => count !== 0)).toEqual([]);
}, 90_000);
