// What the contracts of stores begin with: an open store that holds one account, and rows to put into it.
import { beforeEach, onTestFinished } from 'vitest';
import type { Clock } from '../../src/lib/clock.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { account, call, newRow, type Row } from '../../src/resources/index.ts';
import type { OutboxRow, Store } from '../../src/store/index.ts';
import { FakeClock } from './fake-clock.ts';

export const OWNER = `AC${'1'.repeat(32)}`;
export const clock = new FakeClock();
export const world = { clock, random: seededRandom(5) };

export const placed = (values: Partial<Row<typeof call>> = {}) =>
  newRow(call, { accountSid: OWNER, to: '+1', from: '+2', direction: 'outbound-api', ...values }, world);

export const callback = (id: string, values: Partial<OutboxRow> = {}): OutboxRow => ({
  id,
  callSid: 'CA1',
  accountSid: OWNER,
  sequence: 0,
  url: 'https://a.example/cb',
  method: 'POST',
  parameters: 'A=1',
  attempts: 0,
  ...values,
});

/** `open` gives a fresh empty store, `reopen` another on the same database after the first was closed. */
export type OpenStore = (clock: Clock) => Promise<{ store: Store; reopen: () => Promise<Store> }>;

/** A store for each test of a suite; `use` is told of it, and again after each reopening. */
export function useStore(open: OpenStore, use: (store: Store, reopen: () => Promise<Store>) => void): void {
  beforeEach(async () => {
    const opened = await open(clock);
    let { store } = opened;
    const reopen = async () => {
      await store.close();
      store = await opened.reopen();
      use(store, reopen);
      return store;
    };
    onTestFinished(() => store.close());
    await store.insert(
      account,
      newRow(account, { sid: OWNER, accountSid: OWNER, authToken: 'token' }, world),
    );
    use(store, reopen);
  });
}
