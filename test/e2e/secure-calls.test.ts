// SRTP towards callees: where a URI says `secure`, per target, and beside a leg that has none.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { listenerOf, register } from '../support/doors.ts';
import { type Inbound, startInbound } from '../support/inbound.ts';
import { hearsTone, PHONE_CERTIFICATE, Softphone } from '../support/softphone.ts';

const FROM = '+15550009999';
const TONE = { kind: 'tone', frequenciesHz: [440], durationMs: 60_000 } as const;

let folder: string;
let settings: Record<string, string>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-secure-'));
  settings = { TANDEM_SIP_CA: join(folder, 'ca.pem') };
  writeFileSync(join(folder, 'ca.pem'), PHONE_CERTIFICATE.cert);
});
afterAll(() => rmSync(folder, { recursive: true }));

let inbound: Inbound;
afterEach(() => inbound.stop());

/** Other programs may have the processor meanwhile. */
const patience = { timeout: 12_000 };

/** `sip:bob@127.0.0.1:port;secure=true` of the phone's TLS port. */
const secureUri = (phone: Softphone): string =>
  phone.uri('tls', 'bob').replace(';transport=tls', ';secure=true');

async function otherPhone(): Promise<Softphone> {
  const phone = await Softphone.open();
  onTestFinished(() => phone.close());
  return phone;
}

/** A trunk over these targets, the first one first. */
const keyOf = (sdp: string): string | undefined => /^a=crypto:\S+ \S+ inline:(\S+)/m.exec(sdp)?.[1];

describe('a callee at a secure URI', () => {
  it('is called over TLS with SRTP of the one suite, and hears', async () => {
    inbound = await startInbound({ settings });
    const { exchange, phone } = inbound;
    inbound.twiml['/tone'] = '<Play loop="0">/tone.wav</Play>';
    const taking = await phone.expects({ srtp: true });
    const { sid } = await exchange.client.calls.create({
      to: secureUri(phone),
      from: FROM,
      url: `${inbound.app.url}/tone`,
    });
    const taken = await taking();
    expect(taken.request.uri).toBe(phone.uri('tls', 'bob'));
    const { body } = taken.request;
    expect(body).toMatch(/^m=audio \d+ RTP\/SAVP 0 8 101\r$/m);
    expect(body.match(/^a=crypto:/gm)).toHaveLength(1);
    expect(body).toContain('a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:');
    await expect.poll(() => hearsTone(taken, 1000), patience).toBe(true);
    taken.hangUp();
    expect((await exchange.ended(sid)).status).toBe('completed');
    await inbound.nothingLeft({ overStreams: true });
  });

  it('that is sips: is called over TLS by a sip: URI, with RTP', async () => {
    inbound = await startInbound({ settings });
    const { exchange, phone } = inbound;
    const taking = await phone.expects();
    const to = `${phone.uri('tls', 'bob').replace('sip:', 'sips:').replace(';transport=tls', '')}?X-Order=7`;
    const { sid } = await exchange.client.calls.create({ to, from: FROM, twiml: '<Response/>' });
    const { request } = await taking();
    expect([request.uri, request.header('X-Order')]).toEqual([phone.uri('tls', 'bob'), '7']);
    expect(request.body).toMatch(/^m=audio \d+ RTP\/AVP 0 8 101\r$/m);
    expect((await exchange.ended(sid)).status).toBe('completed');
    await inbound.nothingLeft({ overStreams: true });
  });

  it('may not answer with RTP: the call ends', async () => {
    inbound = await startInbound({ settings });
    const { exchange, phone } = inbound;
    const sdp =
      'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n';
    const taking = await phone.expects({ srtp: true, sdp });
    const { sid } = await exchange.client.calls.create({
      to: secureUri(phone),
      from: FROM,
      twiml: '<Response><Pause length="60"/></Response>',
    });
    expect((await (await taking()).ended).by).toBe('remote');
    await exchange.ended(sid);
    const { events } = await exchange.trace(sid);
    expect(events.map(({ text }) => text)).toContainEqual(expect.stringContaining('the profile is RTP/AVP'));
    await inbound.nothingLeft({ overStreams: true });
  });
});

