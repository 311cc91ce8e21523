// Calls through the official client and a running exchange: what an order says to the callee, what a live call can be
// told, whose turn it is, and what a call leaves to read.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type {
  CallContextUpdateOptions,
  CallListInstanceCreateOptions,
} from 'twilio/lib/rest/api/v2010/account/call.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { RawPeer, reply } from '../support/raw-peer.ts';
import { ANSWER_SDP } from '../support/sip-peer.ts';
import { startWebhookApp, type WebhookApp } from '../support/webhook-app.ts';

const FROM = '+15550009999';
const LONG = '<Response><Pause length="60"/></Response>';
const HANGUP = '<Response><Hangup/></Response>';

let exchange: Exchange;
let app: WebhookApp;

const refused = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    ({ status, code }: Record<string, unknown>) => ({ status, code }),
  );

beforeEach(async () => {
  app = await startWebhookApp(({ path }, response) => {
    if (path === '/broken') response.writeHead(500, { 'content-type': 'text/plain' }).end('out of order');
    else if (path === '/bad')
      response.writeHead(200, { 'content-type': 'text/xml' }).end('<Response><Sing/></Response>');
    else if (path.startsWith('/hangup')) response.writeHead(200, { 'content-type': 'text/xml' }).end(HANGUP);
    else response.writeHead(204).end();
  });
});

afterEach(async () => {
  await exchange.stop();
  await app.close();
});

