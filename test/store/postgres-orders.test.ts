// What is asked of a call at another exchange than the one that has it is done there.
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { CALL, trunkTo } from '../support/exchange.ts';
import { ExchangeProcess } from '../support/exchange-process.ts';
import { Softphone } from '../support/softphone.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { query, type TestDatabase, testDatabase } from '../support/test-database.ts';
import { startWebhookApp } from '../support/webhook-app.ts';

const WAITING = '<Response><Pause length="60"/></Response>';

let database: TestDatabase;
let owner: ExchangeProcess;
let other: ExchangeProcess;

async function exchange(): Promise<ExchangeProcess> {
  const settings = { TANDEM_KEY: '0'.repeat(64) };
  const folder = join(tempFolder(), 'data');
  const started = await ExchangeProcess.start({ folder, database: database.database, settings });
  onTestFinished(() => started.kill());
  return started;
}

beforeEach(async () => {
  database = await testDatabase();
  owner = await exchange();
  other = await exchange();
}, 60_000);

/** A call that the owner has placed, and its callee has answered. */
async function callUp() {
  const callee = await Softphone.open();
  onTestFinished(() => callee.close());
  const answered = await callee.expects();
  const byoc = await trunkTo(owner.client, [callee.uri()]);
  const { sid } = await owner.client.calls.create({ ...CALL, byoc, twiml: WAITING });
  const { ended } = await answered();
  const at = other.client.calls(sid);
  await expect.poll(async () => (await at.fetch()).status, { timeout: 15_000 }).toBe('in-progress');
  return { sid, at, ended };
}

const orders = () => query(database, 'select * from node_orders');

it('a call is hung up, once; then it is not in progress', async () => {
  const { at, ended } = await callUp();
  const [{ status, endTime }] = await Promise.all([at.update({ status: 'completed' }), ended]);
  expect([status, endTime === null]).toEqual(['completed', false]);
  await expect(at.update({ status: 'completed' })).rejects.toMatchObject({ status: 400, code: 21220 });
  expect(await orders()).toEqual([]);
}, 60_000);

it('a call is redirected, and refuses what it would refuse there', async () => {
  const app = await startWebhookApp((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/xml' }).end(WAITING);
  });
  onTestFinished(() => app.close());
  const { sid, at } = await callUp();
  expect(await at.update({ url: `${app.url}/next`, method: 'POST' })).toMatchObject({
    status: 'in-progress',
  });
  await expect.poll(() => app.requests.map(({ path }) => path), { timeout: 15_000 }).toEqual(['/next']);
  expect(app.requests[0]?.parameters).toMatchObject({ CallSid: sid });
  await expect(at.update({ status: 'canceled' })).rejects.toMatchObject({ status: 400, code: 21220 });
}, 60_000);

it('a call is recorded: begun, paused, resumed and stopped', async () => {
  const { at } = await callUp();
  const { sid } = await at.recordings.create({ recordingChannels: 'dual' });
  const current = at.recordings('Twilio.CURRENT');
  expect(await current.update({ status: 'paused' })).toMatchObject({ sid, status: 'paused', channels: 2 });
  expect(await at.recordings(sid).update({ status: 'in-progress' })).toMatchObject({ status: 'in-progress' });
  expect((await at.recordings(sid).update({ status: 'stopped' })).sid).toBe(sid);
  await expect.poll(async () => (await other.client.recordings(sid).fetch()).status).toBe('completed');
  await expect(current.update({ status: 'paused' })).rejects.toMatchObject({ status: 404 });
}, 60_000);

it('an exchange that stands still is named, and does nothing of it when it is back', async () => {
  const { at } = await callUp();
  owner.pause();
  await expect(at.update({ status: 'completed' })).rejects.toMatchObject({
    status: 503,
    code: 20503,
    message: expect.stringMatching(/The exchange .+ \(process \d+\), which has the call, .*nothing was done/),
  });
  owner.wake();
  // It hears of this one after the one before.
  await at.update({ timeLimit: 3000 });
  expect((await at.fetch()).status).toBe('in-progress');
  await at.update({ status: 'completed' });
}, 60_000);

it('many at once reach the calls that they are for', async () => {
  const calls = await Promise.all(Array.from({ length: 8 }, callUp));
  const results = await Promise.all(calls.map(({ at }) => at.update({ status: 'completed' })));
  expect(results.map(({ sid, status }) => [sid, status])).toEqual(calls.map(({ sid }) => [sid, 'completed']));
  expect(await orders()).toEqual([]);
}, 60_000);
