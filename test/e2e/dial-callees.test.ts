// <Dial> over real calls: what happens to a callee before the bridge, where calls go, and what is recorded.
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toneLevel } from '../../src/media/index.ts';
import {
  CALLEE_HZ,
  CALLER_HZ,
  DialScene,
  FROM,
  hears,
  hearsMore,
  level,
  loudest,
} from '../support/dial-scene.ts';

let scene: DialScene;

beforeEach(async () => {
  scene = await DialScene.open();
});

afterEach(({ task }) => scene.close(task.result?.state === 'fail'));

describe('before the bridge', () => {
  it('the caller hears it ring in the tone of a country', async () => {
    const ringing = await scene.exchange.carrier({ treatment: { kind: 'ring' } });
    const { sid } = await scene.call(scene.dial(await scene.number(ringing), 'ringTone="us"'));
    await hears(scene.caller, 440);
    await hears(scene.caller, 480);
    await scene.hangUp(sid);
    await scene.told();
  });

  it('the caller hears what the callee sends', async () => {
    const early = await scene.carrier(CALLEE_HZ, { early: true }, { ringMs: 60_000 });
    const { sid } = await scene.call(scene.dial(await scene.number(early)));
    await hears(scene.caller, CALLEE_HZ);
    expect((await scene.children(sid))[0]?.status).toBe('ringing');
    await scene.hangUp(sid);
    await early.event('canceled');
    expect(await scene.told()).toMatchObject({ DialBridged: 'false' });
  });

  it('keys are pressed at the callee', async () => {
    const callee = await scene.carrier(CALLEE_HZ);
    const { sid } = await scene.call(scene.dial(await scene.number(callee, 'sendDigits="w12#"')));
    await expect.poll(() => callee.keys(), { timeout: 8000 }).toBe('12#');
    await hears(scene.caller, CALLEE_HZ);
    await scene.hangUp(sid);
    await scene.told();
  });

  it('a callee is asked, and takes the call', async () => {
    const callee = await scene.carrier(CALLEE_HZ, { presses: 'WW1' });
    scene.twiml['/screen'] = '<Gather numDigits="1" action="/taken"/><Hangup/>';
    scene.twiml['/taken'] = '';
    const { sid } = await scene.call(scene.dial(await scene.number(callee, `url="${scene.app.url}/screen"`)));
    await hears(callee, CALLER_HZ);
    const [child] = await scene.children(sid);
    expect(await scene.told('/screen')).toMatchObject({ CallSid: child?.sid, ParentCallSid: sid });
    expect(await scene.told('/taken')).toMatchObject({ CallSid: child?.sid, Digits: '1' });
    await scene.hangUp(sid);
    expect(await scene.told()).toMatchObject({ DialCallStatus: 'completed', DialBridged: 'true' });
  });

  it.each([
    ['declines', '<Hangup/>', '/screen'],
    ['is not asked, as the app is broken: that declines too', '', '/nothing'],
  ])('a callee %s; the caller hears nothing of it', async (_name, answer, path) => {
    const callee = await scene.carrier(CALLEE_HZ);
    scene.twiml[path] = answer;
    if (!answer) delete scene.twiml[path];
    scene.twiml['/done'] = '<Hangup/>';
    await scene.call(scene.dial(await scene.number(callee, `url="${scene.app.url}${path}"`)));
    expect(await scene.told()).toMatchObject({ DialCallStatus: 'completed', DialBridged: 'false' });
    expect(level(await scene.caller.heard(), CALLEE_HZ)).toBeLessThan(0.02);
  });
});

