// A short cut of the soak: `npm run soak` runs a hundred thousand.
import { expect, it } from 'vitest';
import { soakCalls } from '../../soak/calls.ts';

it('300 calls leave no call, transaction, dialog, timer, port or row behind', async () => {
  const { ended, left } = await soakCalls({ calls: 300, parallel: 20, hurry: true });
  expect(ended).toEqual({ completed: 240, busy: 30, failed: 30 });
  expect(Object.entries(left).filter(([, count]) => count !== 0)).toEqual([]);
}, 60_000);
