// Phones register at a running exchange: real sockets, the official client for the domain, and what /tandem/v1 shows.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { domainWith, listenerOf, listOf, openPhone, register, type TestDomain } from '../support/doors.ts';
import { type Exchange, startExchange } from '../support/exchange.ts';

let exchange: Exchange;
let domain: TestDomain;

beforeAll(async () => {
  exchange = await startExchange();
  domain = await domainWith(exchange, ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace']);
});
afterAll(() => exchange.stop());

const registrationsOf = (user: string) =>
  listOf(exchange, 'Registrations', `?Aor=${encodeURIComponent(`sip:${user}@${domain.name}`)}`);

describe('a phone', () => {
  it.each([
    ['udp', 'alice'],
    ['tcp', 'bob'],
    ['tls', 'carol'],
  ] as const)('registers over %s, and unregisters', async (transport, user) => {
    const phone = await openPhone();
    const to = listenerOf(exchange, transport);
    const contact = `<sip:${user}@10.1.2.3:5062;transport=${transport}>;expires=1200`;
    const response = await register(phone, to, { domain, user, contact, callId: `first-${user}`, seq: 1 });
    expect([response.status, response.header('Contact')]).toEqual([
      200,
      `<sip:${user}@10.1.2.3:5062;transport=${transport}>;expires=1200`,
    ]);

    const [row, ...others] = await registrationsOf(user);
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      account_sid: exchange.account.accountSid,
      domain_sid: domain.sid,
      domain: domain.name,
      username: user,
      contact: `sip:${user}@10.1.2.3:5062;transport=${transport}`,
      source_ip: '127.0.0.1',
      transport,
    });
    // Where calls go is the flow it came by, not the address behind NAT that it names.
    const isOwnSocket = phone.listening.some(({ port }) => port === row?.source_port);
    expect(isOwnSocket).toBe(transport === 'udp');

    const gone = await register(phone, to, {
      domain,
      user,
      contact: '*',
      headers: [['Expires', '0']],
      callId: `first-${user}`,
      seq: 10,
    });
    expect([gone.status, gone.header('Contact')]).toEqual([200, undefined]);
    expect(await registrationsOf(user)).toEqual([]);
  });

  it('is one binding however often it registers, and its instance is one wherever it is', async () => {
    const phone = await openPhone();
    const to = listenerOf(exchange, 'udp');
    const instance = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>";reg-id=1';
    for (const host of ['10.0.0.1', '10.0.0.2', '10.0.0.2']) {
      const contact = `<sip:dave@${host}>;${instance}`;
      const { status, headers } = await register(phone, to, { domain, user: 'dave', contact }).then(
        (response) => ({ status: response.status, headers: response.headers('Contact') }),
      );
      expect([status, headers]).toEqual([200, [`<sip:dave@${host}>;expires=3600;${instance}`]]);
    }
    expect(await registrationsOf('dave')).toHaveLength(1);
  });

  it.each([
    ['599', 423, '600', undefined],
    ['600', 200, undefined, '600'],
    ['86400', 200, undefined, '3600'],
  ])('that asks for %s s is answered %i', async (asked, status, minExpires, granted) => {
    const phone = await openPhone();
    const response = await register(phone, listenerOf(exchange, 'udp'), {
      domain,
      user: 'erin',
      contact: '<sip:erin@10.0.0.5>',
      headers: [['Expires', asked]],
    });
    expect(response.status).toBe(status);
    expect(response.header('Min-Expires')).toBe(minExpires);
    expect(/expires=(\d+)/.exec(response.header('Contact') ?? '')?.[1]).toBe(granted);
  });

  it('may have ten contacts and no eleventh', async () => {
    const phone = await openPhone();
    const to = listenerOf(exchange, 'udp');
    const contacts = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => `<sip:frank@10.0.0.${from + index}>`).join(', ');
    const ten = await register(phone, to, { domain, user: 'frank', contact: contacts(1, 10) });
    expect([ten.status, ten.headers('Contact').length]).toEqual([200, 10]);
    const eleven = await register(phone, to, { domain, user: 'frank', contact: contacts(11, 1) });
    expect([eleven.status, eleven.header('X-Twilio-Error')?.slice(0, 5)]).toEqual([403, '32007']);
    expect(await registrationsOf('frank')).toHaveLength(10);
  });
});