describe('where a number goes', () => {
  it('without byoc: the way of the CarrierRoutes, or nowhere with 13224', async () => {
    const callee = await scene.carrier(CALLEE_HZ);
    scene.twiml['/done'] = '<Hangup/>';
    const lost = await scene.call(scene.dial('+4930000'));
    expect(await scene.told()).toMatchObject({ DialCallStatus: 'failed', DialBridged: 'false' });
    const [child] = await scene.children(lost.sid);
    await scene.exchange.quiet();
    const notices = await scene.exchange.client.calls(child?.sid ?? '').notifications.list();
    expect(notices).toMatchObject([{ errorCode: '13224', log: '0' }]);
    expect((await scene.exchange.trace(child?.sid ?? '')).rule).toContain('no CarrierRoute takes +4930000');

    await routeOver(await scene.exchange.trunkTo(callee.uri));
    const { sid } = await scene.call(scene.dial('+4930001'));
    await hears(scene.caller, CALLEE_HZ);
    await scene.hangUp(sid);
  });

  it('with the sid of no trunk: nowhere', async () => {
    scene.twiml['/done'] = '<Hangup/>';
    await scene.call(scene.dial(`<Number byoc="BY${'0'.repeat(32)}">+4930000</Number>`));
    expect(await scene.told()).toMatchObject({ DialCallStatus: 'failed' });
  });

  it('to a country that DialingPermissions forbid: nowhere, nor over the API', async () => {
    const callee = await scene.carrier(CALLEE_HZ);
    const { client } = scene.exchange;
    const forbidden = [{ iso_code: 'DE', low_risk_numbers_enabled: false }];
    await client.voice.v1.dialingPermissions.bulkCountryUpdates.create({
      updateRequest: JSON.stringify(forbidden),
    });
    scene.twiml['/done'] = '<Hangup/>';
    const { sid } = await scene.call(scene.dial(await scene.number(callee, '', '+4930123456')));
    expect(await scene.told()).toMatchObject({ DialCallStatus: 'failed', DialBridged: 'false' });
    await scene.exchange.quiet();
    const [child] = await scene.children(sid);
    expect(await client.calls(child?.sid ?? '').notifications.list()).toMatchObject([
      { errorCode: '13227', log: '0', messageText: expect.stringContaining('LowRiskNumbersEnabled is off') },
    ]);
    expect(callee.invites()).toBe(0);
    const order = { to: '+4930123456', from: FROM, byoc: await scene.exchange.trunkTo(callee.uri) };
    await expect(client.calls.create({ ...order, twiml: '<Response/>' })).rejects.toMatchObject({
      status: 400,
      code: 21_215,
    });
  });

  async function routeOver(trunk: string): Promise<void> {
    const { status } = await scene.exchange.ours('CarrierRoutes', { Prefix: '+49', ByocTrunkSid: trunk });
    expect(status).toBe(201);
  }
});

