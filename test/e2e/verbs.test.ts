// Every verb but Dial over a real call: what the callee hears, what it presses, and what the app is asked.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Treatment } from '../../src/carrier/index.ts';
import { encode } from '../../src/media/g711.ts';
import { toneLevel } from '../../src/media/index.ts';
import { loudest } from '../support/dial-scene.ts';
import { type Exchange, startExchange, type TestCarrier } from '../support/exchange.ts';
import { nothingLeft } from '../support/nothing-left.ts';
import { toneGsm } from '../support/tone-gsm.ts';
import { toneWav } from '../support/tone-wav.ts';
import { type ReceivedRequest, startWebhookApp, type WebhookApp } from '../support/webhook-app.ts';

let exchange: Exchange;
let app: WebhookApp;
/** What the app answers, by path; nothing is 204. */
let twiml: Record<string, string>;

beforeEach(async () => {
  twiml = {};
  [exchange, app] = await Promise.all([
    startExchange(),
    startWebhookApp(({ path }, response) => {
      const answer = twiml[path];
      if (path === '/tone.wav')
        response.writeHead(200, { 'content-type': 'audio/wav' }).end(toneWav(1000, 20));
      else if (path === '/short.wav')
        response.writeHead(200, { 'content-type': 'audio/x-wav' }).end(toneWav(700, 1));
      else if (path === '/tone.gsm')
        response.writeHead(200, { 'content-type': 'audio/x-gsm' }).end(toneGsm(1));
      else if (path === '/tone.ulaw')
        response.writeHead(200, { 'content-type': 'audio/basic' }).end(toneUlaw(1000, 3));
      else if (answer === undefined) response.writeHead(204).end();
      else response.writeHead(200, { 'content-type': 'text/xml' }).end(`<Response>${answer}</Response>`);
    }),
  ]);
});

afterEach(async ({ task }) => {
  try {
    if (task.result?.state !== 'fail') await nothingLeft(exchange);
  } finally {
    await exchange.stop();
    await app.close();
  }
});

const phone = (treatment: Partial<Extract<Treatment, { kind: 'answer' }>> = {}): Promise<TestCarrier> =>
  exchange.carrier({ ringMs: 20, treatment: { kind: 'answer', sends: 'tone', hz: 700, ...treatment } });

const call = async ({ uri }: TestCarrier, given: object = {}): Promise<string> => {
  const to = uri.replace('sip:', 'sip:kate@');
  const { sid } = await exchange.client.calls.create({ to, from: 'a', url: `${app.url}/start`, ...given });
  return sid;
};

/** Without a header. */
function toneUlaw(hz: number, seconds: number): Buffer {
  const samples = new Int16Array(new Uint8Array(toneWav(hz, seconds).subarray(44)).buffer);
  const codes = Buffer.alloc(samples.length);
  encode(0, samples, codes, 0);
  return codes;
}

const asked = (path: string): Promise<ReceivedRequest> => app.received((request) => request.path === path);

const textsOf = async (sid: string): Promise<string[]> =>
  (await exchange.trace(sid)).events.map(({ text }) => text);

describe('Gather', () => {
  it('takes keys until the finish key, cuts its prompts off at the first, and tells the app', async () => {
    const callee = await phone({ presses: 'WW12w3#' });
    twiml['/start'] = '<Gather action="/pin"><Play>/tone.wav</Play></Gather><Say>Never heard.</Say>';
    twiml['/pin'] = '<Pause length="60"/>';
    const sid = await call(callee);
    const { parameters } = await asked('/pin');
    expect(parameters).toMatchObject({ CallSid: sid, Digits: '123', FinishedOnKey: '#', msg: 'Gather End' });
    const heard = await callee.heard();
    expect(toneLevel(heard, 1000)).toBeGreaterThan(0.02);
    // The file is 20 s long, and nothing of it is heard any more.
    await expect
      .poll(async () => toneLevel((await callee.heard()).slice(-2000), 1000), { timeout: 8000 })
      .toBeLessThan(0.01);
    await exchange.client.calls(sid).update({ status: 'completed' });
    await exchange.quiet();
    const [event] = (await exchange.client.calls(sid).events.list()).filter(({ request }) =>
      String((request as { url: string }).url).endsWith('/pin'),
    );
    expect(event?.request).toMatchObject({ parameters: { Digits: '****' } });
  });

  it('goes on where nothing is pressed; keys before it do not count', async () => {
    const callee = await phone({ presses: '5' });
    twiml['/start'] =
      '<Pause length="2"/><Gather numDigits="1" timeout="1" action="/pin"/><Redirect>/after</Redirect>';
    twiml['/after'] = '<Hangup/>';
    const sid = await call(callee);
    await asked('/after');
    expect((await exchange.ended(sid)).status).toBe('completed');
    expect(app.requests.map(({ path }) => path)).toEqual(['/start', '/after']);
  });

  it('is left when the callee hangs up, and the app hears nothing', async () => {
    const callee = await phone();
    twiml['/start'] = '<Gather action="/pin" timeout="60"><Play>/tone.wav</Play></Gather>';
    const sid = await call(callee);
    await asked('/tone.wav');
    callee.hangUp();
    expect((await exchange.ended(sid)).status).toBe('completed');
    await exchange.quiet();
    expect(app.requests.map(({ path }) => path)).toEqual(['/start', '/tone.wav']);
  });
});

