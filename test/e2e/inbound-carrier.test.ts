// Calls that carriers bring: whose URLs they ask, and what the app is told.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listOf } from '../support/doors.ts';
import { type Inbound, startInbound } from '../support/inbound.ts';

const NUMBER = '+14155550100';
const CALLER = '+442079460000';

let inbound: Inbound;
let trunk: string;

beforeEach(async () => {
  inbound = await startInbound();
  const { exchange, app, domain, twiml } = inbound;
  const { client } = exchange;
  for (const path of ['/trunk', '/number', '/application']) twiml[path] = '<Reject/>';
  const made = await client.voice.v1.byocTrunks.create({
    voiceUrl: `${app.url}/trunk`,
    voiceMethod: 'GET',
    statusCallbackUrl: `${app.url}/status?of=trunk`,
    statusCallbackMethod: 'GET',
  });
  trunk = made.sid;
  await client.sip.domains(domain.sid).update({ byocTrunkSid: trunk });
});
afterEach(() => inbound.stop());

const ring = (options: Parameters<Inbound['call']>[0] = {}) =>
  inbound.call({
    uri: `sip:${NUMBER}@${inbound.domain.name}`,
    from: `sip:${CALLER}@carrier.example`,
    fromName: 'ACME LTD',
    headers: [
      ['X-Carrier', 'secret'],
      ['User-to-User', '00'],
      ['Diversion', '<sip:+14155550199@carrier.example>;reason=unconditional'],
    ],
    ...options,
  });

describe('a carrier’s call', () => {
  it('asks the BYOC trunk’s URLs, with numbers for names and no header of the carrier’s', async () => {
    const { exchange, domain } = inbound;
    const soft = await ring();
    expect((await soft.final).status).toBe(404);
    const voice = await inbound.asked('/trunk');
    expect(voice.method).toBe('GET');
    const { CallSid, ...parameters } = voice.parameters;
    expect(parameters).toEqual({
      AccountSid: exchange.account.accountSid,
      ApiVersion: '2010-04-01',
      CallStatus: 'ringing',
      Direction: 'inbound',
      From: CALLER,
      Caller: CALLER,
      To: NUMBER,
      Called: NUMBER,
      ForwardedFrom: '+14155550199',
      SipDomain: domain.name,
      SipDomainSid: domain.sid,
      SipCallId: soft.callId,
      SipSourceIp: '127.0.0.1',
      SipUsername: 'alice',
    });
    expect(inbound.isSigned(voice)).toBe(true);
    const status = await inbound.asked('/status');
    expect(status).toMatchObject({
      method: 'GET',
      parameters: { of: 'trunk', CallSid, CallStatus: 'no-answer' },
    });
    expect(inbound.isSigned(status)).toBe(true);
    expect(await exchange.client.calls(String(CallSid)).fetch()).toMatchObject({
      from: CALLER,
      to: NUMBER,
      forwardedFrom: '+14155550199',
      phoneNumberSid: null,
      callerName: null,
    });
    expect((await exchange.trace(String(CallSid))).rule).toContain(trunk);
    await inbound.nothingLeft();
  });

  it.each([
    ['a number without +', '14155550100', NUMBER],
    ['an extension', '1000', undefined],
    ['a name', 'reception', undefined],
  ])('is for %s', async (_name, user, to) => {
    await ring({ uri: `sip:${user}@${inbound.domain.name}` });
    const { parameters } = await inbound.asked('/trunk');
    expect(parameters['To']).toBe(to ?? `sip:${user}@${inbound.domain.name}`);
  });

  it.each(['number', 'application'] as const)('asks the URL of the %s that it is for', async (owner) => {
    const { exchange, app } = inbound;
    const { client } = exchange;
    const application = await client.applications.create({
      friendlyName: 'shared',
      voiceUrl: `${app.url}/application`,
    });
    const { sid } = await client.incomingPhoneNumbers.create({
      phoneNumber: NUMBER,
      voiceUrl: `${app.url}/number`,
      ...(owner === 'application' && { voiceApplicationSid: application.sid }),
    });
    await ring();
    const { parameters } = await inbound.asked(`/${owner}`);
    expect(parameters).toMatchObject({ From: CALLER, To: NUMBER });
    expect(await exchange.ended(String(parameters['CallSid']))).toMatchObject({ phoneNumberSid: sid });
  });

  it('asks the trunk for a number that has no URL of its own', async () => {
    await inbound.exchange.client.incomingPhoneNumbers.create({ phoneNumber: NUMBER });
    await ring();
    await inbound.asked('/trunk');
  });

  it('is refused where the trunk has no VoiceUrl: the domain’s does not count', async () => {
    const { exchange, domain } = inbound;
    await exchange.client.voice.v1.byocTrunks(trunk).update({ voiceUrl: '' });
    expect((await (await ring()).final).status).toBe(404);
    await expect
      .poll(() => listOf(exchange, 'RejectedCalls', `?DomainSid=${domain.sid}`), { timeout: 12_000 })
      .toMatchObject([{ status: 404, reason: expect.stringContaining(`BYOC trunk ${trunk}`) }]);
    expect(inbound.app.requests).toEqual([]);
  });

  it('of a phone at a domain without a trunk asks the domain, whatever number it names', async () => {
    const { exchange, app, domain, twiml } = inbound;
    twiml['/voice'] = '<Reject/>';
    await exchange.client.sip.domains(domain.sid).update({ byocTrunkSid: '' });
    await exchange.client.incomingPhoneNumbers.create({ phoneNumber: NUMBER, voiceUrl: `${app.url}/number` });
    await ring();
    expect((await inbound.asked('/voice')).parameters).toMatchObject({
      From: `sip:${CALLER}@carrier.example`,
      To: `sip:${NUMBER}@${domain.name}`,
      'SipHeader_X-Carrier': 'secret',
    });
  });
});
