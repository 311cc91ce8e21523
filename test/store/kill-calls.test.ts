// kill -9 under calls: each that was accepted has an ending, and its app hears of every event, in order.
// `node soak/kill.ts` does the same at full length.
import { dirname } from 'node:path';
import { expect, it } from 'vitest';
import { soakKills } from '../../soak/kill.ts';
import { testDatabase } from '../support/test-database.ts';

it('loses no call and no callback', async () => {
  const { path, database } = await testDatabase();
  const result = await soakKills({
    folder: dirname(path),
    ...(database !== undefined && { database }),
    kills: 2,
    callers: 4,
    seed: 5,
  });
  expect(result.faults).toEqual([]);
  expect(result.accepted).toBeGreaterThan(10);
}, 120_000);