describe('what an order says to the callee', () => {
  let peer: RawPeer;

  beforeEach(async () => {
    exchange = await startExchange();
    peer = await RawPeer.open();
  });

  afterEach(() => peer.close());

  it('CallerId, CallReason and the headers of a SIP URI', async () => {
    const { sid } = await exchange.client.calls.create({
      to: `sip:bob@127.0.0.1:${peer.endpoint.port}?X-Ticket=17%20a&Subject=no&x-twilio-callsid=no`,
      from: 'alice',
      callerId: '+15551112222',
      callReason: 'Your "order"',
      twiml: LONG,
    });
    const invite = await peer.next('INVITE');
    expect(invite.header('From')).toMatch(/^<sip:\+15551112222@127\.0\.0\.1>;tag=/);
    expect(invite.header('P-Asserted-Identity')).toBe('<sip:+15551112222@127.0.0.1>');
    expect(invite.header('Call-Info')).toBe('<data:>;purpose=jcard;call-reason="Your \\"order\\""');
    expect(invite.header('X-Ticket')).toBe('17 a');
    expect(invite.header('Subject')).toBeUndefined();
    expect(invite.header('X-Twilio-CallSid')).toBe(sid);
    expect(invite.header('X-Twilio-AccountSid')).toBe(exchange.account.accountSid);
    expect(invite.header('X-Twilio-ApiVersion')).toBe('2010-04-01');
    expect((await exchange.client.calls(sid).fetch()).from).toBe('alice');
  });

  it.each([401, 407])('the password of SipAuthPassword to a %s, and to nobody else', async (status) => {
    const { sid } = await exchange.client.calls.create({
      to: `sip:bob@127.0.0.1:${peer.endpoint.port}`,
      from: 'alice',
      sipAuthUsername: 'carol',
      sipAuthPassword: 'hunter-s3cret',
      twiml: HANGUP,
    });
    const first = await peer.next('INVITE');
    const isProxy = status === 407;
    const challenge = isProxy ? 'Proxy-Authenticate' : 'WWW-Authenticate';
    const headers = `${challenge}: Digest realm="pbx",nonce="n1"\r\n`;
    const { port, address } = exchangeEndpoint();
    const to = { transport: 'udp', port, address } as const;
    peer.send(reply(first, status, { tag: 'a', headers }), to);
    await peer.next('ACK');
    const second = await peer.next('INVITE');
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    const uri = `sip:bob@127.0.0.1:${peer.endpoint.port}`;
    const expected = md5(`${md5('carol:pbx:hunter-s3cret')}:n1:${md5(`INVITE:${uri}`)}`);
    const credentials = second.header(isProxy ? 'Proxy-Authorization' : 'Authorization');
    expect(credentials).toContain('username="carol"');
    expect(credentials).toContain(`response="${expected}"`);
    const contact = `sip:127.0.0.1:${peer.endpoint.port}`;
    const sdp = 'Content-Type: application/sdp\r\n';
    peer.send(reply(second, 200, { tag: 'b', contact, headers: sdp, body: ANSWER_SDP }), to);
    await peer.next('ACK');
    const bye = await peer.next('BYE');
    peer.send(reply(bye, 200), to);
    expect((await exchange.ended(sid)).status).toBe('completed');
    await exchange.quiet();
    const kept = ['tandem.sqlite', 'tandem.sqlite-wal'].map((file) => read(file)).join('');
    expect(kept).toContain(sid);
    expect(kept + JSON.stringify(await exchange.trace(sid))).not.toMatch(/hunter-s3cret|carol/);
  });

  it('nothing that would be a header of its own', async () => {
    const to = (headers: string) => `sip:bob@127.0.0.1:${peer.endpoint.port}?${headers}`;
    const place = (given: object) =>
      refused(exchange.client.calls.create({ to: to('X-A=1'), from: 'alice', twiml: LONG, ...given }));
    expect(await place({ to: to('X-A=1%0d%0aX-B:2') })).toEqual({ status: 400, code: 21229 });
    expect(await place({ to: to('X-A=%E2%82%AC') })).toEqual({ status: 400, code: 21229 });
    expect(await place({ to: to('X%20A=1') })).toEqual({ status: 400, code: 21228 });
    expect(await place({ to: to(`X-A=${'a'.repeat(1024)}`) })).toEqual({ status: 400, code: 21227 });
    expect(await place({ callerId: 'a\r\nX-B: 2' })).toEqual({ status: 400, code: 21212 });
    expect(await place({ callReason: 'a\r\nX-B: 2' })).toEqual({ status: 400, code: 20001 });
    expect(await place({ callReason: 'a'.repeat(51) })).toEqual({ status: 400, code: 20001 });
    expect(await place({ sipAuthUsername: 'a' })).toEqual({ status: 400, code: 21225 });
    const auth = { sipAuthUsername: 'a', sipAuthPassword: 'b' };
    const tooLong = 'a'.repeat(256);
    expect(await place({ ...auth, sipAuthUsername: tooLong })).toEqual({ status: 400, code: 21221 });
    expect(await place({ ...auth, sipAuthUsername: 'a\n' })).toEqual({ status: 400, code: 21222 });
    expect(await place({ ...auth, sipAuthPassword: tooLong })).toEqual({ status: 400, code: 21223 });
    expect(await place({ ...auth, sipAuthPassword: 'b\r' })).toEqual({ status: 400, code: 21224 });
    expect(peer.heard).toEqual([]);
  });

  const exchangeEndpoint = () => {
    const [address = '', port] = exchange.tandem.sip.split(':');
    return { address, port: Number(port) };
  };
  const read = (file: string) => readFileSync(`${exchange.folder}/${file}`, 'latin1');
});

