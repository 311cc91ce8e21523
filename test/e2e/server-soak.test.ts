// A short cut of the soak: `npm run soak` sends a million packets.
import { expect, it } from 'vitest';
import { soakServer } from '../../soak/server.ts';

it('6000 mutated packets leave an exchange that answers, and nothing behind', async () => {
  const { packets, answers, probes, errors, left } = await soakServer({ packets: 6000, probeEvery: 1500 });
  expect(packets).toBeGreaterThanOrEqual(6000);
  // They reach more than the parser.
  expect(answers).toBeGreaterThan(100);
  expect(Object.keys(probes).toSorted()).toEqual(['INVITE 200', 'OPTIONS 200', 'REGISTER 200']);
  expect(errors).toEqual([]);
  expect(Object.entries(left).filter(([, count]) => count !== 0)).toEqual([]);
});
