// What every test of calls may ask at its end: that they have left nothing behind.
import { expect } from 'vitest';
import type { Exchange } from './exchange.ts';

/** No call, dialog or port is left, and no timer but those of transactions that absorb retransmissions. */
export async function nothingLeft(exchange: Exchange): Promise<void> {
  await exchange.quiet();
  // A dialog lives until its BYE is answered.
  await expect.poll(() => exchange.counts()).toMatchObject({ calls: 0, dialogs: 0, mediaSessions: 0 });
  const { transactions, timers } = exchange.counts();
  expect(timers).toBeLessThanOrEqual(transactions);
  await expect
    .poll(() => {
      exchange.hurry();
      return exchange.counts();
    })
    .toMatchObject({ transactions: 0, timers: 0 });
}