describe('a live call', () => {
  beforeEach(async () => {
    exchange = await startExchange({ TANDEM_CALLBACK_RETRIES: '0' });
  });

  it('is told another status callback, and tells who picked up', async () => {
    const carrier = await exchange.carrier({ ringMs: 0 });
    const sid = await exchange.place(await exchange.trunkTo(carrier.uri), {
      machineDetection: 'Enable',
      statusCallback: `${app.url}/old`,
    });
    expect((await exchange.reached(sid, 'in-progress')).answeredBy).toBe('unknown');
    await exchange.client
      .calls(sid)
      .update({ statusCallback: `${app.url}/new`, statusCallbackMethod: 'GET' });
    const after = await exchange.client.calls(sid).update({ status: 'completed' });
    expect(after.status).toBe('completed');
    const told = await app.received(({ path }) => path.startsWith('/new'));
    expect(told).toMatchObject({
      method: 'GET',
      parameters: { CallStatus: 'completed', AnsweredBy: 'unknown' },
    });
    await exchange.quiet();
    expect(app.requests).toHaveLength(1);
  });

  it('tells an asynchronous detection of machines once, through the outbox, and only where it was asked for', async () => {
    const carrier = await exchange.carrier({ ringMs: 0 });
    const byoc = await exchange.trunkTo(carrier.uri);
    const place = async (order: Partial<CallListInstanceCreateOptions>) => {
      const callback = { asyncAmdStatusCallback: `${app.url}/amd`, asyncAmdStatusCallbackMethod: 'GET' };
      const sid = await exchange.place(byoc, { twiml: HANGUP, ...callback, ...order });
      expect((await exchange.ended(sid)).status).toBe('completed');
      await exchange.quiet();
      return sid;
    };
    await place({ machineDetection: 'Enable' });
    await place({ asyncAmd: 'true' });
    expect(app.requests).toEqual([]);
    const sid = await place({ machineDetection: 'DetectMessageEnd', asyncAmd: 'true' });
    expect(app.requests).toMatchObject([{ method: 'GET', path: expect.stringMatching(/^\/amd/) }]);
    const parameters = {
      CallSid: sid,
      AccountSid: exchange.account.accountSid,
      AnsweredBy: 'unknown',
      MachineDetectionDuration: '0',
    };
    expect(app.requests[0]?.parameters).toEqual(parameters);
    expect((await exchange.trace(sid)).events.map(({ text }) => text)).toContain(
      'machine detection callback was answered 204',
    );
    expect(await exchange.client.calls(sid).events.list()).toMatchObject([{ request: { parameters } }]);
  });

  it('is given another fallback, which a redirect that fails then takes', async () => {
    const carrier = await exchange.carrier({ ringMs: 0 });
    const sid = await exchange.place(await exchange.trunkTo(carrier.uri));
    await exchange.reached(sid, 'in-progress');
    await exchange.client.calls(sid).update({ fallbackUrl: `${app.url}/hangup` });
    await exchange.client.calls(sid).update({ url: `${app.url}/broken` });
    expect((await exchange.ended(sid)).status).toBe('completed');
    expect(app.requests.map(({ path, parameters }) => [path, parameters.ErrorCode])).toEqual([
      ['/broken', undefined],
      ['/hangup', '11200'],
    ]);
  });

  it('ends at a time limit that was set while it was up', async () => {
    const carrier = await exchange.carrier({ ringMs: 0 });
    const sid = await exchange.place(await exchange.trunkTo(carrier.uri));
    await exchange.reached(sid, 'in-progress');
    await exchange.client.calls(sid).update({ timeLimit: 1 });
    expect((await exchange.ended(sid)).status).toBe('completed');
    await exchange.quiet();
    expect(await exchange.client.calls(sid).notifications.list()).toMatchObject([
      { errorCode: '32015', log: '1', messageText: 'the time limit of 1 s' },
    ]);
  });

  it('cannot be redirected before its answer, nor changed or ended after its end, whoever comes first', async () => {
    const carrier = await exchange.carrier({ ringMs: 0 });
    const byoc = await exchange.trunkTo(carrier.uri);
    const place = (to: string) => exchange.client.calls.create({ to, from: FROM, byoc, twiml: LONG });
    const ringing = await place('+15550000180');
    await exchange.reached(ringing.sid, 'ringing');
    const change = { twiml: HANGUP, statusCallback: `${app.url}/status` };
    expect(await refused(exchange.client.calls(ringing.sid).update(change))).toEqual({
      status: 400,
      code: 21220,
    });
    await exchange.client.calls(ringing.sid).update({ status: 'canceled' });
    expect((await exchange.ended(ringing.sid)).status).toBe('canceled');
    await exchange.quiet();
    expect(app.requests).toEqual([]);

    const racing = await place('+15550001234');
    await exchange.reached(racing.sid, 'in-progress');
    const update = (given: CallContextUpdateOptions) => exchange.client.calls(racing.sid).update(given);
    expect(await refused(update({ status: 'canceled' }))).toEqual({ status: 400, code: 21220 });
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => refused(update({ status: 'completed' }))),
    );
    expect(answers.filter((answer) => answer === 'done')).toHaveLength(1);
    expect(await refused(update({ timeLimit: 5 }))).toEqual({ status: 400, code: 21220 });
  });
});