describe('who may not register', () => {
  const answer = async (given: Parameters<typeof register>[2], transport: 'udp' | 'tcp' | 'tls' = 'udp') => {
    const phone = await openPhone();
    const { status, ...response } = await register(phone, listenerOf(exchange, transport), given).then(
      (found) => ({
        status: found.status,
        error: found.header('X-Twilio-Error')?.slice(0, 5),
      }),
    );
    return [status, response.error];
  };

  it('with a wrong password, as somebody unknown, or as somebody else', async () => {
    expect(await answer({ domain, user: 'alice', password: 'wrong' })).toEqual([403, '32202']);
    expect(await answer({ domain, user: 'nobody' })).toEqual([403, '32202']);
    const to = `sip:bob@${domain.name}`;
    expect(await answer({ domain, user: 'alice', to })).toEqual([403, '32106']);
  });

  it('at a domain that takes no registrations, or has no list for them, or is not there', async () => {
    const closed = await domainWith(exchange, ['alice'], { sipRegistration: false });
    expect(await answer({ domain: closed, user: 'alice' })).toEqual([403, '32210']);
    const { sid } = await exchange.client.sip.domains.create({
      domainName: 'bare.sip.twilio.com',
      sipRegistration: true,
    });
    expect(await answer({ domain: { name: 'bare.sip.twilio.com' }, user: 'alice' })).toEqual([403, '32212']);
    await exchange.client.sip.domains(sid).remove();
    expect(await answer({ domain: { name: 'bare.sip.twilio.com' }, user: 'alice' })).toEqual([404, '32002']);
  });

  it('in the clear at a secure domain', async () => {
    const secure = await domainWith(exchange, ['alice'], { secure: true });
    expect(await answer({ domain: secure, user: 'alice' })).toEqual([488, '32209']);
    expect(await answer({ domain: secure, user: 'alice' }, 'tls')).toEqual([200, undefined]);
  });
});

it('takes a localized name for the domain itself', async () => {
  const phone = await openPhone();
  const name = domain.name.replace('.sip.', '.sip.dublin.');
  const response = await register(phone, listenerOf(exchange, 'udp'), { domain: { name }, user: 'grace' });
  expect(response.status).toBe(200);
  expect(await registrationsOf('grace')).toMatchObject([{ domain: domain.name }]);
});

it('keeps bindings over a restart', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bindings-'));
  try {
    const first = await startExchange({ TANDEM_DATA: folder });
    const home = await domainWith(first, ['heidi']);
    const phone = await openPhone();
    const given = { domain: home, user: 'heidi', contact: '<sip:heidi@10.9.9.9>', callId: 'heidi-1', seq: 5 };
    expect((await register(phone, listenerOf(first, 'udp'), given)).status).toBe(200);
    const before = await listOf(first, 'Registrations');
    await first.stop();

    const second = await startExchange({ TANDEM_DATA: folder });
    expect(await listOf(second, 'Registrations')).toEqual(
      before.map((row) => ({ ...row, url: String(row.url).replace(first.tandem.http, second.tandem.http) })),
    );
    // What was bound is what it goes on with: an overtaken REGISTER of the same Call-ID changes nothing.
    const to = listenerOf(second, 'udp');
    expect((await register(phone, to, { ...given, seq: 2 })).status).toBe(400);
    const added = await register(phone, to, { ...given, contact: '<sip:heidi@10.9.9.8>', seq: 20 });
    expect(added.headers('Contact').map((value) => value.split(';', 1)[0])).toEqual([
      '<sip:heidi@10.9.9.9>',
      '<sip:heidi@10.9.9.8>',
    ]);
    await second.stop();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
