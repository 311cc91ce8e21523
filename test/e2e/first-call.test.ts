// One call, end to end: the official client, the real exchange, the built-in carriers, real SIP and RTP on loopback.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import twilio from 'twilio';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toneLevel } from '../../src/media/index.ts';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { toneWav } from '../support/tone-wav.ts';
import { startWebhookApp, type WebhookApp } from '../support/webhook-app.ts';

const FROM = '+15550009999';
const HELLO = '<Response><Say>Hello. Tandem has found a carrier that is alive.</Say></Response>';
const LONG = '<Response><Pause length="60"/></Response>';

let exchange: Exchange;
let app: WebhookApp;

beforeEach(async () => {
  [exchange, app] = await Promise.all([startExchange(), startWebhookApp()]);
});

afterEach(async () => {
  await exchange.stop();
  await app.close();
});

describe('a call over a BYOC trunk', () => {
  it('survives a carrier that answers 503, is heard by the callee, and says why it went where it went', async () => {
    const dead = await exchange.carrier({ always: 'unavailable' });
    const alive = await exchange.carrier({ ringMs: 50 });
    const byoc = await exchange.trunkTo(dead.uri, alive.uri);
    const placed = await exchange.client.calls.create({
      to: '+15550001234',
      from: FROM,
      byoc,
      twiml: HELLO,
      statusCallback: `${app.url}/status?q=1`,
      statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
    });
    expect(placed).toMatchObject({
      status: 'queued',
      direction: 'outbound-api',
      to: '+15550001234',
      from: FROM,
    });

    const done = await exchange.ended(placed.sid);
    expect(done).toMatchObject({ status: 'completed', direction: 'outbound-api' });
    expect(Number(done.duration)).toBeGreaterThanOrEqual(2);
    expect(done.startTime).toBeInstanceOf(Date);
    expect(done.endTime?.getTime()).toBeGreaterThanOrEqual(done.startTime.getTime());

    const heard = await alive.heard();
    expect(loudness(heard)).toBeGreaterThan(500);
    expect(heard.length / 8000).toBeGreaterThan(1.5);

    await app.received(({ parameters }) => parameters.CallStatus === 'completed');
    expect(app.requests.map(({ parameters }) => [parameters.SequenceNumber, parameters.CallStatus])).toEqual([
      ['0', 'initiated'],
      ['1', 'ringing'],
      ['2', 'in-progress'],
      ['3', 'completed'],
    ]);
    for (const { headers, path, parameters } of app.requests) {
      const signature = String(headers['x-twilio-signature']);
      expect(twilio.validateRequest(exchange.account.authToken, signature, app.url + path, parameters)).toBe(
        true,
      );
    }
    expect(app.requests.at(-1)?.parameters).toMatchObject({
      CallSid: placed.sid,
      AccountSid: exchange.account.accountSid,
      CallDuration: done.duration,
      SipResponseCode: '200',
      Direction: 'outbound-api',
    });

    const trace = await exchange.trace(placed.sid);
    expect(trace.rule).toContain(byoc);
    expect(trace.targets).toMatchObject([
      { uri: dead.uri, priority: 1, share: 1, enabled: true, standing: 'tried as attempt 1: failed over' },
      { uri: alive.uri, priority: 2, share: 1, enabled: true, standing: 'tried as attempt 2: answered' },
    ]);
    expect(trace.attempts).toMatchObject([
      { uri: dead.uri, result: 'failed over', why: '503 is no answer about the callee' },
      { uri: alive.uri, result: 'answered', why: '200 OK' },
    ]);
    expect(trace.attempts[0]?.answers.at(-1)).toMatchObject({
      status: 503,
      at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(trace.attempts[1]?.answers.map(({ status }) => status)).toEqual(
      expect.arrayContaining([180, 200]),
    );
  });

  it.each(['silence', 'a closed port'])('goes on after 4 s of %s', async (kind) => {
    const dead = kind === 'silence' ? (await exchange.carrier({ always: 'silent' })).uri : 'sip:127.0.0.1:9';
    const alive = await exchange.carrier({ ringMs: 0 });
    const sid = await exchange.place(await exchange.trunkTo(dead, alive.uri), {
      twiml: '<Response><Hangup/></Response>',
    });
    expect((await exchange.ended(sid)).status).toBe('completed');
    const [first, second] = (await exchange.trace(sid)).attempts;
    expect(first).toMatchObject({ uri: dead, answers: [], result: 'failed over' });
    expect(first?.why).toMatch(/no response within 4 s|refused/);
    expect(second).toMatchObject({ uri: alive.uri, result: 'answered' });
  });

  it.each([
    ['busy', '+15550000486', 'busy', 486],
    ['decline', '+15550000603', 'failed', 603],
    ['not found', '+15550000404', 'failed', 404],
  ])('ends at once on %s, without asking the next target', async (_name, to, status, sipStatus) => {
    const first = await exchange.carrier();
    const second = await exchange.carrier();
    const { sid } = await exchange.client.calls.create({
      to,
      from: FROM,
      byoc: await exchange.trunkTo(first.uri, second.uri),
      twiml: HELLO,
      statusCallback: app.url,
    });
    const done = await exchange.ended(sid);
    expect(done).toMatchObject({ status, duration: null });
    const callback = await app.received(() => true);
    expect(callback.parameters).toMatchObject({ CallStatus: status, SipResponseCode: String(sipStatus) });
    expect((await exchange.trace(sid)).targets[1]?.standing).toBe('not needed');
    expect(second.invites()).toBe(0);
  });

  it('ends as failed with 32400 when no target takes it, and with 32010 when there is none', async () => {
    const down = await exchange.carrier({ always: 'unavailable' });
    const call = (byoc: string) =>
      exchange.client.calls.create({
        to: '+15550001234',
        from: FROM,
        byoc,
        twiml: HELLO,
        statusCallback: app.url,
      });
    const exhausted = await call(await exchange.trunkTo(down.uri, down.uri));
    const targetless = await call(await exchange.trunkTo());
    expect((await exchange.ended(exhausted.sid)).status).toBe('failed');
    expect((await exchange.ended(targetless.sid)).status).toBe('failed');
    const errorOf = async (sid: string) =>
      (await app.received(({ parameters }) => parameters.CallSid === sid)).parameters;
    expect(await errorOf(exhausted.sid)).toMatchObject({ ErrorCode: '32400', SipResponseCode: '503' });
    expect(await errorOf(targetless.sid)).toMatchObject({ ErrorCode: '32010' });
  });

  it('stops ringing at its Timeout', async () => {
    const carrier = await exchange.carrier();
    const { sid } = await exchange.client.calls.create({
      to: '+15550000180',
      from: FROM,
      byoc: await exchange.trunkTo(carrier.uri),
      twiml: HELLO,
      timeout: 1,
    });
    expect(await exchange.ended(sid)).toMatchObject({ status: 'no-answer', duration: null });
    await carrier.event('canceled');
  });

  it.each(['canceled', 'completed'] as const)(
    'is ended while it rings by the API’s Status=%s',
    async (status) => {
      const carrier = await exchange.carrier();
      const { sid } = await exchange.client.calls.create({
        to: '+15550000180',
        from: FROM,
        byoc: await exchange.trunkTo(carrier.uri),
        twiml: HELLO,
      });
      await exchange.reached(sid, 'ringing');
      await exchange.client.calls(sid).update({ status });
      expect((await exchange.ended(sid)).status).toBe('canceled');
      await carrier.event('canceled');
    },
  );

  it('is hung up by the callee', async () => {
    const carrier = await exchange.carrier();
    const { sid } = await exchange.client.calls.create({
      to: '+15550000002',
      from: FROM,
      byoc: await exchange.trunkTo(carrier.uri),
      twiml: LONG,
    });
    expect((await exchange.ended(sid)).status).toBe('completed');
    expect((await exchange.trace(sid)).events.map(({ text }) => text)).toContain(
      'completed: the callee hung up',
    );
  });

  it('is hung up over the API, and then can be neither redirected nor ended again', async () => {
    const carrier = await exchange.carrier({ ringMs: 0 });
    const sid = await exchange.place(await exchange.trunkTo(carrier.uri));
    await exchange.reached(sid, 'in-progress');
    await exchange.client.calls(sid).update({ status: 'completed' });
    expect((await exchange.ended(sid)).status).toBe('completed');
    await carrier.event('ended');
    await expect(exchange.client.calls(sid).update({ status: 'completed' })).rejects.toMatchObject({
      code: 21220,
    });
    await expect(exchange.client.calls(sid).update({ twiml: LONG })).rejects.toMatchObject({ code: 21220 });
  });

  it('carries a tone to the callee, from an app’s Url over a redirect, and hears it nowhere else', async () => {
    const carrier = await exchange.carrier({ ringMs: 0 });
    const media = await startWebhookApp(({ path }, response) => {
      const xml = (body: string) => response.writeHead(200, { 'content-type': 'text/xml' }).end(body);
      if (path === '/start') xml('<Response><Redirect>music/next</Redirect></Response>');
      else if (path === '/music/next') xml('<Response><Play>tone.wav</Play></Response>');
      else response.writeHead(200, { 'content-type': 'audio/wav' }).end(toneWav(1000, 1));
    });
    const sid = await exchange.place(await exchange.trunkTo(carrier.uri), { url: `${media.url}/start` });
    expect((await exchange.ended(sid)).status).toBe('completed');
    await media.close();
    expect(media.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /start',
      'POST /music/next',
      'GET /music/tone.wav',
    ]);
    expect(media.requests[0]?.parameters).toMatchObject({ CallSid: sid, CallStatus: 'in-progress' });
    const heard = await carrier.heard();
    expect(toneLevel(heard, 1000)).toBeGreaterThan(10 * toneLevel(heard, 1400));
    expect(toneLevel(heard, 1000)).toBeGreaterThan(10 * toneLevel(heard, 700));
  });

  it('is redirected while it is up', async () => {
    const carrier = await exchange.carrier({ ringMs: 0 });
    const sid = await exchange.place(await exchange.trunkTo(carrier.uri));
    await exchange.reached(sid, 'in-progress');
    await exchange.client.calls(sid).update({ twiml: HELLO });
    expect((await exchange.ended(sid)).status).toBe('completed');
    expect(loudness(await carrier.heard())).toBeGreaterThan(500);
  });
});

describe('after calls', () => {
  it('no timer, port or dialog is left', async () => {
    const carrier = await exchange.carrier({ ringMs: 0 });
    const byoc = await exchange.trunkTo(carrier.uri);
    const place = (to: string) =>
      exchange.client.calls.create({ to, from: FROM, byoc, twiml: '<Response><Hangup/></Response>' });
    const calls = await Promise.all(
      ['+15550001234', '+15550000486', '+15550001234', '+15550000503'].map(place),
    );
    await Promise.all(calls.map(({ sid }) => exchange.ended(sid)));
    await exchange.quiet();
    // A dialog lives until its BYE is answered.
    await expect.poll(() => exchange.counts()).toMatchObject({ calls: 0, dialogs: 0, mediaSessions: 0 });
    await expect.poll(openRtpPorts).toEqual([]);
    // What is left are transactions that absorb retransmissions (64·T1 at most).
    const { transactions, timers } = exchange.counts();
    expect(timers).toBeLessThanOrEqual(transactions);
    await expect
      .poll(() => {
        exchange.hurry();
        return exchange.counts();
      })
      .toMatchObject({ transactions: 0, timers: 0 });
  });

  it('the ports are seen while a call is up', async () => {
    const carrier = await exchange.carrier({ ringMs: 0 });
    const sid = await exchange.place(await exchange.trunkTo(carrier.uri));
    await exchange.reached(sid, 'in-progress');
    expect(openRtpPorts()).toHaveLength(2); // RTP and RTCP
    await exchange.client.calls(sid).update({ status: 'completed' });
    await expect.poll(openRtpPorts).toEqual([]);
  });
});

/** The exchange's RTP ports that this process holds, by the kernel's word; the carriers' are above 29999. */
function openRtpPorts(): number[] {
  const sockets = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1] ?? [];
    } catch {
      return []; // closed meanwhile
    }
  });
  const rows = readFileSync('/proc/self/net/udp', 'utf8').trim().split('\n').slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , , , , , , , inode]) => sockets.includes(inode ?? ''))
    .map(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16))
    .filter((port) => port >= 20_000 && port <= 29_999);
}

/** Root mean square of samples. */
function loudness(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length));
}
