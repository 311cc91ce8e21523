// Calls that come in, end to end: a phone with its own stack, the real exchange, and an app that says what to do.
import twilio from 'twilio';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toOctets } from '../../src/sip/index.ts';
import { domainWith, listOf } from '../support/doors.ts';
import { type Inbound, startInbound } from '../support/inbound.ts';
import { hearsTone } from '../support/softphone.ts';
import { twilioClient } from '../support/twilio-client.ts';

let inbound: Inbound;
beforeEach(async () => {
  inbound = await startInbound();
});
afterEach(() => inbound.stop());

it('a call to a subaccount’s domain is signed with the subaccount’s token', async () => {
  const { exchange, app, twiml, call } = inbound;
  const { sid, authToken } = await exchange.client.api.v2010.accounts.create({ friendlyName: 'sub' });
  const client = twilioClient(exchange.tandem.http, sid, authToken);
  const { name } = await domainWith({ client }, ['alice'], {
    voiceUrl: `${app.url}/sub`,
    voiceMethod: 'GET',
  });
  twiml['/sub'] = '<Reject/>';
  await (await call({ uri: `sip:1000@${name}` })).final;
  const { headers, path, parameters } = await inbound.asked('/sub');
  expect(parameters['AccountSid']).toBe(sid);
  const signature = String(headers['x-twilio-signature']);
  expect(twilio.validateRequest(authToken, signature, app.url + path, {})).toBe(true);
});

describe('with TANDEM_APP_FAILURE', () => {
  let strict: Inbound;
  beforeEach(async () => {
    strict = await startInbound({ settings: { TANDEM_APP_FAILURE: '503' } });
    strict.twiml['/gone'] = 500;
  });
  afterEach(() => strict.stop());

  it('a call whose app fails is refused so, and whoever called may try elsewhere', async () => {
    strict.twiml['/voice'] = '<Redirect>/gone</Redirect>';
    const soft = await strict.call();
    expect((await soft.final).status).toBe(503);
    const { parameters } = await strict.asked('/status');
    expect(parameters).toMatchObject({ CallStatus: 'failed', SipResponseCode: '503' });
    const { notifications } = strict.exchange.client.calls(String(parameters['CallSid']));
    expect(await notifications.list()).toMatchObject([{ errorCode: '11200' }]);
    await strict.nothingLeft();
  });

  it('one that is answered hears the apology', async () => {
    strict.twiml['/voice'] = '<Say>Hello.</Say><Redirect>/gone</Redirect>';
    const soft = await strict.call();
    expect((await soft.final).status).toBe(200);
    expect((await soft.ended).by).toBe('remote');
    expect((await strict.asked('/status')).parameters).toMatchObject({ CallStatus: 'completed' });
  });
});

