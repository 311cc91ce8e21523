// Devices of two exchanges on one database: each is known at both, and only who holds its flow says that it is gone.
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import type { RequestView, SipUserAgent } from '../../src/sip/index.ts';
import { domainWith, openPhone, register, type TestDomain } from '../support/doors.ts';
import { ExchangeProcess } from '../support/exchange-process.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { query, type TestDatabase, testDatabase } from '../support/test-database.ts';

/** Longer than a lease, and than a node waits before it believes that others are dead. */
const PATIENCE = { timeout: 45_000, interval: 100 };
const TWIML = '<Response><Pause length="60"/></Response>';

let database: TestDatabase;
let one: ExchangeProcess;
let other: ExchangeProcess;
let domain: TestDomain;

async function exchangeOn(): Promise<ExchangeProcess> {
  const settings = { TANDEM_KEY: '0'.repeat(64) };
  const given = { folder: join(tempFolder(), 'data'), database: database.database, settings };
  const exchange = await ExchangeProcess.start(given);
  onTestFinished(() => exchange.kill());
  return exchange;
}

beforeEach(async () => {
  database = await testDatabase();
  [one, other] = [await exchangeOn(), await exchangeOn()];
  domain = await domainWith(one, ['alice', 'bob']);
}, 60_000);

interface Device {
  readonly phone: SipUserAgent;
  /** INVITEs that came, all refused as busy. */
  readonly called: RequestView[];
  /** The status of a REGISTER; once more for as long as the exchange does not know the domain. */
  at(exchange: ExchangeProcess, seq?: number, expires?: string): Promise<number>;
}

async function device(user: string, transport: 'udp' | 'tcp' = 'udp'): Promise<Device> {
  const phone = await openPhone();
  const called: RequestView[] = [];
  phone.onInvite((invite) => {
    called.push(invite.request);
    invite.reject(486);
  });
  const callId = `${user}-${transport}`;
  const contact = `<sip:${user}@10.1.2.3;transport=${transport}>;reg-id=1;+sip.instance="<urn:${callId}>"`;
  const at: Device['at'] = async (exchange, seq = 1, expires = '600') => {
    const given = { domain, user, contact, callId, seq, headers: [['Expires', expires]] as const };
    for (;;) {
      const { status } = await register(phone, { ...exchange.listener, transport }, given);
      if (status !== 404 && status !== 403) return status;
    }
  };
  return { phone, called, at };
}

/** Calls the user from the exchange. @returns how the call ended, and by which rule it went. */
async function call(exchange: ExchangeProcess, user: string) {
  const { client } = exchange;
  const { sid } = await client.calls.create({ to: `sip:${user}@${domain.name}`, from: 'desk', twiml: TWIML });
  let status = '';
  await expect
    .poll(async () => {
      ({ status } = await client.calls(sid).fetch());
      return status;
    }, PATIENCE)
    .toMatch(/busy|failed/);
  const trace = await exchange.ask(`/tandem/v1/Calls/${sid}/RouteTrace`);
  return { status, trace: JSON.stringify(trace) };
}

const rows = () =>
  query(database, 'select sid, username, node, source_port from registrations order by username');

it('one is called from both, renews at either, and is one binding', async () => {
  const bob = await device('bob');
  expect(await bob.at(one)).toBe(200);
  const [before] = await rows();
  await expect.poll(async () => (await call(other, 'bob')).status, PATIENCE).toBe('busy');
  expect(bob.called.at(-1)?.header('Via')).toContain(`127.0.0.1:${other.listener.port}`);
  // What the one knows of the order of its requests the other knows.
  expect(await bob.at(other, 1)).toBe(400);
  expect(await bob.at(other, 10)).toBe(200);
  const [after] = await rows();
  expect([after?.sid, after?.node === before?.node]).toEqual([before?.sid, false]);
  // Both exchanges at once, before either has heard of the other's.
  const again = await Promise.all([bob.at(one, 20), bob.at(other, 30)]);
  expect(again).toContain(200);
  expect(await rows()).toHaveLength(1);
  expect(await bob.at(one, 40, '0')).toBe(200);
  await expect.poll(async () => (await call(other, 'bob')).trace, PATIENCE).toContain('is not registered');
  expect(await rows()).toEqual([]);
}, 120_000);

it('one that holds a connection is called by its own exchange alone; another says where it is', async () => {
  const bob = await device('bob', 'tcp');
  expect(await bob.at(one)).toBe(200);
  await expect
    .poll(async () => (await call(other, 'bob')).trace, PATIENCE)
    .toContain('registered at exchange 127.0.0.1, which alone can use its connection');
  expect(bob.called).toEqual([]);
  // One that starts leaves it alone.
  const third = await exchangeOn();
  expect((await call(third, 'bob')).trace).toContain('registered at exchange 127.0.0.1');
  expect(await rows()).toHaveLength(1);
  expect((await call(one, 'bob')).status).toBe('busy');
  // It goes to another exchange: the one that had it says nothing more of it.
  expect(await bob.at(other, 10)).toBe(200);
  expect((await call(other, 'bob')).status).toBe('busy');
  await one.stop();
  expect((await call(other, 'bob')).status).toBe('busy');
  expect(await rows()).toHaveLength(1);
}, 120_000);

it.each(['stop', 'kill'] as const)(
  'of an exchange that is gone by %s, what no connection holds lives on',
  async (how) => {
    const [alice, bob, kept] = [await device('alice'), await device('bob', 'tcp'), await device('bob')];
    expect([await alice.at(one), await bob.at(one), await kept.at(other)]).toEqual([200, 200, 200]);
    await one[how]();
    // The connection is nobody's any more; what is left belongs to the only one that lives.
    const taken = async () => {
      const live = await query(database, 'select id as node from nodes');
      const left = await query(database, 'select node from registrations');
      return [live.length, left.filter(({ node }) => node === live[0]?.node).length, left.length];
    };
    await expect.poll(taken, PATIENCE).toEqual([1, 2, 2]);
    for (const user of ['alice', 'bob']) expect((await call(other, user)).status).toBe('busy');
    expect([alice.called.length, bob.called.length, kept.called.length]).toEqual([1, 0, 1]);
  },
  120_000,
);
