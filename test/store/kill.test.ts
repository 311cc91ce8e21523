// kill -9 while a client writes: whatever was answered is there after a restart, and nothing is there by half.
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { seededRandom } from '../../src/lib/random.ts';
import { ExchangeProcess } from '../support/exchange-process.ts';
import { type TestDatabase, testDatabase } from '../support/test-database.ts';

const KILLS = 2;
const WRITERS = 8;
const TARGETS = 2;

async function serve({ path, database }: TestDatabase) {
  const exchange = await ExchangeProcess.start({ folder: dirname(path), database });
  onTestFinished(() => exchange.kill());
  return { client: exchange.client, kill: () => exchange.kill() };
}

type Client = Awaited<ReturnType<typeof serve>>['client'];

/** What the client was answered. */
interface Known {
  /** Policies that are there, with the name that was confirmed last and one that may have been written since. */
  readonly names: Map<string, { confirmed: string; asked: string }>;
  readonly targets: Map<string, string[]>;
  readonly deleted: Set<string>;
  readonly calls: Set<string>;
}

/** Writes until the server is gone. */
async function write(client: Client, known: Known): Promise<void> {
  const { connectionPolicies } = client.voice.v1;
  for (let round = 0; ; round++) {
    try {
      const { sid } = await connectionPolicies.create({ friendlyName: 'new' });
      const names = { confirmed: 'new', asked: 'new' };
      known.names.set(sid, names);
      known.targets.set(sid, []);
      for (let count = 0; count < TARGETS; count++) {
        const target = await connectionPolicies(sid).targets.create({ target: `sip:t${count}.example` });
        known.targets.get(sid)?.push(target.sid);
      }
      names.asked = `changed ${round}`;
      await connectionPolicies(sid).update({ friendlyName: names.asked });
      names.confirmed = names.asked;
      const call = await client.calls.create({
        to: 'sip:nobody@127.0.0.1:9',
        from: 'a',
        twiml: '<Response/>',
      });
      known.calls.add(call.sid);
      if (round % 3 === 2) await removePolicy(client, known, sid);
    } catch (error) {
      if ((error as { status?: number }).status !== undefined) throw error;
      return;
    }
  }
}

/** From the moment of asking until the answer it may be there or not. */
async function removePolicy(client: Client, known: Known, sid: string): Promise<void> {
  known.names.delete(sid);
  known.targets.delete(sid);
  await client.voice.v1.connectionPolicies(sid).remove();
  known.deleted.add(sid);
}

async function expectAll(client: Client, known: Known): Promise<void> {
  const { connectionPolicies } = client.voice.v1;
  const found = new Map((await connectionPolicies.list({ pageSize: 1000 })).map((each) => [each.sid, each]));
  for (const [sid, { confirmed, asked }] of known.names) {
    expect([confirmed, asked]).toContain(found.get(sid)?.friendlyName);
  }
  for (const sid of known.deleted) expect(found.has(sid)).toBe(false);
  for (const [sid, targets] of [...known.targets].slice(-2 * WRITERS)) {
    const there = (await connectionPolicies(sid).targets.list()).map((each) => each.sid);
    expect(targets.filter((each) => !there.includes(each))).toEqual([]);
  }
  const calls = new Set((await client.calls.list({ pageSize: 1000 })).map((each) => each.sid));
  expect([...known.calls].filter((sid) => !calls.has(sid))).toEqual([]);
}

it('loses no answered request', async () => {
  const database = await testDatabase();
  const { fraction } = seededRandom(41);
  const known: Known = { names: new Map(), targets: new Map(), deleted: new Set(), calls: new Set() };
  for (let count = 0; count < KILLS; count++) {
    const exchange = await serve(database);
    await expectAll(exchange.client, known);
    const writers = Array.from({ length: WRITERS }, () => write(exchange.client, known));
    await pause(200 + fraction() * 500);
    await exchange.kill();
    await Promise.all(writers);
    expect(known.names.size).toBeGreaterThan(0);
  }
  const { client } = await serve(database);
  await expectAll(client, known);
  const calls = await client.calls.list({ pageSize: 1000 });
  const unfinished = calls.filter(({ status }) => ['queued', 'ringing', 'in-progress'].includes(status));
  expect(unfinished).toEqual([]);
}, 60_000);
