// What every test of calls may ask at its end: that they have left nothing behind.
import { expect } from 'vitest';
import type { Exchange } from './exchange.ts';

const patience = { timeout: 12_000 };

/**
 * No call, dialog or port is left, and no timer but those of transactions that absorb retransmissions.
 * @param how `overStreams`: connections of the exchange are open, which have timers of their own.
 */
export async function nothingLeft(
  exchange: Exchange,
  { overStreams }: { readonly overStreams: boolean } = { overStreams: false },
): Promise<void> {
  await exchange.quiet();
  // A dialog lives until its BYE is answered.
  await expect
    .poll(() => exchange.counts(), patience)
    .toMatchObject({ calls: 0, dialogs: 0, mediaSessions: 0 });
  if (overStreams) return;
  await expect.poll(() => timersOfNone(exchange), patience).toBeLessThanOrEqual(0);
  await expect
    .poll(() => {
      // Of the transactions that share a timer of the clock, each time the first one's rings.
      for (let { timers: left } = exchange.counts(); left > 0; left--) exchange.hurry();
      return exchange.counts();
    }, patience)
    .toMatchObject({ transactions: 0, timers: 0 });
}

/** A transaction that is over has one timer; one that still sends again has two. */
const timersOfNone = (exchange: Exchange): number => {
  const { transactions, timers } = exchange.counts();
  return timers - transactions;
};
