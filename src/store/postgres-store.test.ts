// PostgreSQL: the contract, several nodes on one database, and a server that goes away.
import pg from 'pg';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { cuttable } from '../../test/support/cuttable.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { describeOutbox } from '../../test/support/outbox-contract.ts';
import { describeStore } from '../../test/support/store-contract.ts';
import { type TestDatabase, testDatabase } from '../../test/support/test-database.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { seededRandom } from '../lib/random.ts';
import {
  account,
  byocTrunk,
  call,
  connectionPolicy,
  connectionPolicyTarget,
  newRow,
  registration,
  resources,
} from '../resources/index.ts';
import { columnKinds } from './codec.ts';
import { openStore, type Store, type StoreOptions } from './index.ts';

const KEY = Buffer.alloc(32, 7);
const random = seededRandom(3);
const world = { clock: systemClock, random };
const OWNER = `AC${'1'.repeat(32)}`;

const open = (database: TestDatabase, changes: Partial<StoreOptions> = {}): Promise<Store> =>
  openStore({ ...database, key: KEY, log: silentLog, ...world, ...changes });

const opened = async (clock: Clock) => {
  const database = await testDatabase();
  const changes = { clock, webhooksKept: { days: 2, rows: 5 } };
  return { store: await open(database, changes), reopen: () => open(database, changes) };
};

describeStore('PostgreSQL', opened);
describeOutbox('PostgreSQL', opened);

/** A store that is closed when the test is over, and an account in it. */
async function node(database: TestDatabase): Promise<Store> {
  const store = await open(database);
  onTestFinished(() => store.close());
  if (!store.directory.find(account, OWNER)) {
    await store.insert(account, newRow(account, { sid: OWNER, accountSid: OWNER, authToken: 't' }, world));
  }
  return store;
}

const policy = () => newRow(connectionPolicy, { accountSid: OWNER }, world);
const trunk = (friendlyName: string) => newRow(byocTrunk, { accountSid: OWNER, friendlyName }, world);
const placed = () =>
  newRow(call, { accountSid: OWNER, to: '+1', from: '+2', direction: 'outbound-api' }, world);

