// Several exchanges on one database: each has its own calls and callbacks, until it is gone.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cuttable } from '../../test/support/cuttable.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { query, type TestDatabase, testDatabase } from '../../test/support/test-database.ts';
import { type Log, silentLog } from '../lib/log.ts';
import { seededRandom } from '../lib/random.ts';
import { account, call, newRow, registration } from '../resources/index.ts';
import { laneOf, type OutboxRow, openStore } from './index.ts';
import { Nodes } from './nodes.ts';
import { openPostgres } from './postgres-engine.ts';

const OWNER = `AC${'1'.repeat(32)}`;
const LEASE_MS = 15_000;
let opened = 0;

/** One whose clock stands still: its lease is renewed by nobody, as that of one that is gone. */
async function node({ path, database = '' }: TestDatabase, home = join(dirname(path), `${opened}`)) {
  opened += 1;
  const world = { clock: new FakeClock(), random: seededRandom(opened) };
  mkdirSync(home, { recursive: true });
  const given = { path: join(home, 'x.sqlite'), database, key: Buffer.alloc(32), log: silentLog };
  const store = await openStore({ ...given, ...world });
  onTestFinished(() => store.close());
  if (!store.directory.find(account, OWNER)) {
    await store.insert(account, newRow(account, { sid: OWNER, accountSid: OWNER, authToken: 't' }, world));
  }
  const place = async (): Promise<string> => {
    const row = newRow(call, { accountSid: OWNER, to: '+1', from: '+2', direction: 'outbound-api' }, world);
    await store.journal.commit({ insert: row });
    return row.sid;
  };
  const unfinished = async () => (await store.journal.unfinished()).map(({ sid }) => sid);
  return { store, home, place, unfinished };
}

const callback = (id: string): OutboxRow => ({
  id,
  callSid: 'CA1',
  accountSid: OWNER,
  sequence: 0,
  url: 'https://a.example/',
  method: 'POST',
  parameters: '',
  attempts: 0,
});

describe('what belongs to a node', () => {
  it('is nobody else’s while it lives, and is shared out when it is gone', async () => {
    const database = await testDatabase();
    const [one, two, three] = [await node(database), await node(database), await node(database)];
    const calls = await Promise.all(Array.from({ length: 20 }, () => one.place()));
    const ids = Array.from({ length: 20 }, (_, index) => `c${index}`);
    await one.store.journal.commit({ outbox: ids.map(callback) });
    const own = await two.place();
    expect([await two.unfinished(), await three.unfinished(), await one.unfinished()]).toEqual([[], [], []]);
    expect(await two.store.journal.waiting(99)).toEqual([]);
    expect(await two.store.journal.lanes()).toEqual([]);

    await query(database, `delete from nodes where id = (select node from calls where sid = '${calls[0]}')`);
    const [a, b] = await Promise.all([two.unfinished(), three.unfinished()]);
    expect([...a, ...b].toSorted()).toEqual(calls.toSorted());
    expect([...a, ...b]).not.toContain(own);
    const lane = laneOf(callback(''));
    const taken = await Promise.all(
      [two, three, two, three].map(({ store }) => store.journal.claim(lane, 5)),
    );
    const rest = await two.store.journal.waiting(99);
    const all = new Set([...taken.flat(), ...rest].map(({ id }) => id));
    expect([...all].toSorted()).toEqual(ids.toSorted());
    const twice = taken.flat().map(({ id }) => id);
    expect(new Set(twice).size).toBe(twice.length);
  });

  it('is taken up at once by the next run in the same folder, as soon as the run before is over', async () => {
    const database = await testDatabase();
    const one = await node(database);
    const sid = await one.place();
    const file = join(one.home, 'node');
    const [id] = readFileSync(file, 'utf8').split(' ');
    // The parent of this process lives, and is somebody else.
    writeFileSync(file, `${id} ${process.ppid}\n`);
    const early = await node(database, one.home);
    expect(await early.unfinished()).toEqual([]);
    writeFileSync(file, `${id} 4194304\n`);
    const next = await node(database, one.home);
    expect(await next.unfinished()).toEqual([sid]);
  });

  it('is free when it was stopped', async () => {
    const database = await testDatabase();
    const [one, two] = [await node(database), await node(database)];
    const sid = await one.place();
    await one.store.close();
    expect(await two.unfinished()).toEqual([sid]);
  });
});