describe('a SIP address', () => {
  it('gets the headers, and its own go to the app', async () => {
    const peer = await scene.exchange.carrier({
      treatment: { kind: 'refuse', status: 486, headers: [['X-Why', 'lunch']] },
    });
    scene.twiml['/done'] = '<Hangup/>';
    const { sid } = await scene.call(
      scene.dial(`<Sip>${peer.uri.replace('sip:', 'sip:kate@')}?X-Order=7</Sip>`),
    );
    const invite = await peer.event('invite');
    if (invite.type !== 'invite') throw new Error('no INVITE');
    const [child] = await scene.children(sid);
    expect(invite.request.header('X-Order')).toBe('7');
    expect(invite.request.header('X-Twilio-CallSid')).toBe(child?.sid);
    expect(invite.request.header('From')).toMatch(/^<sip:\+15550009999@127\.0\.0\.1>/);
    expect(await scene.told()).toMatchObject({
      DialCallStatus: 'busy',
      DialSipCallId: invite.request.header('Call-ID'),
      DialSipResponseCode: '486',
      'DialSipHeader_X-Why': 'lunch',
    });
  });

  it('is asked with all that is known of its leg, and its callbacks tell the same', async () => {
    const callee = await scene.carrier(CALLEE_HZ);
    scene.twiml['/screen'] = '<Hangup/>';
    scene.twiml['/done'] = '<Hangup/>';
    const uri = callee.uri.replace('sip:', 'sip:kate@');
    const { app } = scene;
    await scene.call(
      scene.dial(
        `<Sip url="${app.url}/screen" statusCallback="${app.url}/status" statusCallbackEvent="initiated completed">${uri}</Sip>`,
      ),
    );
    const asked = await scene.told('/screen');
    const sip = {
      SipCallId: callee.events[0]?.call.id,
      SipDomain: '127.0.0.1',
      SipSourceIp: '127.0.0.1',
      Direction: 'outbound-dial',
    };
    expect(asked).toMatchObject({ ...sip, CallStatus: 'in-progress' });
    expect(asked).not.toHaveProperty('SipDomainSid');
    const callback = (status: string) =>
      app.received(({ path, parameters }) => path === '/status' && parameters['CallStatus'] === status);
    expect((await callback('completed')).parameters).toMatchObject(sip);
    const first = (await callback('initiated')).parameters;
    expect(first).toMatchObject({ SipDomain: '127.0.0.1' });
    expect(first).not.toHaveProperty('SipCallId');
    await scene.told();
  });

  it.each([
    [401, 'WWW-Authenticate', 'Authorization'],
    [407, 'Proxy-Authenticate', 'Proxy-Authorization'],
  ])('answers a %i with its password', async (status, challenge, credentials) => {
    const headers = [[challenge, 'Digest realm="pbx",nonce="n1"']] as const;
    const peer = await scene.exchange.carrier({ treatment: { kind: 'refuse', status, headers } });
    const uri = peer.uri.replace('sip:', 'sip:kate@');
    scene.twiml['/done'] = '<Hangup/>';
    await scene.call(scene.dial(`<Sip username="desk" password="hunter-s3cret">${uri}</Sip>`));
    expect(await scene.told()).toMatchObject({
      DialCallStatus: 'failed',
      DialSipResponseCode: String(status),
    });
    const sent = peer.events.flatMap((event) =>
      event.type === 'invite' ? [event.request.header(credentials)] : [],
    );
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    const response = md5(`${md5('desk:pbx:hunter-s3cret')}:n1:${md5(`INVITE:${uri}`)}`);
    expect(sent).toEqual([undefined, expect.stringContaining(`response="${response}"`)]);
    expect(sent[1]).toContain('username="desk"');
  });

  it('is called as whom callerId says, and a number, which is shown numbers alone, as the caller', async () => {
    const [number, callee] = [
      await scene.exchange.carrier({ always: 'busy' }),
      await scene.carrier(CALLEE_HZ),
    ];
    const nouns = `${await scene.number(number)}<Sip>${callee.uri.replace('sip:', 'sip:kate@')}</Sip>`;
    const { sid } = await scene.call(scene.dial(nouns, 'callerId="desk.7" sequential="true"'));
    await hears(scene.caller, CALLEE_HZ);
    expect(number.events[0]?.call.from).toContain(`<sip:${FROM}@`);
    expect(callee.events[0]?.call.from).toMatch(/^<sip:desk\.7@127\.0\.0\.1>/);
    expect((await scene.children(sid)).map(({ from }) => from).toSorted()).toEqual([FROM, 'desk.7']);
    await scene.hangUp(sid);
    expect(await scene.told()).toMatchObject({ DialSipResponseCode: '200' });
    const notices = await scene.exchange.client.calls(sid).notifications.list();
    expect(notices).toMatchObject([{ errorCode: '13214', log: '1' }]);
  });
});

describe('a SIP address that cannot be called', () => {
  it.each([
    ['as its host is none', '-bad-', '13243'],
    ['as its host is the exchange itself', '', '13254'],
    ['as nobody listens there', '127.0.0.1:9;transport=tcp', '32011'],
    ['as a header would not be text', '127.0.0.1:9?X-A=%E2%82%AC', '32011'],
  ])('%s fails, and the caller goes on', async (_name, host, code) => {
    scene.twiml['/done'] = '<Hangup/>';
    const { client, tandem } = scene.exchange;
    const { sid } = await scene.call(scene.dial(`<Sip>sip:kate@${host || tandem.sip}</Sip>`));
    expect(await scene.told()).toMatchObject({ DialCallStatus: 'failed', DialBridged: 'false' });
    expect((await scene.exchange.ended(sid)).status).toBe('completed');
    const [child] = await scene.children(sid);
    await scene.exchange.quiet();
    const notices = await client.calls(child?.sid ?? '').notifications.list();
    expect(notices.filter(({ log }) => log === '0')).toMatchObject([{ errorCode: code }]);
  });
});

