// A disk that is full and a file that another program holds: calls go on, new ones are refused, nothing is lost.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { silentLog } from '../lib/log.ts';
import { seededRandom } from '../lib/random.ts';
import { account, call, newRow } from '../resources/index.ts';
import { createCipher } from './cipher.ts';
import { createCodec } from './codec.ts';
import type { Engine } from './engine.ts';
import { type OutboxRow, StoreError } from './index.ts';
import { GroupJournal } from './journal.ts';
import { SqlStore } from './sql-store.ts';
import { openSqlite } from './sqlite-engine.ts';

const OWNER = `AC${'1'.repeat(32)}`;

async function started() {
  const path = join(tempFolder(), 'x.sqlite');
  const errors: string[] = [];
  const log = { ...silentLog, error: (_fields: object, message: string) => void errors.push(message) };
  const world = { clock: new FakeClock(), random: seededRandom(8) };
  const engine: { -readonly [key in keyof Engine]: Engine[key] } = await openSqlite({
    path,
    busyTimeoutMs: 50,
  });
  const codec = createCodec(createCipher(Buffer.alloc(32), world.random));
  const store = await SqlStore.open({ engine, codec, log, ...world, node: 'this' });
  onTestFinished(() => store.close());
  await store.insert(account, newRow(account, { sid: OWNER, accountSid: OWNER, authToken: 't' }, world));
  const placed = () =>
    newRow(call, { accountSid: OWNER, to: '+1', from: '+2', direction: 'outbound-api' }, world);
  const row = placed();
  await store.journal.commit({ insert: row });
  /** The file grows no more than to so many pages: to SQLite the same as a full disk. */
  const limitPages = (pages: number) =>
    engine.run([{ sql: `pragma max_page_count = ${pages}`, parameters: [] }], 'full');
  return { store, engine, path, errors, row, placed, clock: world.clock, limitPages };
}

const callback: OutboxRow = {
  id: 'a',
  callSid: 'CA1',
  accountSid: OWNER,
  sequence: 0,
  url: 'https://a.example/',
  method: 'POST',
  parameters: 'x'.repeat(50_000),
  attempts: 0,
};

const ENDED = { status: 'completed', duration: 7 } as const;

/** Time goes on until what waits for another try is written. */
async function written(waiting: Promise<unknown>, clock: FakeClock): Promise<void> {
  const state = { isWritten: false };
  void waiting.then(() => (state.isWritten = true));
  while (!state.isWritten) {
    clock.advance(1000);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

it('a locked file holds up no call, and loses nothing', async () => {
  const { store, path, errors, row, placed, clock } = await started();
  const other = new DatabaseSync(path);
  other.exec('begin immediate');
  const waiting = store.journal.commit({ update: { sid: row.sid, patch: ENDED }, outbox: [callback] });
  await expect.poll(() => errors.length).toBe(1);
  await expect(store.journal.commit({ insert: placed() })).rejects.toMatchObject({ code: 'locked' });
  other.exec('rollback');
  other.close();
  await written(waiting, clock);
  expect(await store.find(call, row.sid)).toMatchObject(ENDED);
  expect(await store.journal.waiting(9)).toEqual([callback]);
  await store.journal.commit({ insert: placed() });
});

it('a full disk holds up no call, and loses nothing', async () => {
  const { store, errors, row, placed, clock, limitPages } = await started();
  await limitPages(1);
  const waiting = store.journal.commit({ update: { sid: row.sid, patch: ENDED }, outbox: [callback] });
  await expect.poll(() => errors.length).toBe(1);
  await expect(store.journal.commit({ insert: placed() })).rejects.toMatchObject({ code: 'full' });
  expect(await store.find(call, row.sid)).toMatchObject({ status: 'queued' });
  await limitPages(1_000_000);
  await written(waiting, clock);
  expect(await store.find(call, row.sid)).toMatchObject(ENDED);
  expect(await store.journal.waiting(9)).toEqual([callback]);
});

it('a call that was refused is not there, where only the answer to its commit was lost', async () => {
  const { store, engine, row, placed, clock } = await started();
  const refused = placed();
  const run = engine.run;
  engine.run = async (...given) => {
    await run(...given);
    engine.run = run;
    throw new StoreError('unreachable', 'the answer was lost');
  };
  const waiting = store.journal.commit({ update: { sid: row.sid, patch: ENDED } });
  await expect(store.journal.commit({ insert: refused })).rejects.toMatchObject({ code: 'unreachable' });
  expect(await store.find(call, refused.sid)).toBeDefined();
  await written(waiting, clock);
  expect(await store.find(call, refused.sid)).toBeUndefined();
  expect(await store.find(call, row.sid)).toMatchObject(ENDED);
});

it('what waits for the database is bounded, and what is refused is counted and said', async () => {
  const { store, path, errors, row } = await started();
  expect(store.journal).toBeInstanceOf(GroupJournal);
  const other = new DatabaseSync(path);
  other.exec('begin immediate');
  const update = () => store.journal.commit({ update: { sid: row.sid, patch: { queueTime: 1 } } });
  const results = Promise.allSettled(Array.from({ length: 100_003 }, update));
  await expect.poll(() => errors.length).toBe(2);
  expect(store.counts().journal.refused).toBe(3);
  other.exec('rollback');
  other.close();
  void store.close();
  expect((await results).filter(({ status }) => status === 'rejected')).toHaveLength(3);
}, 60_000);