describe('a binding', () => {
  const bound = (sid: string, node: string) => {
    const owner = { accountSid: OWNER, domainSid: 'SD1', domain: 'a.example', aor: 'sip:a@a.example' };
    const contact = { username: 'a', contact: 'sip:a@10.0.0.1', contactKey: sid, sipCallId: 'x', cseq: 1 };
    const flow = { sourceIp: '192.0.2.1', sourcePort: 5060, transport: 'udp', expiresAt: 1, node } as const;
    const world = { clock: new FakeClock(), random: seededRandom(1) };
    return {
      definition: registration,
      row: newRow(registration, { ...owner, ...contact, ...flow, sid }, world),
    };
  };

  it('is removed by the sweep of its own exchange, and taken over only from one that is gone', async () => {
    const database = await testDatabase();
    const [one, two] = [(await node(database)).store, (await node(database)).store];
    await one.journal.commit({ records: [bound('RG1', one.node), bound('RG2', one.node)] });
    // Renewed at the other one.
    await two.journal.commit({ records: [bound('RG2', two.node)] });
    const removed = ['RG1', 'RG2'].map((sid) => ({ definition: registration, sid, ifOwn: true }));
    const owners = async () =>
      (await two.findAll(registration, ['RG1', 'RG2'])).map(({ sid, node: owner }) => [sid, owner]);
    await two.journal.claimBindings();
    expect(await owners()).toEqual([
      ['RG1', one.node],
      ['RG2', two.node],
    ]);
    await one.journal.commit({ removed });
    expect(await owners()).toEqual([['RG2', two.node]]);
    await one.journal.commit({ records: [bound('RG1', one.node)] });
    await one.close();
    await two.journal.claimBindings();
    expect((await owners()).toSorted()).toEqual([
      ['RG1', two.node],
      ['RG2', two.node],
    ]);
  });
});

describe('a lease', () => {
  /** @param fails the first so many deaths, but one, cannot be seen to. */
  async function leases(count: number, log: Log = silentLog, fails = 0) {
    const database = await testDatabase();
    const way = await cuttable(database);
    const url = way.database.database ?? '';
    const engine = await openPostgres({ url, clock: new FakeClock(), log: silentLog });
    onTestFinished(() => engine.close());
    const all: { nodes: Nodes; told: string[]; clock: FakeClock }[] = [];
    for (let index = 0; index < count; index++) {
      const clock = new FakeClock();
      const nodes = new Nodes({ db: engine.db, id: `n${index}`, name: 'here', clock, log });
      const told: string[] = [];
      nodes.onDeath(async () => {
        told.push('death');
        if (told.length < fails) throw new Error('not now');
      });
      nodes.onBurial(() => told.push('burial'));
      await nodes.start(undefined);
      all.push({ nodes, told, clock });
    }
    const ids = async () => (await query(database, 'select id from nodes order by id')).map(({ id }) => id);
    /** Time goes on for the first one, which beats at its end. */
    const passes = async (ms: number) => {
      all[0]?.clock.advance(ms);
      await all[0]?.nodes.beat();
    };
    /** The same, with a beat whenever one is due. */
    const lives = async (ms: number) => {
      for (let left = ms; left > 0; left -= 3000) await passes(Math.min(3000, left));
    };
    return { database, way, all, ids, passes, lives };
  }

  it('that is not renewed is buried by one that has looked for long enough', async () => {
    const { all, ids, passes, lives } = await leases(2);
    await passes(0);
    await lives(LEASE_MS - 1);
    expect([await ids(), all[0]?.told]).toEqual([['n0', 'n1'], []]);
    await passes(1);
    expect([await ids(), all[0]?.told]).toEqual([['n0'], ['death']]);
  });

  it('that was given back by one that stops is seen by the others', async () => {
    const { all, passes, lives } = await leases(2, silentLog, 2);
    await passes(0);
    await all[1]?.nodes.close();
    await lives(12_000);
    // What was left could not be taken over the first time.
    expect(all[0]?.told).toEqual(['death', 'death']);
  });

  it('that is given back before another’s first beat is missed by that one', async () => {
    const { all } = await leases(2);
    await all[0]?.nodes.close();
    await all[1]?.nodes.beat();
    expect(all[1]?.told).toEqual(['death']);
  });

  it('is renewed by every beat, whatever the clock of the database says', async () => {
    const { database, all, ids, passes, lives } = await leases(2);
    // As if that clock had been ahead by an hour, and then been set.
    await query(database, `update nodes set lease_until = lease_until + 3600000`);
    for (let beats = 0; beats < 10; beats++) {
      await passes(3000);
      await all[1]?.nodes.beat();
    }
    expect(await ids()).toEqual(['n0', 'n1']);
    // Its last lease lasts for an hour by that clock, and no longer than others here.
    await lives(30_000);
    expect([await ids(), all[0]?.told]).toEqual([['n0'], ['death']]);
  });

  it('is nobody’s death while the database is away, nor when it is back', async () => {
    const { way, all, ids, passes } = await leases(2);
    await passes(0);
    way.cut();
    await passes(60_000);
    way.mend();
    await passes(0);
    expect([await ids(), all[0]?.told]).toEqual([['n0', 'n1'], []]);
  });

  it('is nobody’s death where time went by without a beat: this one stood still, or all did', async () => {
    const { all, ids, passes, lives } = await leases(2);
    await lives(LEASE_MS - 1);
    await passes(60_000);
    expect([await ids(), all[0]?.told]).toEqual([['n0', 'n1'], []]);
    await lives(LEASE_MS);
    expect([await ids(), all[0]?.told]).toEqual([['n0'], ['death']]);
  });

  it('that was buried by mistake is taken again, and said so', async () => {
    const errors: string[] = [];
    const log = { ...silentLog, error: (_fields: object, message: string) => void errors.push(message) };
    const { database, all, ids, passes } = await leases(1, log);
    await query(database, 'delete from nodes');
    await passes(0);
    expect([await ids(), all[0]?.told]).toEqual([['n0'], ['burial']]);
    expect(errors).toEqual([expect.stringContaining('taken for dead')]);
  });
});
