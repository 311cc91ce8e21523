// Origination: a carrier calls a number of an Elastic trunk, and the trunk's PBX takes the call; or, where it cannot,
// disaster recovery does.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hears } from '../support/dial-scene.ts';
import { hearsTone } from '../support/softphone.ts';
import { NUMBER, OUTSIDE, OUTSIDE_HZ, PHONE_HZ, requestOf, TrunkScene } from '../support/trunk-scene.ts';

const patience = { timeout: 8000 };
const TONE = { kind: 'tone', frequenciesHz: [PHONE_HZ], durationMs: 8000 } as const;
const refuse = (status: number) => ({ kind: 'refuse', status });

let scene: TrunkScene;
beforeEach(async () => {
  scene = await TrunkScene.open();
});
afterEach(({ task }) => scene.close(task.result?.state === 'fail'));

const trunk = () => scene.exchange.client.trunking.v1.trunks(scene.trunk.sid);

describe('a call for a number of a trunk', () => {
  it('goes to the PBX, and both hear each other and their keys', async () => {
    const pbx = await scene.peer();
    await scene.urls(pbx.uri);
    const carrier = await scene.callsIn();
    await carrier.answered;
    expect(carrier.statuses).toEqual([180, 200]);
    await expect.poll(() => hearsTone(carrier, OUTSIDE_HZ), patience).toBe(true);
    await carrier.session.sendDigits('90*');
    await expect.poll(() => pbx.keys(), patience).toBe('90*');
    void carrier.session.play(TONE);
    await hears(pbx, PHONE_HZ);
    const [live] = await scene.exchange.client.calls.list();
    expect(live).toMatchObject({
      direction: 'trunking-originating',
      status: 'in-progress',
      trunkSid: scene.trunk.sid,
      from: OUTSIDE,
      to: pbx.uri.replace('sip:', `sip:${NUMBER}@`),
      price: null,
    });
    carrier.hangUp();
    await pbx.event('ended');
    expect((await scene.ended()).status).toBe('completed');
    expect(scene.app.requests).toEqual([]);
  });

  it('tells the PBX who calls, whom, and by which call', async () => {
    const pbx = await scene.peer(refuse(486));
    await scene.urls(`${pbx.uri}?X-Tenant=acme&X-Twilio-CallSid=forged`);
    const headers = [
      ['Diversion', '<sip:+442079460001@carrier.example>;reason=no-answer'],
      ['X-Carrier', 'secret'],
    ] as const;
    await (await scene.callsIn({ headers })).final;
    const request = requestOf(pbx);
    expect(request?.header('From')).toMatch(new RegExp(`^<sip:\\${OUTSIDE}@`));
    expect(request?.header('To')).toBe(`<${pbx.uri.replace('sip:', `sip:${NUMBER}@`)}>`);
    expect(request?.header('P-Asserted-Identity')).toMatch(new RegExp(`^<sip:\\${OUTSIDE}@`));
    expect(request?.headers('Diversion')).toEqual([
      expect.stringMatching(new RegExp(`^<sip:\\${NUMBER}@.+>;reason=unconditional$`)),
      '<sip:+442079460001@carrier.example>;reason=no-answer',
    ]);
    expect(request?.header('X-Twilio-AccountSid')).toBe(scene.exchange.account.accountSid);
    expect(request?.header('X-Twilio-CallSid')).toBe(await scene.sid());
    expect(request?.header('X-Tenant')).toBe('acme');
    expect(request?.header('X-Carrier')).toBeUndefined();
    expect(request?.body).toMatch(/^m=audio \d+ RTP\/AVP 0 8 101\r$/m);
    await scene.ended();
  });

  it('withholds a caller who wants it so', async () => {
    const pbx = await scene.peer(refuse(486));
    await scene.urls(pbx.uri);
    await (await scene.callsIn({ headers: [['Privacy', 'id']] })).final;
    const request = requestOf(pbx);
    expect(request?.header('From')).toContain('sip:anonymous@anonymous.invalid');
    expect(request?.header('P-Asserted-Identity')).toBeUndefined();
    expect(request?.header('Privacy')).toBe('id');
    await scene.ended();
  });

  it.each([
    ['a user part of its own', 'sip:reception@', '', 'sip:reception@'],
    ['none', 'sip:', '', `sip:${NUMBER}@`],
    ['an edge and TCP', 'sip:', ';edge=dublin', `sip:${NUMBER}@`],
  ])('calls a URL with %s', async (name, before, after, asked) => {
    const isTcp = name.includes('TCP');
    const pbx = await scene.peer(refuse(486), isTcp ? { transport: 'tcp' } : {});
    await scene.urls(pbx.uri.replace('sip:', before) + after);
    await (await scene.callsIn()).final;
    expect(requestOf(pbx)?.uri).toBe(pbx.uri.replace('sip:', asked));
    await scene.ended();
    if (isTcp) scene.overStreams = true;
  });

  it('goes to the next URL where one is down, and the record says where it was answered', async () => {
    const [down, up] = [await scene.peer(refuse(503)), await scene.peer()];
    await scene.urls(down.uri, up.uri);
    const carrier = await scene.callsIn();
    await carrier.answered;
    carrier.hangUp();
    expect(await scene.ended()).toMatchObject({ to: up.uri.replace('sip:', `sip:${NUMBER}@`) });
    const { attempts } = await scene.exchange.trace(await scene.sid());
    expect(attempts.map(({ uri, result }) => [uri, result])).toEqual([
      [down.uri, 'failed over'],
      [up.uri, 'answered'],
    ]);
  });

  it('follows a redirect of the PBX once', async () => {
    const there = await scene.peer();
    const here = await scene.peer({
      kind: 'refuse',
      status: 302,
      headers: [['Contact', `<${there.uri.replace('sip:', 'sip:desk@')}>`]],
    });
    await scene.urls(here.uri);
    const carrier = await scene.callsIn();
    await carrier.answered;
    expect(requestOf(there)?.uri).toBe(there.uri.replace('sip:', 'sip:desk@'));
    carrier.hangUp();
    expect((await scene.ended()).to).toBe(there.uri.replace('sip:', 'sip:desk@'));
  });

  it('is given up at the PBX when the carrier gives up', async () => {
    const pbx = await scene.peer({ kind: 'ring' });
    await scene.urls(pbx.uri);
    const carrier = await scene.callsIn();
    await expect.poll(() => carrier.statuses).toEqual([180]);
    carrier.cancel();
    await pbx.event('canceled');
    expect((await scene.ended()).status).toBe('no-answer');
  });

  it('moves to TwiML over the API, without the PBX', async () => {
    const pbx = await scene.peer();
    await scene.urls(pbx.uri);
    const carrier = await scene.callsIn();
    await carrier.answered;
    const sid = await scene.sid();
    await scene.exchange.reached(sid, 'in-progress');
    await scene.exchange.client.calls(sid).update({ twiml: '<Response><Hangup/></Response>' });
    await pbx.event('ended');
    expect((await carrier.ended).by).toBe('remote');
    await scene.ended();
  });
});