describe('a recording', () => {
  it('of the bridge, both parties apart', async () => {
    const callee = await scene.carrier(CALLEE_HZ);
    scene.twiml['/done'] = '<Hangup/>';
    const { sid } = await scene.call(
      scene.dial(
        await scene.number(callee),
        `record="record-from-answer-dual" recordingStatusCallback="${scene.app.url}/recorded"`,
      ),
    );
    await hears(callee, CALLER_HZ);
    await hearsMore(callee);
    callee.hangUp();
    const { RecordingUrl } = await scene.told();
    const [recording] = await scene.exchange.client.recordings.list({ callSid: sid });
    expect(RecordingUrl).toMatch(new RegExp(`/Recordings/${recording?.sid}$`));
    expect(recording).toMatchObject({ channels: 2, source: 'DialVerb', status: 'completed' });
    expect(await scene.told('/recorded')).toMatchObject({ CallSid: sid, RecordingStatus: 'completed' });
    const wav = await fetchWav(`${RecordingUrl}.wav?RequestedChannels=2`);
    const [left, right] = [0, 1].map((channel) => channelOf(wav, channel));
    expect(toneLevel(left as Int16Array, CALLER_HZ)).toBeGreaterThan(0.1);
    expect(toneLevel(left as Int16Array, CALLEE_HZ)).toBeLessThan(0.02);
    expect(toneLevel(right as Int16Array, CALLEE_HZ)).toBeGreaterThan(0.1);
    expect(toneLevel(right as Int16Array, CALLER_HZ)).toBeLessThan(0.02);
  });

  it.each([
    ['inbound', CALLER_HZ, CALLEE_HZ],
    ['outbound', CALLEE_HZ, CALLER_HZ],
  ])('of what is %s of the caller alone', async (track, heard, unheard) => {
    const callee = await scene.carrier(CALLEE_HZ);
    scene.twiml['/done'] = '<Hangup/>';
    const how = `record="record-from-answer-dual" recordingTrack="${track}"`;
    const { sid } = await scene.call(scene.dial(await scene.number(callee), how));
    await hears(callee, CALLER_HZ);
    await hearsMore(callee);
    callee.hangUp();
    const { RecordingUrl } = await scene.told();
    expect(await scene.exchange.client.recordings.list({ callSid: sid })).toMatchObject([{ channels: 1 }]);
    const samples = samplesOf(await fetchWav(`${RecordingUrl}.wav`));
    expect(loudest(samples, heard)).toBeGreaterThan(0.1);
    expect(loudest(samples, unheard)).toBeLessThan(0.02);
  });

  it('of silence that is to be left out is none', async () => {
    const callee = await scene.carrier(CALLEE_HZ, { presses: 'W'.repeat(20) });
    scene.twiml['/done'] = '<Hangup/>';
    const how = 'record="true" recordingTrack="outbound" trim="trim-silence"';
    const { sid } = await scene.call(scene.dial(await scene.number(callee), how));
    await hears(callee, CALLER_HZ);
    await hearsMore(callee);
    callee.hangUp();
    expect(await scene.told()).not.toHaveProperty('RecordingUrl');
    expect(await scene.exchange.client.recordings.list({ callSid: sid })).toMatchObject([
      { status: 'absent', errorCode: 16_102 },
    ]);
  });

  it('from the ringing on: what the caller heard is in it, also where nobody answers', async () => {
    const ringing = await scene.exchange.carrier({ treatment: { kind: 'ring' } });
    const { sid } = await scene.call(
      scene.dial(await scene.number(ringing), 'record="record-from-ringing" ringTone="us"'),
    );
    await hears(scene.caller, 440);
    await hearsMore(scene.caller);
    await scene.hangUp(sid);
    const { RecordingUrl, DialCallStatus } = await scene.told();
    expect(DialCallStatus).toBe('no-answer');
    const heard = samplesOf(await fetchWav(`${RecordingUrl}.wav`));
    expect(loudest(heard, 440)).toBeGreaterThan(0.1);
  });

  async function fetchWav(url: string): Promise<Buffer> {
    const { authorization } = scene.exchange;
    const response = await fetch(url, { headers: { authorization } });
    return Buffer.from(await response.arrayBuffer());
  }

  /** Of a 16-bit WAV file, interleaved. */
  const samplesOf = (wav: Buffer): Int16Array =>
    new Int16Array(wav.buffer, wav.byteOffset + 44, (wav.length - 44) >> 1);

  /** The middle second of one channel of a 16-bit stereo WAV file. */
  function channelOf(wav: Buffer, channel: number): Int16Array {
    const own = samplesOf(wav).filter((_, at) => at % 2 === channel);
    const middle = Math.floor(own.length / 2);
    return own.slice(Math.max(0, middle - 1000), middle + 1000);
  }
});
