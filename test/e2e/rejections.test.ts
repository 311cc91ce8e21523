// What a running exchange says to callers it does not let in, and what it tells their account afterwards.
import { createSocket } from 'node:dgram';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  call,
  domainWith,
  listenerOf,
  listOf,
  openPhone,
  PASSWORD,
  type TestDomain,
} from '../support/doors.ts';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { RawPeer, request as requestText } from '../support/raw-peer.ts';
import { ANSWER_SDP } from '../support/sip-peer.ts';

const OFFER = { contentType: 'application/sdp', content: ANSWER_SDP };

let exchange: Exchange;

beforeAll(async () => {
  exchange = await startExchange();
});
afterAll(() => exchange.stop());

interface Told {
  readonly status: number;
  readonly error: string | undefined;
  readonly retry: string | undefined;
}

async function answerTo(
  uri: string,
  options: Partial<Parameters<typeof call>[1]> & { readonly transport?: 'udp' | 'tcp' | 'tls' } = {},
): Promise<Told & { readonly reason: string }> {
  const { transport = 'udp', ...rest } = options;
  const phone = await openPhone();
  const destination = listenerOf(exchange, transport);
  const response = await call(phone, { uri, destination, body: OFFER, ...rest });
  return {
    status: response.status,
    reason: response.reason,
    error: response.header('X-Twilio-Error'),
    retry: response.header('Proxy-Authenticate'),
  };
}