/** Of each tenth of a second what is loudest: `a` for 700 Hz, `b` for 1000 Hz, `.` for neither. */
function melody(heard: Int16Array): string {
  const tenths = Array.from({ length: Math.floor(heard.length / 800) }, (_, at) =>
    heard.subarray(at * 800, (at + 1) * 800),
  );
  return tenths
    .map((tenth) => (toneLevel(tenth, 700) > 0.1 ? 'a' : toneLevel(tenth, 1000) > 0.1 ? 'b' : '.'))
    .join('');
}

describe('Play and Pause', () => {
  it('are heard in their order, as often and as long as they say', async () => {
    const callee = await phone({ presses: 'W'.repeat(20) });
    twiml['/start'] =
      '<Play loop="2">/short.wav</Play><Pause length="2"/><Play>/tone.gsm</Play><Play digits="5"/>';
    expect((await exchange.ended(await call(callee))).status).toBe('completed');
    // A tenth of a second where one begins or ends may be neither.
    expect(melody(await callee.heard())).toMatch(/^\.*a{8,11}\.{0,3}a{8,11}\.{18,}b{8,11}\.*$/);
    expect(callee.keys()).toBe('5');
    expect(app.requests.map(({ path }) => path)).toEqual(['/start', '/short.wav', '/tone.gsm']);
  });
});

describe('an answer that is sound', () => {
  it('is heard, and asked for once', async () => {
    const callee = await phone();
    const sid = await call(callee, { url: `${app.url}/tone.ulaw` });
    await expect
      .poll(async () => toneLevel(await callee.heard(), 1000), { timeout: 8000 })
      .toBeGreaterThan(0.1);
    expect((await exchange.ended(sid)).status).toBe('completed');
    expect(app.requests.map(({ path }) => path)).toEqual(['/tone.ulaw']);
  });
});

describe('keys that the exchange presses', () => {
  it('by <Play digits>', async () => {
    const callee = await phone();
    twiml['/start'] = '<Play digits="1w2#"/><Hangup/>';
    await exchange.ended(await call(callee));
    expect(callee.keys()).toBe('12#');
  });

  it('by SendDigits, before the TwiML', async () => {
    const callee = await phone();
    const sid = await call(callee, { sendDigits: 'ww90a', url: undefined, twiml: '<Response/>' });
    await exchange.ended(sid);
    expect(callee.keys()).toBe('90A');
    expect(await textsOf(sid)).toContain('presses 5 keys');
  });

  it('by SendDigits: TwiML that comes over the API meanwhile is the one that runs', async () => {
    const callee = await phone();
    twiml['/start'] = '<Say>Never heard.</Say>';
    const sid = await call(callee, { sendDigits: `${'W'.repeat(30)}1` });
    await exchange.reached(sid, 'in-progress');
    await exchange.client.calls(sid).update({ twiml: '<Response><Hangup/></Response>' });
    expect((await exchange.ended(sid)).status).toBe('completed');
    expect(app.requests).toEqual([]);
  });
});