describe('calls above the rate', () => {
  it('wait as queued and start in order; one that is canceled then is heard of by nobody', async () => {
    exchange = await startExchange({ TANDEM_CALLS_PER_SECOND: '1' });
    const carrier = await exchange.carrier({ ringMs: 0 });
    const byoc = await exchange.trunkTo(carrier.uri);
    const place = (to: string) =>
      exchange.client.calls.create({
        to,
        from: FROM,
        byoc,
        twiml: HANGUP,
        statusCallback: `${app.url}/status`,
        statusCallbackEvent: ['initiated', 'completed'],
      });
    const calls = await Promise.all([place('+15550001231'), place('+15550001232'), place('+15550001233')]);
    const inOrder = await exchange.client.calls.list();
    const [first, second, third] = inOrder.toReversed();
    expect(inOrder.map(({ sid }) => sid).toSorted()).toEqual(calls.map(({ sid }) => sid).toSorted());
    const canceled = await exchange.client.calls(second?.sid ?? '').update({ status: 'canceled' });
    expect(canceled).toMatchObject({ status: 'canceled', startTime: null, duration: null });
    await exchange.ended(first?.sid ?? '');
    const last = await exchange.ended(third?.sid ?? '');
    await exchange.quiet();
    expect(Number(last.queueTime)).toBeGreaterThan(500);
    expect(app.requests.map(({ parameters }) => [parameters.To, parameters.CallStatus])).toEqual([
      [first?.to, 'initiated'],
      [first?.to, 'completed'],
      [third?.to, 'initiated'],
      [third?.to, 'completed'],
    ]);
    expect(carrier.invites()).toBe(2);
  });

  it('that wait when the exchange stops are ended, and the app is told', async () => {
    exchange = await startExchange({ TANDEM_CALLS_PER_SECOND: '1' });
    const place = () =>
      exchange.client.calls.create({
        to: 'sip:127.0.0.1:9',
        from: 'a',
        twiml: HANGUP,
        statusCallback: `${app.url}/status`,
      });
    await place();
    const { sid } = await place();
    await exchange.tandem.stop(0);
    const told = app.requests.find(({ parameters }) => parameters.CallSid === sid);
    expect(told?.parameters.CallStatus).toBe('failed');
  });

  it('or above the number that an account may have are refused', async () => {
    exchange = await startExchange({ TANDEM_MAX_CALLS: '1' });
    const carrier = await exchange.carrier({ ringMs: 0 });
    const order = {
      to: '+15550000180',
      from: FROM,
      byoc: await exchange.trunkTo(carrier.uri),
      twiml: HANGUP,
    };
    const { sid } = await exchange.client.calls.create(order);
    expect(await refused(exchange.client.calls.create(order))).toEqual({ status: 429, code: 10004 });
    await exchange.client.calls(sid).update({ status: 'completed' });
    await exchange.ended(sid);
    await exchange.client.calls.create({ ...order, to: '+15550001234' });
  });
});