describe('a registered device', () => {
  it.each([
    ['over TLS is called there, with SRTP', 'tls'],
    ['over UDP is not called', 'udp'],
  ] as const)('%s, where the call is to be secure', async (_name, transport) => {
    inbound = await startInbound({ settings });
    const { exchange, domain, phone, twiml } = inbound;
    await register(phone.agent, listenerOf(exchange, transport), { domain, user: 'alice' });
    twiml['/tone'] = '<Play loop="0">/tone.wav</Play>';
    const taking = await phone.expects({ srtp: true });
    const { sid } = await exchange.client.calls.create({
      to: `sip:alice@${domain.name};secure=true`,
      from: FROM,
      url: `${inbound.app.url}/tone`,
    });
    if (transport === 'tls') {
      const taken = await taking();
      await expect.poll(() => hearsTone(taken, 1000), patience).toBe(true);
      expect(taken.request.body).toContain('RTP/SAVP');
      taken.hangUp();
      expect((await exchange.ended(sid)).status).toBe('completed');
    } else {
      expect((await exchange.ended(sid)).status).toBe('failed');
      const notifications = await exchange.client.calls(sid).notifications.list();
      expect(notifications.map(({ errorCode }) => errorCode)).toEqual(['32209']);
    }
    await inbound.nothingLeft({ overStreams: true });
  });
});

describe('a user of a domain that is secure', () => {
  it('is called without SRTP where the URI does not ask for it: Secure is of calls that come in', async () => {
    inbound = await startInbound({ settings, secure: true });
    const { exchange, domain, phone } = inbound;
    await register(phone.agent, listenerOf(exchange, 'tls'), { domain, user: 'alice' });
    inbound.twiml['/dial'] = `<Dial answerOnBridge="true"><Sip>sip:alice@${domain.name}</Sip></Dial>`;
    const [caller, taking] = [await otherPhone(), await phone.expects()];
    const takingCaller = await caller.expects();
    const { sid } = await exchange.client.calls.create({
      to: caller.uri('udp', 'carol'),
      from: FROM,
      url: `${inbound.app.url}/dial`,
    });
    await takingCaller();
    const taken = await taking();
    expect(taken.request.body).toMatch(/^m=audio \d+ RTP\/AVP 0 8 101\r$/m);
    expect(taken.request.header('Via')).toContain('SIP/2.0/TLS');
    await exchange.client.calls(sid).update({ status: 'completed' });
    await exchange.ended(sid);
    await inbound.nothingLeft({ overStreams: true });
  });
});

describe('failover', () => {
  it('shows each target the keys of its own offer, and none to one without SRTP', async () => {
    inbound = await startInbound({ settings });
    const { exchange, phone } = inbound;
    const [second, third] = [await otherPhone(), await otherPhone()];
    const takings = [
      await phone.expects({ refuses: 503 }),
      await second.expects({ refuses: 503 }),
      await third.expects(),
    ];
    const byoc = await inbound.exchange.trunkTo(secureUri(phone), secureUri(second), third.uri());
    const { sid } = await exchange.client.calls.create({
      to: '+15550001234',
      from: FROM,
      byoc,
      twiml: '<Response><Hangup/></Response>',
    });
    expect((await exchange.ended(sid)).status).toBe('completed');
    const [a = '', b = '', c = ''] = (await Promise.all(takings.map((taking) => taking()))).map(
      ({ request }) => request.body,
    );
    expect(keyOf(a)).toMatch(/^[A-Za-z0-9+/]{40}$/);
    expect(keyOf(b)).toMatch(/^[A-Za-z0-9+/]{40}$/);
    expect(keyOf(b)).not.toBe(keyOf(a));
    expect(c).toMatch(/^m=audio \d+ RTP\/AVP 0 8 101\r$/m);
    expect(keyOf(c)).toBeUndefined();
    await inbound.nothingLeft({ overStreams: true });
  });
});

describe('a bridge', () => {
  it.each([
    ['a caller with SRTP to a callee without', true, false],
    ['a caller without SRTP to a callee with', false, true],
    ['two legs with SRTP', true, true],
  ])('joins %s', async (_name, callerSecure, calleeSecure) => {
    inbound = await startInbound({ settings, secure: callerSecure });
    const callee = await otherPhone();
    const uri = calleeSecure ? secureUri(callee) : callee.uri('udp', 'bob');
    inbound.twiml['/voice'] = `<Dial><Sip>${uri}</Sip></Dial>`;
    const taking = await callee.expects({ srtp: calleeSecure });
    const caller = await inbound.call();
    const taken = await taking();
    await caller.answered;
    void taken.session.play(TONE);
    await expect.poll(() => hearsTone(caller, 440), patience).toBe(true);
    void caller.session.play({ ...TONE, frequenciesHz: [700] });
    await expect.poll(() => hearsTone(taken, 700), patience).toBe(true);
    caller.hangUp();
    expect((await taken.ended).by).toBe('remote');
    await inbound.nothingLeft({ overStreams: true });
  });
});