/** The latest refusal of a host, as soon as it is written. */
async function kept(host: string): Promise<Record<string, unknown>> {
  for (;;) {
    const [row] = await listOf(exchange, 'RejectedCalls', `?Domain=${host}`);
    if (row) return row;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function domainBehind(address: string, name: string): Promise<{ sid: string; list: string }> {
  const { client } = exchange;
  const { sid } = await client.sip.domains.create({ domainName: name });
  const list = await client.sip.ipAccessControlLists.create({ friendlyName: `around ${name}` });
  await client.sip
    .ipAccessControlLists(list.sid)
    .ipAddresses.create({ friendlyName: 'office', ipAddress: address, cidrPrefixLength: 30 });
  await client.sip
    .domains(sid)
    .auth.calls.ipAccessControlListMappings.create({ ipAccessControlListSid: list.sid });
  return { sid, list: list.sid };
}

describe('a call', () => {
  it('for a domain that is not there', async () => {
    const told = await answerTo('sip:100@nowhere.sip.twilio.com');
    expect([told.status, told.error?.slice(0, 5)]).toEqual([404, '32002']);
    expect(await kept('nowhere.sip.twilio.com')).toMatchObject({
      account_sid: exchange.account.accountSid,
      method: 'INVITE',
      source_ip: '127.0.0.1',
      transport: 'udp',
      domain_sid: null,
      from: 'sip:caller@elsewhere.example',
      to: 'sip:100@nowhere.sip.twilio.com',
      status: 404,
      error_code: 32_002,
      reason: 'no domain and no trunk is named nowhere.sip.twilio.com',
      count: 1,
    });
  });

  it('for an address that is nobody’s', async () => {
    const { port } = listenerOf(exchange, 'udp');
    expect(await answerTo(`sip:100@127.0.0.1:${port}`)).toMatchObject({ status: 403 });
  });

  it('from a source that no list holds: with the nearest entry', async () => {
    const { sid, list } = await domainBehind('127.0.0.12', 'guarded.sip.twilio.com');
    const told = await answerTo('sip:100@guarded.sip.twilio.com');
    expect(told).toMatchObject({
      status: 403,
      error: '32201 Authentication failure - source IP Address not in ACL',
    });
    expect(await kept('guarded.sip.twilio.com')).toMatchObject({
      domain_sid: sid,
      status: 403,
      error_code: 32_201,
      reason: `source 127.0.0.1 is in no list of domain guarded.sip.twilio.com; nearest: 127.0.0.12/30 in ${list} (around guarded.sip.twilio.com)`,
      fix: `add 127.0.0.1 to ${list}`,
    });
  });

  it('from a source that a list holds is let in, and told that the domain has no VoiceUrl', async () => {
    await domainBehind('127.0.0.1', 'open.sip.twilio.com');
    expect(await answerTo('sip:100@open.sip.twilio.com')).toMatchObject({ status: 404, error: undefined });
    expect(await kept('open.sip.twilio.com')).toMatchObject({ status: 404, error_code: null });
  });

  it('for a domain that nothing guards', async () => {
    await exchange.client.sip.domains.create({ domainName: 'bare.sip.twilio.com' });
    expect(await answerTo('sip:100@bare.sip.twilio.com')).toMatchObject({ status: 403 });
    expect(await kept('bare.sip.twilio.com')).toMatchObject({ error_code: 32_200 });
  });

  it('in the clear for a secure domain: before anything else is asked', async () => {
    const { name } = await domainWith(exchange, ['alice'], { secure: true });
    expect(await answerTo(`sip:100@${name}`)).toMatchObject({
      status: 488,
      reason: 'Secure SIP transport required',
      error: '32209 SIP: Secure transport required',
    });
    const overTls = await answerTo(`sip:100@${name}`, { transport: 'tls' });
    expect(overTls.status).toBe(407);
  });

  it('with Max-Forwards 0', async () => {
    await domainBehind('127.0.0.1', 'far.sip.twilio.com');
    const told = await answerTo('sip:100@far.sip.twilio.com', { headers: [['Max-Forwards', '0']] });
    expect([told.status, told.error?.slice(0, 5)]).toEqual([483, '32006']);
  });
});

describe('digest', () => {
  let domain: TestDomain;
  beforeAll(async () => {
    domain = await domainWith(exchange, ['alice']);
  });

  it('asks, lets in who knows the password, and tells nobody who exists', async () => {
    const uri = `sip:100@${domain.name}`;
    const asked = await answerTo(uri);
    expect(asked.status).toBe(407);
    expect(asked.retry).toMatch(
      /^Digest realm="sip\.twilio\.com", nonce="[0-9a-f]{56}", algorithm=MD5, qop="auth"$/,
    );
    const right = await answerTo(uri, { credentials: { username: 'alice', password: PASSWORD } });
    expect(right.status).toBe(404);
    const wrong = await answerTo(uri, { credentials: { username: 'alice', password: 'wrong' } });
    const unknown = await answerTo(uri, { credentials: { username: 'mallory', password: 'wrong' } });
    expect(wrong).toEqual({
      ...unknown,
      status: 403,
      error: '32202 Authentication failure - bad user credentials',
    });
    const reasons = async () =>
      (await listOf(exchange, 'RejectedCalls', `?DomainSid=${domain.sid}&ErrorCode=32202`)).map(
        ({ reason }) => reason,
      );
    await expect
      .poll(reasons, { timeout: 10_000 })
      .toEqual(['there is no user mallory', 'the password of user alice is wrong']);
  });

  it('gives a nonce for one domain that is good at no other', async () => {
    const other = await domainWith(exchange, ['alice']);
    const peer = await RawPeer.open();
    const to = listenerOf(exchange, 'udp');
    const ask = async (name: string, branch: string, headers = '') => {
      peer.send(requestText('INVITE', peer, { uri: `sip:1@${name}`, branch, headers, body: ANSWER_SDP }), to);
      for (;;) {
        const message = peer.heard.shift();
        if (message && message.status >= 200) return message;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const challenged = await ask(domain.name, 'n1');
    const nonce = /nonce="(\w+)"/.exec(challenged.header('Proxy-Authenticate') ?? '')?.[1];
    const foreign = `Proxy-Authorization: Digest username="alice", realm="sip.twilio.com", nonce="${nonce}", uri="sip:1@x", response="${'0'.repeat(32)}"\r\n`;
    // Not wrong credentials: none at all for this domain, so the phone may try again.
    expect((await ask(other.name, 'n2', foreign)).status).toBe(407);
    expect((await ask(domain.name, 'n3', foreign)).status).toBe(403);
    peer.close();
  });
});

it('counts what is alike in one row, and answers a source that floods no more, but others', async () => {
  const flood = createSocket('udp4');
  let answers = 0;
  flood.on('message', () => answers++);
  await new Promise<void>((resolve) => flood.bind(0, '127.0.0.2', resolve));
  const { port, address } = listenerOf(exchange, 'udp');
  const peer = await RawPeer.open();
  for (let index = 0; index < 400; index++) {
    const method = index % 2 ? 'INVITE' : 'REGISTER';
    const uri = `sip:flood-${index}.sip.twilio.com`;
    flood.send(
      requestText(method, peer, { uri, branch: `f${index}`, callId: `flood-${index}` }),
      port,
      address,
    );
  }
  peer.close();
  const silenced = async () =>
    (await listOf(exchange, 'RejectedCalls', '?SourceIp=127.0.0.2')).map(({ reason, status }) => [
      reason,
      status,
    ]);
  const silence = ['the source was refused too often and is not answered for a while', null];
  await expect.poll(silenced, { timeout: 10_000 }).toContainEqual(silence);
  // Requests say in Via where the peer is, but answers go where they came from.
  expect(answers).toBeGreaterThan(0);
  expect(answers).toBeLessThan(400);
  expect(await answerTo('sip:100@elsewhere.sip.twilio.com')).toMatchObject({ status: 404 });
  flood.close();
});