describe('what a call leaves to read', () => {
  beforeEach(async () => {
    exchange = await startExchange({ TANDEM_CALLBACK_RETRIES: '0' });
  });

  it('its requests with their answers, and what went wrong in them', async () => {
    const carrier = await exchange.carrier({ ringMs: 0 });
    const sid = await exchange.place(await exchange.trunkTo(carrier.uri), {
      url: `${app.url}/broken`,
      twiml: HANGUP,
      fallbackUrl: `${app.url}/bad`,
      statusCallback: `${app.url}/broken`,
    });
    await exchange.ended(sid);
    await exchange.quiet();
    const call = exchange.client.calls(sid);
    const events = (await call.events.list()).toReversed();
    expect(events.map(({ request, response }) => [request.url, response.response_code])).toEqual([
      [`${app.url}/broken`, 500],
      [`${app.url}/bad`, 200],
      [`${app.url}/broken`, 500],
    ]);
    expect(events[0]).toMatchObject({
      request: { method: 'POST', parameters: { CallSid: sid, CallStatus: 'in-progress' } },
      response: { response_body: 'out of order', content_type: 'text/plain' },
    });
    const notices = (await call.notifications.list()).toReversed();
    expect(notices.map(({ errorCode, log, requestUrl }) => [errorCode, log, requestUrl])).toEqual([
      ['32019', '1', null],
      ['11200', '0', `${app.url}/broken`],
      ['12200', '1', `${app.url}/bad`],
      ['15003', '1', `${app.url}/broken`],
    ]);
    const [, failure] = notices;
    expect(await exchange.client.notifications(failure?.sid ?? '').fetch()).toMatchObject({
      callSid: sid,
      moreInfo: 'https://www.twilio.com/docs/errors/11200',
      requestMethod: 'POST',
      requestVariables: expect.stringContaining(`CallSid=${sid}`),
      responseBody: 'out of order',
      responseHeaders: expect.stringContaining('content-type=text%2Fplain'),
      messageDate: expect.any(Date),
    });
    expect((await call.notifications(failure?.sid ?? '').fetch()).errorCode).toBe('11200');
    const today = new Date(new Date().toISOString().slice(0, 10));
    const codes = async (filter: object) =>
      (await exchange.client.notifications.list(filter)).map(({ errorCode }) => errorCode);
    expect(await codes({ log: 0 })).toEqual(['11200']);
    expect(await codes({ log: 1, messageDateAfter: today })).toEqual(['15003', '12200', '32019']);
    expect(await codes({ messageDateBefore: new Date(0) })).toEqual([]);
    expect(await call.remove()).toBe(true);
    expect(await codes({})).toEqual([]);
    expect(await refused(call.events.list())).toEqual({ status: 404, code: 20404 });
  });

  it('each server that could not take it, as a warning', async () => {
    const first = await exchange.carrier({ always: 'unavailable' });
    const next = await exchange.carrier({ ringMs: 0 });
    const byoc = await exchange.trunkTo('sip:nowhere.invalid', first.uri, next.uri);
    const sid = await exchange.place(byoc, { twiml: HANGUP });
    expect((await exchange.ended(sid)).status).toBe('completed');
    await exchange.quiet();
    const notices = (await exchange.client.calls(sid).notifications.list()).toReversed();
    expect(notices.map(({ errorCode, log, messageText }) => [errorCode, log, messageText])).toEqual([
      ['32011', '1', expect.stringMatching(/^sip:nowhere\.invalid: /)],
      ['32011', '1', `${first.uri} at udp:${first.uri.slice(4)}: 503 is no answer about the callee`],
    ]);
  });

  it('why it had no way to go, as an error', async () => {
    const sid = await exchange.place(await exchange.trunkTo(), { twiml: HANGUP });
    await exchange.ended(sid);
    await exchange.quiet();
    expect(await exchange.client.calls(sid).notifications.list({ log: 0 })).toMatchObject([
      { errorCode: '32010', requestUrl: null },
    ]);
  });
});
