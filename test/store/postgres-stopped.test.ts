// A short cut of the soak: `node soak/database.ts` has the server away for a minute each time.
import { expect, it } from 'vitest';
import { soakDatabase } from '../../soak/database.ts';

it('loses no call and no callback, and hangs nobody up', async () => {
  const result = await soakDatabase({ awayMs: 3000, callers: 3 });
  expect(result.faults).toEqual([]);
  expect(result.endedMeanwhile.every((count) => count > 0)).toBe(true);
  expect(result.refused).toBeGreaterThan(0);
}, 120_000);