/** Looks again and again; the test's own time limit ends it. */
async function eventually(look: () => boolean): Promise<void> {
  while (!look()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('several nodes', () => {
  it('start together on an empty database', async () => {
    const database = await testDatabase('template0');
    const stores = await Promise.all([open(database), open(database), open(database)]);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('follow each other within a second, children and deletions included', async () => {
    const database = await testDatabase();
    const [one, two] = [await node(database), await node(database)];
    const row = await one.insert(byocTrunk, trunk('a'));
    const parent = await one.insert(connectionPolicy, policy());
    const below = { accountSid: OWNER, connectionPolicySid: parent.sid, target: 'sip:a.example' };
    const child = await one.insert(connectionPolicyTarget, newRow(connectionPolicyTarget, below, world));
    const startedMs = performance.now();
    await eventually(() => two.directory.find(connectionPolicyTarget, child.sid) !== undefined);
    expect(two.directory.find(byocTrunk, row.sid)).toEqual(row);
    await one.update(byocTrunk, row.sid, { friendlyName: 'b' });
    await one.remove(connectionPolicy, parent.sid);
    await eventually(() => two.directory.find(byocTrunk, row.sid)?.friendlyName === 'b');
    await eventually(() => two.directory.find(connectionPolicy, parent.sid) === undefined);
    expect(two.directory.children(connectionPolicyTarget, parent.sid)).toEqual([]);
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });

  it('agree when they change the same row at the same time', async () => {
    const database = await testDatabase();
    const nodes = [await node(database), await node(database)] as const;
    const { sid } = await nodes[0].insert(byocTrunk, trunk('start'));
    const names = Array.from({ length: 100 }, (_, index) => String(index));
    await Promise.all(
      names.map((friendlyName, index) =>
        (nodes[index % 2] as Store).update(byocTrunk, sid, { friendlyName }),
      ),
    );
    const { friendlyName } = (await nodes[0].find(byocTrunk, sid)) ?? {};
    for (const each of nodes) {
      await eventually(() => each.directory.find(byocTrunk, sid)?.friendlyName === friendlyName);
    }
  });

  it('hold a limit together', async () => {
    const database = await testDatabase();
    const nodes = [await node(database), await node(database)] as const;
    const parent = await nodes[0].insert(connectionPolicy, policy());
    const inserts = Array.from({ length: 60 }, (_, index) => {
      const below = { accountSid: OWNER, connectionPolicySid: parent.sid, target: 'sip:a.example' };
      return (nodes[index % 2] as Store).insert(
        connectionPolicyTarget,
        newRow(connectionPolicyTarget, below, world),
      );
    });
    const results = await Promise.allSettled(inserts);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(10);
  });

  it('leave no reference without its row, whatever they delete at the same time', async () => {
    const database = await testDatabase();
    const nodes = [await node(database), await node(database)] as const;
    for (let round = 0; round < 20; round++) {
      const { sid } = await nodes[0].insert(connectionPolicy, policy());
      const referring = newRow(byocTrunk, { accountSid: OWNER, connectionPolicySid: sid }, world);
      const [inserted, removed] = await Promise.allSettled([
        nodes[0].insert(byocTrunk, referring),
        nodes[1].remove(connectionPolicy, sid),
      ]);
      expect([inserted.status, removed.status].toSorted()).toEqual(['fulfilled', 'rejected']);
    }
  });
});

describe('the schema', () => {
  const TYPES = { text: 'text', secret: 'text', url: 'text', list: 'text', integer: 'bigint' } as const;
  const typeOf = (kind: string) =>
    ({ ...TYPES, boolean: 'boolean', dateTime: 'bigint' })[kind as keyof typeof TYPES];

  it('agrees with every definition, and tells of changes of configuration, bindings and orders', async () => {
    const database = await testDatabase();
    await (await open(database)).close();
    const client = new pg.Client(database.database ?? '');
    await client.connect();
    const columns = await client.query<{ table_name: string; column_name: string; data_type: string }>(
      `select table_name, column_name, data_type from information_schema.columns where table_schema = 'public'`,
    );
    const triggers = await client.query<{ name: string }>(
      `select tgrelid::regclass::text as name from pg_trigger where tgname = 'tandem_changes'`,
    );
    await client.end();
    for (const definition of resources) {
      const actual = columns.rows
        .filter(
          ({ table_name, column_name }) => table_name === definition.table && column_name !== 'position',
        )
        .map(({ data_type }) => data_type);
      expect([definition.name, actual.toSorted()]).toEqual([
        definition.name,
        [...columnKinds(definition).values()].map(typeOf).toSorted(),
      ]);
    }
    const telling = resources.filter((each) => each.kind === 'configuration' || each === registration);
    expect(triggers.rows.map(({ name }) => name).toSorted()).toEqual(
      [...telling.map(({ table }) => table), 'node_orders'].toSorted(),
    );
  });
});

describe('a server that goes away', () => {
  it('is told of at once by API writes and new calls; running calls are written when it is back', async () => {
    const way = await cuttable(await testDatabase());
    const store = await node(way.database);
    const row = placed();
    await store.journal.commit({ insert: row });
    way.cut();
    await expect(store.insert(byocTrunk, trunk('a'))).rejects.toMatchObject({ code: 'unreachable' });
    await expect(store.ping()).rejects.toMatchObject({ code: 'unreachable' });
    const outbox = [
      {
        id: 'a',
        callSid: row.sid,
        accountSid: OWNER,
        sequence: 0,
        url: 'https://a.example/',
        method: 'POST',
        parameters: '',
        attempts: 0,
      },
    ] as const;
    const waiting = store.journal.commit({ update: { sid: row.sid, patch: { status: 'ringing' } }, outbox });
    await expect(store.journal.commit({ insert: placed() })).rejects.toMatchObject({ code: 'unreachable' });
    way.mend();
    await waiting;
    expect((await store.find(call, row.sid))?.status).toBe('ringing');
    expect(await store.journal.waiting(9)).toHaveLength(1);
  });

  it('is followed again, with what was missed', async () => {
    const database = await testDatabase();
    const way = await cuttable(database);
    const [cutOff, other] = [await node(way.database), await node(database)];
    const kept = await other.insert(byocTrunk, trunk('kept'));
    await eventually(() => cutOff.directory.find(byocTrunk, kept.sid) !== undefined);
    way.cut();
    await other.remove(byocTrunk, kept.sid);
    const missed = await other.insert(byocTrunk, trunk('missed'));
    expect(cutOff.directory.find(byocTrunk, kept.sid)).toEqual(kept);
    way.mend();
    await eventually(() => cutOff.directory.find(byocTrunk, missed.sid) !== undefined);
    expect(cutOff.directory.find(byocTrunk, kept.sid)).toBeUndefined();
  });

  it('does not hold up closing', async () => {
    const way = await cuttable(await testDatabase());
    const store = await node(way.database);
    const row = placed();
    await store.journal.commit({ insert: row });
    way.cut();
    const waiting = store.journal.commit({ update: { sid: row.sid, patch: { status: 'ringing' } } });
    const closed = store.close();
    await expect(waiting).rejects.toMatchObject({ name: 'StoreError' });
    await closed;
  });
});

describe('a database that cannot be used', () => {
  const faultOf = async (url: string, changes: Partial<StoreOptions> = {}) => {
    const error = await open({ path: '', database: url }, changes).then(
      (store) => store.close(),
      (thrown: Error & { code: string }) => thrown,
    );
    expect(error?.message).not.toMatch(/\n|secret-word/);
    return error;
  };
  const server = inject('postgres') ?? '';

  it.each([
    ['nobody listens', 'postgres://tandem:secret-word@127.0.0.1:1/x', 'unreachable'],
    ['the host is unknown', 'postgres://tandem:secret-word@nowhere.invalid/x', 'unreachable'],
    ['the password is wrong', `${server.replace(/:[^:@]+@/, ':secret-word@')}/postgres`, 'refused'],
    ['there is no such database', `${server}/nowhere`, 'refused'],
  ])('because %s', async (_name, url, code) => {
    const error = await faultOf(url);
    expect(error).toMatchObject({ name: 'StoreError', code });
    expect(error?.message).toContain('TANDEM_DATABASE');
  });

  it('because the key is another one', async () => {
    const { path, database = '' } = await testDatabase();
    await (await open({ path, database })).close();
    expect(await faultOf(database, { key: Buffer.alloc(32, 8) })).toMatchObject({ code: 'wrong-key' });
  });
});

it('knows how old its picture of the configuration is', async () => {
  const clock = new FakeClock();
  const way = await cuttable(await testDatabase());
  const store = await open(way.database, { clock });
  onTestFinished(() => store.close());
  expect(store.counts().directoryAgeMs).toBe(0);
  clock.advance(500);
  expect(store.counts().directoryAgeMs).toBe(500);
});