describe('a call to a SIP domain', () => {
  it('rings, asks the app with every parameter, is answered and heard, and ends with the TwiML', async () => {
    const { exchange, app, domain, twiml, call, asked, isSigned, nothingLeft } = inbound;
    twiml['/voice'] = '<Play>/tone.wav</Play>';
    const soft = await call({
      uri: `sip:1000@${domain.name};transport=udp`,
      from: `sip:alice@${domain.name}:5099;user=phone`,
      fromName: 'Alice',
      headers: [
        ['X-Route-Id', '7'],
        ['x-Unit', toOctets('größe')],
        ['User-to-User', '0A1B;encoding=hex'],
        ['Subject', 'not told'],
      ],
    });
    await soft.answered;
    expect(soft.statuses).toEqual([180, 200]);

    const voice = await asked('/voice');
    expect(voice).toMatchObject({ method: 'POST', path: '/voice?x=1' });
    const { CallSid, ...parameters } = voice.parameters;
    expect(CallSid).toMatch(/^CA[0-9a-f]{32}$/);
    const [from, to] = [`sip:alice@${domain.name}`, `sip:1000@${domain.name}`];
    expect(parameters).toEqual({
      AccountSid: exchange.account.accountSid,
      ApiVersion: '2010-04-01',
      CallStatus: 'ringing',
      Direction: 'inbound',
      From: from,
      Caller: from,
      To: to,
      Called: to,
      SipDomain: domain.name,
      SipDomainSid: domain.sid,
      SipCallId: soft.callId,
      SipSourceIp: '127.0.0.1',
      SipUsername: 'alice',
      'SipHeader_X-Route-Id': '7',
      'SipHeader_x-Unit': 'größe',
      'SipHeader_User-to-User': '0A1B;encoding=hex',
    });

    const { by, request } = await soft.ended;
    expect(by).toBe('remote');
    expect(request?.header('X-Twilio-CallSid')).toBe(CallSid);
    expect(request?.header('Reason')).toBe('Q.850;cause=16;text="Normal call clearing"');
    expect(await hearsTone(soft, 1000)).toBe(true);

    expect(await exchange.ended(String(CallSid))).toMatchObject({
      status: 'completed',
      direction: 'inbound',
      from,
      to,
      parentCallSid: null,
    });
    const status = await asked('/status');
    expect(status.parameters).toEqual({
      ...parameters,
      CallSid,
      CallStatus: 'completed',
      Timestamp: expect.stringMatching(/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} \+0000$/),
      CallbackSource: 'call-progress-events',
      SequenceNumber: '0',
      CallDuration: expect.stringMatching(/^[1-9]\d*$/),
      Duration: '1',
      SipResponseCode: '200',
    });
    await nothingLeft();
    expect(app.requests.map(({ path }) => path)).toEqual(['/voice?x=1', '/tone.wav', '/status']);
    for (const request of app.requests) expect(isSigned(request)).toBe(true);
    const trace = await exchange.trace(String(CallSid));
    expect(trace.rule).toBe(`domain ${domain.name}: its VoiceUrl`);
    expect(trace.events.map(({ text }) => text)).toContain(`${from} calls ${to}`);
  });

  it.each([
    ['busy', '<Reject reason="busy"/>', 486, 'busy'],
    ['rejected', '<Reject/>', 404, 'no-answer'],
    ['rejected after a redirect', '<Redirect>/next</Redirect>', 404, 'no-answer'],
  ])('is %s by TwiML, and never answered', async (_name, document, status, callStatus) => {
    const { exchange, twiml, call, asked, sidOf, nothingLeft } = inbound;
    twiml['/voice'] = document;
    twiml['/next'] = '<Reject/>';
    const soft = await call();
    expect((await soft.final).status).toBe(status);
    expect(soft.statuses).toEqual([180, status]);
    const done = await exchange.ended(await sidOf());
    expect(done).toMatchObject({ status: callStatus, duration: null });
    expect((await asked('/status')).parameters).toMatchObject({
      CallStatus: callStatus,
      SipResponseCode: String(status),
    });
    await nothingLeft();
  });

  it('is answered where the TwiML only hangs up', async () => {
    const { exchange, twiml, call, sidOf } = inbound;
    twiml['/voice'] = '';
    const soft = await call();
    expect((await soft.final).status).toBe(200);
    expect((await soft.ended).by).toBe('remote');
    expect(await exchange.ended(await sidOf())).toMatchObject({ status: 'completed' });
  });

  it('keeps ringing while a Pause comes first', async () => {
    const { exchange, twiml, call, sidOf, nothingLeft } = inbound;
    twiml['/voice'] = '<Pause length="7"/><Say>Good morning.</Say>';
    const soft = await call();
    const sid = await sidOf();
    await expect.poll(() => exchange.hurry(7000), { timeout: 12_000 }).toBe(1);
    await soft.answered;
    expect((await exchange.reached(sid, 'in-progress')).status).toBe('in-progress');
    soft.hangUp();
    await exchange.ended(sid);
    await nothingLeft();
  });

  it('is given up by the caller while it rings', async () => {
    const { exchange, twiml, call, asked, sidOf, nothingLeft } = inbound;
    twiml['/voice'] = '<Pause length="60"/><Say>Too late.</Say>';
    const soft = await call();
    const sid = await sidOf();
    expect((await exchange.reached(sid, 'ringing')).status).toBe('ringing');
    soft.cancel();
    expect(await exchange.ended(sid)).toMatchObject({ status: 'no-answer', duration: null });
    expect((await asked('/status')).parameters).toMatchObject({ SipResponseCode: '487' });
    await nothingLeft();
  });

  it('is hung up by the caller', async () => {
    const { exchange, twiml, call, sidOf, nothingLeft } = inbound;
    twiml['/voice'] = '<Say>Hello.</Say><Pause length="60"/>';
    const soft = await call();
    await soft.answered;
    soft.hangUp();
    const sid = await sidOf();
    expect(await exchange.ended(sid)).toMatchObject({ status: 'completed' });
    const { events } = await exchange.trace(sid);
    expect(events.map(({ text }) => text)).toContain('completed: the caller hung up');
    await nothingLeft();
  });

  it.each(['ringing', 'in-progress'] as const)('is ended over the API while %s', async (state) => {
    const { exchange, twiml, call, sidOf, nothingLeft } = inbound;
    twiml['/voice'] = `${state === 'ringing' ? '' : '<Say>Hello.</Say>'}<Pause length="60"/>`;
    const soft = await call();
    const sid = await sidOf();
    await exchange.reached(sid, state);
    await exchange.client.calls(sid).update({ status: 'completed' });
    expect(await exchange.ended(sid)).toMatchObject({
      status: state === 'ringing' ? 'canceled' : 'completed',
    });
    if (state === 'ringing') expect((await soft.final).status).toBe(480);
    else expect((await soft.ended).by).toBe('remote');
    await nothingLeft();
  });

  it('is redirected over the API while it is up', async () => {
    const { exchange, app, domain, twiml, call, asked, sidOf } = inbound;
    twiml['/voice'] = '<Say>Hello.</Say><Pause length="60"/>';
    twiml['/other'] = '<Play>/tone.wav</Play>';
    const soft = await call();
    const sid = await sidOf();
    await exchange.reached(sid, 'in-progress');
    await exchange.client.calls(sid).update({ url: `${app.url}/other`, twiml: '<Response/>' });
    await soft.ended;
    const notices = await exchange.client.calls(sid).notifications.list();
    expect(notices.map(({ errorCode }) => errorCode)).toEqual(['32019']);
    expect((await asked('/other')).parameters).toMatchObject({
      CallStatus: 'in-progress',
      SipDomain: domain.name,
    });
    expect(await hearsTone(soft, 1000)).toBe(true);
  });

  it.each([
    ['the app fails', '', ['11200']],
    ['the app and its fallback fail', '/fallback', ['12300', '11200']],
  ])('is answered with an apology where %s', async (_what, fallback, codes) => {
    const { exchange, app, domain, twiml, call, sidOf } = inbound;
    twiml['/voice'] = 500;
    twiml['/fallback'] = 204;
    if (fallback)
      await exchange.client.sip.domains(domain.sid).update({ voiceFallbackUrl: app.url + fallback });
    const soft = await call();
    await soft.answered;
    await soft.ended;
    const sid = await sidOf();
    expect((await exchange.ended(sid)).status).toBe('completed');
    expect(loudness(await soft.heard())).toBeGreaterThan(300);
    const notifications = await exchange.client.calls(sid).notifications.list();
    expect(notifications.map(({ errorCode }) => errorCode)).toEqual(codes);
  });

  it('asks the fallback URL where the app fails, and is not answered for that', async () => {
    const { exchange, app, domain, twiml, call, asked, isSigned } = inbound;
    twiml['/voice'] = 500;
    twiml['/fallback'] = '<Reject reason="busy"/>';
    await exchange.client.sip
      .domains(domain.sid)
      .update({ voiceFallbackUrl: `${app.url}/fallback`, voiceFallbackMethod: 'GET' });
    const soft = await call();
    expect((await soft.final).status).toBe(486);
    const fallback = await asked('/fallback');
    expect(fallback).toMatchObject({
      method: 'GET',
      parameters: {
        ErrorCode: '11200',
        ErrorUrl: `${app.url}/voice?x=1`,
        CallStatus: 'ringing',
        SipCallId: soft.callId,
      },
    });
    expect(isSigned(fallback)).toBe(true);
  });

  it('is refused where the domain has no VoiceUrl, and leaves a refusal and no call', async () => {
    const { exchange, domain, call, nothingLeft } = inbound;
    await exchange.client.sip.domains(domain.sid).update({ voiceUrl: '' });
    const soft = await call();
    expect((await soft.final).status).toBe(404);
    await expect
      .poll(() => listOf(exchange, 'RejectedCalls', `?DomainSid=${domain.sid}`), { timeout: 12_000 })
      .toMatchObject([
        {
          status: 404,
          error_code: null,
          reason: `domain ${domain.name} has no VoiceUrl, so nobody says what to do with the call`,
          fix: 'set its VoiceUrl',
        },
      ]);
    expect(await exchange.client.calls.list()).toEqual([]);
    await nothingLeft();
  });

  it('is refused with 503 while the exchange stops', async () => {
    const { exchange, twiml, call } = inbound;
    twiml['/voice'] = '<Say>Hello.</Say><Pause length="60"/>';
    const first = await call();
    await first.answered;
    const stopping = exchange.tandem.stop(60_000);
    const second = await call();
    const response = await second.final;
    expect([response.status, response.header('Retry-After')]).toEqual([503, '10']);
    first.hangUp();
    await stopping;
  });
});

/** Root mean square of samples. */
function loudness(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length));
}