describe('Record', () => {
  it('until a key, and the app gets its address', async () => {
    const callee = await phone({ presses: 'WWW9' });
    twiml['/start'] = '<Record action="/message" timeout="0" trim="do-not-trim"/>';
    twiml['/message'] = '<Hangup/>';
    const sid = await call(callee);
    const { parameters } = await asked('/message');
    const [recording] = await exchange.client.recordings.list({ callSid: sid });
    expect(parameters).toMatchObject({ CallSid: sid, Digits: '9', RecordingSid: recording?.sid });
    expect(parameters['RecordingUrl']).toMatch(new RegExp(`/Recordings/${recording?.sid}$`));
    expect(recording).toMatchObject({ source: 'RecordVerb', channels: 1, status: 'completed' });
    // The tone before it is heard by the callee, whenever the app's answer came.
    expect(loudest(await callee.heard(), 1000)).toBeGreaterThan(0.02);
    await exchange.ended(sid);
  });

  it('until the callee hangs up; the app is told, and its answer is ignored', async () => {
    const callee = await phone();
    twiml['/start'] = '<Record action="/message" playBeep="false"/>';
    twiml['/message'] = '<Say>Never heard.</Say>';
    const sid = await call(callee);
    await expect.poll(async () => (await exchange.client.recordings.list({ callSid: sid })).length).toBe(1);
    callee.hangUp();
    const { parameters } = await asked('/message');
    expect(parameters).toMatchObject({ CallStatus: 'completed', Digits: 'hangup' });
    await exchange.quiet();
    expect(await textsOf(sid)).not.toContain('<Say> "Never heard."');
  });

  it.each([
    ['silence', 'timeout="1" finishOnKey=""', 'W'.repeat(20)],
    ['its longest time', 'timeout="0" maxLength="1" trim="do-not-trim"', undefined],
  ])('until %s, without a tone before it where none is wanted', async (_what, attributes, presses) => {
    const callee = await phone(presses === undefined ? {} : { presses });
    twiml['/start'] = `<Record action="/message" playBeep="false" ${attributes}/>`;
    twiml['/message'] = '<Hangup/>';
    const sid = await call(callee);
    const { parameters } = await asked('/message');
    expect(parameters).toMatchObject({ CallStatus: 'in-progress', Digits: '' });
    expect(parameters['RecordingDuration']).toBe(presses === undefined ? '1' : '0');
    expect((await exchange.ended(sid)).status).toBe('completed');
    expect(loudest(await callee.heard(), 1000)).toBeLessThan(0.01);
  });

  it('of the whole call, by the API', async () => {
    const callee = await phone();
    twiml['/start'] = '<Pause length="1"/>';
    const sid = await call(callee, {
      record: true,
      recordingChannels: 'dual',
      recordingStatusCallback: `${app.url}/rec`,
    });
    await exchange.ended(sid);
    expect((await asked('/rec')).parameters).toMatchObject({ CallSid: sid, RecordingStatus: 'completed' });
    expect(await exchange.client.recordings.list({ callSid: sid })).toMatchObject([
      { source: 'OutboundAPI', channels: 2 },
    ]);
  });
});

describe('documents', () => {
  it('that cannot run send the call to its fallback, and the flaws of one that can are Notifications', async () => {
    const callee = await phone();
    twiml['/start'] = '<Redirect>ftp://nowhere</Redirect>';
    twiml['/spare'] = '<Enqueue>a</Enqueue><Hangup/>';
    const sid = await call(callee, { fallbackUrl: `${app.url}/spare` });
    await exchange.ended(sid);
    expect((await asked('/spare')).parameters).toMatchObject({
      ErrorCode: '11100',
      ErrorUrl: `${app.url}/start`,
    });
    await exchange.quiet();
    const notices = await exchange.client.calls(sid).notifications.list();
    expect(notices.map(({ errorCode, log }) => `${errorCode} ${log}`).toSorted()).toEqual([
      '11100 0',
      '12200 1',
    ]);
  });

  it('that a live call is given may not have a relative action', async () => {
    const callee = await phone({ presses: 'WWWW1' });
    twiml['/start'] = '<Pause length="60"/>';
    twiml['/spare'] = '<Hangup/>';
    const sid = await call(callee, { fallbackUrl: `${app.url}/spare` });
    await asked('/start');
    await exchange.reached(sid, 'in-progress');
    const given = '<Response><Gather action="/pin" numDigits="1" timeout="60"/></Response>';
    await exchange.client.calls(sid).update({ twiml: given });
    expect((await asked('/spare')).parameters).toMatchObject({ ErrorCode: '15004', ErrorUrl: '' });
    await exchange.ended(sid);
    await exchange.quiet();
    expect(await exchange.client.calls(sid).notifications.list()).toMatchObject([
      { errorCode: '15004', log: '0' },
    ]);
  });

  it('a Reject of a call that is up hangs it up', async () => {
    const callee = await phone();
    twiml['/start'] = '<Reject/>';
    const sid = await call(callee);
    expect((await exchange.ended(sid)).status).toBe('completed');
    expect(await textsOf(sid)).toContain('completed: <Reject>');
  });
});
