// Two exchanges, each a process, on one database: configuration reaches both, and what one leaves that is gone, or only
// seems to be, the other ends.
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { callsUp, reached, TOLD } from '../support/calls-up.ts';
import { CALL, trunkTo } from '../support/exchange.ts';
import { ExchangeProcess } from '../support/exchange-process.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { query, type TestDatabase, testDatabase } from '../support/test-database.ts';

/** Longer than a lease, and than a node waits before it believes that others are dead. */
const PATIENCE = { timeout: 45_000, interval: 100 };

async function exchangeOn({ database }: TestDatabase): Promise<ExchangeProcess> {
  const settings = { TANDEM_KEY: '0'.repeat(64) };
  const exchange = await ExchangeProcess.start({ folder: join(tempFolder(), 'data'), database, settings });
  onTestFinished(() => exchange.kill());
  return exchange;
}

it('what is configured on one is applied on the other', async () => {
  const database = await testDatabase();
  const [one, other] = [await exchangeOn(database), await exchangeOn(database)];
  const { client } = one;
  const byoc = await trunkTo(client, ['sip:192.0.2.1']);
  const targets = async () => {
    const question = new URLSearchParams({ To: CALL.to, From: CALL.from, Byoc: byoc });
    const answer = await other.ask('/tandem/v1/Explain', [...question]).catch(() => undefined);
    return (answer?.targets as { target: string }[] | undefined)?.map(({ target }) => target);
  };
  await expect.poll(targets, PATIENCE).toEqual(['sip:192.0.2.1']);
  const [policy] = await client.voice.v1.connectionPolicies.list();
  const list = client.voice.v1.connectionPolicies(policy?.sid ?? '').targets;
  const [first] = await list.list();
  await client.voice.v1
    .connectionPolicies(policy?.sid ?? '')
    .targets(first?.sid ?? '')
    .update({ target: 'sip:192.0.2.2' });
  await expect.poll(targets, PATIENCE).toEqual(['sip:192.0.2.2']);
}, 120_000);

it('one that is killed has its calls hung up and told of by the other', async () => {
  const database = await testDatabase();
  const [other, one] = [await exchangeOn(database), await exchangeOn(database)];
  const { sids, placed, endings, told } = await callsUp(one);
  await one.kill();
  const via = `127.0.0.1:${other.listener.port}`;
  for (const ending of endings) {
    const { by, request } = await ending;
    expect([by, request?.method]).toEqual(['remote', 'BYE']);
    expect(request?.header('Via')).toContain(via);
  }
  for (const sid of sids) await reached(other, sid, 'completed');
  await expect.poll(() => told(placed), PATIENCE).toEqual(TOLD);
  await expect.poll(() => query(database, 'select * from live_dialogs'), PATIENCE).toEqual([]);
}, 180_000);

it('one that stood still lets go of the calls that the other has closed, and takes others', async () => {
  const database = await testDatabase();
  const [other, one] = [await exchangeOn(database), await exchangeOn(database)];
  const { sids, placed, endings, told } = await callsUp(one);
  one.pause();
  for (const ending of endings) expect((await ending).by).toBe('remote');
  for (const sid of sids) await reached(other, sid, 'completed');
  const ends = await Promise.all(sids.map((sid) => other.client.calls(sid).fetch()));
  one.wake();
  await expect.poll(() => one.metric('tandem_calls_live'), PATIENCE).toBe(0);
  const after = await Promise.all(sids.map((sid) => other.client.calls(sid).fetch()));
  expect(after.map(({ duration, endTime }) => [duration, endTime])).toEqual(
    ends.map(({ duration, endTime }) => [duration, endTime]),
  );
  await expect.poll(() => told(placed), PATIENCE).toEqual(TOLD);
  const { sids: more } = await callsUp(one);
  expect(more).toHaveLength(4);
}, 180_000);