describe('the caller’s name', () => {
  it('is shown to the PBX where the trunk asks for it', async () => {
    await trunk().update({ cnamLookupEnabled: true });
    const pbx = await scene.peer(refuse(486));
    await scene.urls(pbx.uri);
    await (await scene.callsIn({ fromName: 'Łukasz “Ltd”' })).final;
    const name = Buffer.from('Łukasz “Ltd”').toString('latin1');
    expect(requestOf(pbx)?.header('From')).toMatch(new RegExp(`^"${name}" <sip:\\${OUTSIDE}@`));
    expect(requestOf(pbx)?.header('P-Asserted-Identity')).toMatch(new RegExp(`^"${name}" <`));
    expect((await scene.ended()).callerName).toBe('Łukasz “Ltd”');
  });
});

describe('disaster recovery', () => {
  beforeEach(async () => {
    scene.twiml['/rescue'] = '<Say>We are closed.</Say>';
    await trunk().update({
      disasterRecoveryUrl: `${scene.app.url}/rescue?a=1`,
      disasterRecoveryMethod: 'GET',
    });
  });

  it('runs its TwiML on the caller when no URL can take the call', async () => {
    const [one, two] = [await scene.peer(refuse(503)), await scene.peer(refuse(500))];
    await scene.urls(one.uri, two.uri);
    const carrier = await scene.callsIn();
    await carrier.answered;
    expect((await carrier.ended).by).toBe('remote');
    expect(scene.app.requests.map(({ method, parameters }) => ({ method, parameters }))).toEqual([
      {
        method: 'GET',
        parameters: {
          a: '1',
          AccountSid: scene.exchange.account.accountSid,
          ApiVersion: '2010-04-01',
          CallSid: await scene.sid(),
          CallStatus: 'ringing',
          Direction: 'inbound',
          From: OUTSIDE,
          Caller: OUTSIDE,
          To: NUMBER,
          Called: NUMBER,
          TrunkSid: scene.trunk.sid,
          ErrorCode: '32011',
          SipResponseCode: '500',
        },
      },
    ]);
    expect(await scene.ended()).toMatchObject({ status: 'completed', trunkSid: scene.trunk.sid });
    expect(await scene.notices()).toEqual(['32011', '32011']);
    expect((await scene.exchange.trace(await scene.sid())).attempts).toHaveLength(2);
  });

  it.each([
    ['there is no URL', false],
    ['all URLs are disabled', true],
  ])('runs where %s', async (_name, hasUrl) => {
    if (hasUrl)
      await trunk().originationUrls.create({
        friendlyName: 'off',
        sipUrl: 'sip:127.0.0.1',
        priority: 1,
        weight: 1,
        enabled: false,
      });
    const carrier = await scene.callsIn();
    await carrier.answered;
    await carrier.ended;
    expect(scene.app.requests).toMatchObject([{ parameters: { ErrorCode: '32010', To: NUMBER } }]);
    await scene.ended();
  });

  it('runs where the URLs are so many and so slow that nothing rings in a minute', async () => {
    const silent = await scene.peer({ kind: 'stall' });
    await scene.urls(silent.uri, `${silent.uri};edge=dublin`);
    const carrier = await scene.callsIn();
    await silent.event('invite');
    await expect.poll(() => scene.exchange.hurry(60_000)).toBe(1);
    await carrier.answered;
    await carrier.ended;
    expect(scene.app.requests).toMatchObject([{ parameters: { ErrorCode: '32011', To: NUMBER } }]);
    await scene.ended();
  });

  it('may refuse the call', async () => {
    scene.twiml['/rescue'] = '<Reject reason="busy"/>';
    expect((await (await scene.callsIn()).final).status).toBe(486);
    expect((await scene.ended()).status).toBe('busy');
  });

  it('may dial on', async () => {
    const other = await scene.peer();
    scene.twiml['/rescue'] = `<Dial answerOnBridge="true"><Sip>${other.uri}</Sip></Dial>`;
    const carrier = await scene.callsIn();
    await carrier.answered;
    await expect.poll(() => hearsTone(carrier, OUTSIDE_HZ), patience).toBe(true);
    carrier.hangUp();
    await other.event('ended');
    await scene.exchange.quiet();
  });

  it('ends when the caller gives up meanwhile', async () => {
    scene.twiml['/rescue'] = '<Pause length="30"/>';
    const carrier = await scene.callsIn();
    await scene.app.received(() => true);
    carrier.cancel();
    expect((await scene.ended()).status).toBe('no-answer');
  });

  it.each([486, 404, 603])('does not run after %i: the carrier is told', async (status) => {
    const pbx = await scene.peer(refuse(status));
    await scene.urls(pbx.uri);
    expect((await (await scene.callsIn()).final).status).toBe(status);
    await scene.ended();
    expect(scene.app.requests).toEqual([]);
  });

  it.each([
    ['nowhere', [], 'the 302 names no SIP URI'],
    [
      'to a name of the exchange',
      [['Contact', '<sip:desk@other.sip.twilio.com>']],
      'other.sip.twilio.com is a name of this exchange, where nobody else is reached',
    ],
  ])('does not run after a redirect that leads %s', async (_where, headers, why) => {
    const pbx = await scene.peer({ kind: 'refuse', status: 302, headers });
    await scene.urls(pbx.uri);
    const response = await (await scene.callsIn()).final;
    expect([response.status, response.header('X-Twilio-Error')]).toEqual([
      503,
      expect.stringMatching(/^32219 /),
    ]);
    await scene.ended();
    expect((await scene.exchange.trace(await scene.sid())).attempts.at(-1)?.why).toBe(why);
    expect(scene.app.requests).toEqual([]);
  });

  it('is not there: the carrier gets the last status, or 503', async () => {
    await trunk().update({ disasterRecoveryUrl: '' });
    const first = await (await scene.callsIn()).final;
    expect([first.status, first.header('X-Twilio-Error')]).toEqual([503, expect.stringMatching(/^32010 /)]);
    const pbx = await scene.peer(refuse(500));
    await scene.urls(pbx.uri);
    const second = await (await scene.callsIn()).final;
    expect([second.status, second.header('X-Twilio-Error')]).toEqual([500, expect.stringMatching(/^32011 /)]);
    await scene.ended();
  });
});
