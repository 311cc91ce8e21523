// Termination: a PBX calls over its Elastic trunk, and the account's carriers take the call.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RequestView, ResponseView } from '../../src/sip/index.ts';
import { hears } from '../support/dial-scene.ts';
import { listenerOf } from '../support/doors.ts';
import { hearsTone } from '../support/softphone.ts';
import { NUMBER, OUTSIDE, OUTSIDE_HZ, PHONE_HZ, TrunkScene } from '../support/trunk-scene.ts';

const patience = { timeout: 8000 };
const TONE = { kind: 'tone', frequenciesHz: [PHONE_HZ], durationMs: 8000 } as const;

let scene: TrunkScene;
beforeEach(async () => {
  scene = await TrunkScene.open();
});
afterEach(({ task }) => scene.close(task.result?.state === 'fail'));

describe('a call over a trunk', () => {
  it('goes out by the account’s carrier, and both hear each other and their keys', async () => {
    const carrier = await scene.peer();
    const byoc = await scene.route('+1415', carrier.uri);
    const pbx = await scene.callsOut();
    await pbx.answered;
    expect(pbx.statuses).toEqual([180, 200]);
    await expect.poll(() => hearsTone(pbx, OUTSIDE_HZ), patience).toBe(true);
    await pbx.session.sendDigits('5#');
    await expect.poll(() => carrier.keys(), patience).toBe('5#');
    void pbx.session.play(TONE);
    await hears(carrier, PHONE_HZ);
    const [live] = await scene.exchange.client.calls.list();
    expect(live).toMatchObject({
      direction: 'trunking-terminating',
      status: 'in-progress',
      trunkSid: scene.trunk.sid,
      to: OUTSIDE,
      from: NUMBER,
      price: null,
      parentCallSid: null,
    });
    pbx.hangUp();
    await carrier.event('ended');
    expect(await scene.ended()).toMatchObject({ status: 'completed', answeredBy: null });
    const { rule, attempts } = await scene.exchange.trace(await scene.sid());
    expect(rule).toContain(byoc);
    expect(attempts).toMatchObject([{ uri: carrier.uri, result: 'answered' }]);
  });

  it.each([
    ['by the PBX', 'the caller hung up'],
    ['by the callee', 'the callee hung up'],
  ])('is ended on the other side when it is hung up %s', async (who, reason) => {
    const carrier = await scene.peer();
    await scene.route('', carrier.uri);
    const pbx = await scene.callsOut();
    await pbx.answered;
    if (who === 'by the PBX') pbx.hangUp();
    else carrier.hangUp();
    await carrier.event('ended');
    const { by, request } = await pbx.ended;
    if (who === 'by the callee') {
      expect(by).toBe('remote');
      expect(request?.header('X-Twilio-CallSid')).toBe(await scene.sid());
    }
    await scene.ended();
    expect((await scene.exchange.trace(await scene.sid())).events.at(-1)?.text).toContain(reason);
  });

  it('lets the PBX hear the callee’s side before the answer', async () => {
    const carrier = await scene.peer({ early: true }, { ringMs: 3000 });
    await scene.route('', carrier.uri);
    const pbx = await scene.callsOut();
    await expect.poll(() => hearsTone(pbx, OUTSIDE_HZ), patience).toBe(true);
    expect(pbx.statuses).toEqual([183]);
    expect(pbx.responses[0]?.body).toContain('m=audio');
    await pbx.answered;
    expect(pbx.statuses).toEqual([183, 200]);
    pbx.hangUp();
    await scene.ended();
  });

  it('is given up at the carrier when the PBX gives up', async () => {
    const carrier = await scene.peer({ kind: 'ring' });
    await scene.route('', carrier.uri);
    const pbx = await scene.callsOut();
    await carrier.event('ringing');
    await expect.poll(() => pbx.statuses).toEqual([180]);
    pbx.cancel();
    await carrier.event('canceled');
    expect(await scene.ended()).toMatchObject({ status: 'no-answer', duration: null });
  });

  it('is given up at both ends over the API', async () => {
    const carrier = await scene.peer({ kind: 'ring' });
    await scene.route('', carrier.uri);
    const pbx = await scene.callsOut();
    await carrier.event('ringing');
    await scene.exchange.client.calls(await scene.sid()).update({ status: 'canceled' });
    await carrier.event('canceled');
    expect((await pbx.final).status).toBe(480);
    expect((await scene.ended()).status).toBe('canceled');
  });
});

const refuse = (status: number, after?: 'ringing' | 'early media') => ({
  kind: 'refuse',
  status,
  ...(after && { after }),
});

it.each([
  ['OPTIONS', 200],
  ['REGISTER', 403],
])('%s of a PBX outside any call is answered %i, without a password', async (method, status) => {
  const { phone, trunk, exchange } = scene;
  const uri = `sip:${trunk.domainName}`;
  const answer = new Promise<ResponseView>((resolve, reject) => {
    const options = { method, uri, from: uri, destination: listenerOf(exchange, 'udp') };
    phone.agent.request(options, (outcome) => {
      if (outcome.kind === 'response') resolve(outcome.response);
      else reject(new Error(outcome.kind));
    });
  });
  expect((await answer).status).toBe(status);
  scene.hasRefused = status === 403;
});

describe('a callee who does not take the call', () => {
  it.each([
    ['is busy', refuse(486), [486, undefined, 'busy']],
    ['rang, and declines', refuse(603, 'ringing'), [603, undefined, 'failed']],
    ['is behind a carrier that blocks the caller', refuse(608), [608, '32017', 'failed']],
    ['has no such number', refuse(404), [404, undefined, 'failed']],
    ['did not answer', refuse(480, 'ringing'), [480, undefined, 'no-answer']],
    ['is behind a carrier that is down', refuse(503), [503, '32400', 'failed']],
    ['is behind a carrier that wants a password of ours', refuse(407), [503, '32400', 'failed']],
  ] as const)('%s: the PBX is told so', async (_name, treatment, told) => {
    const carrier = await scene.peer(treatment);
    await scene.route('', carrier.uri);
    const response = await (await scene.callsOut()).final;
    const error = response.header('X-Twilio-Error')?.slice(0, 5);
    const { status, trunkSid } = await scene.ended();
    expect([response.status, error, status]).toEqual(told);
    expect(trunkSid).toBe(scene.trunk.sid);
  });

  it('does not even ring for a minute: 480 and 32016', async () => {
    const carrier = await scene.peer({ kind: 'stall' });
    await scene.route('', carrier.uri);
    const pbx = await scene.callsOut();
    await carrier.event('invite');
    await expect.poll(() => scene.exchange.hurry(60_000)).toBe(1);
    const response = await pbx.final;
    expect([response.status, response.header('X-Twilio-Error')]).toEqual([
      480,
      expect.stringMatching(/^32016 /),
    ]);
    expect((await scene.ended()).status).toBe('no-answer');
    expect(await scene.notices()).toEqual(['32016']);
  });

  it('is not there at all: 503 and 32010', async () => {
    await scene.route('+44', 'sip:127.0.0.1:9');
    const response = await (await scene.callsOut()).final;
    expect(response.status).toBe(503);
    expect(response.header('X-Twilio-Error')).toMatch(/^32010 /);
    await scene.ended();
    expect(await scene.notices()).toEqual(['32010']);
  });

  it('is reached by the next carrier where the first one is down', async () => {
    const [down, up] = [await scene.peer(refuse(503)), await scene.peer()];
    await scene.route('', down.uri, up.uri);
    const pbx = await scene.callsOut();
    await pbx.answered;
    pbx.hangUp();
    await scene.ended();
    const { attempts } = await scene.exchange.trace(await scene.sid());
    expect(attempts.map(({ uri, result }) => [uri, result])).toEqual([
      [down.uri, 'failed over'],
      [up.uri, 'answered'],
    ]);
  });
});

describe('who calls', () => {
  const invite = async (options: Parameters<TrunkScene['callsOut']>[0]) => {
    const carrier = await scene.peer(refuse(486));
    await scene.route('', carrier.uri);
    const response = await (await scene.callsOut(options)).final;
    const [event] = carrier.events;
    return { status: response.status, error: response.header('X-Twilio-Error'), ...event } as {
      readonly status: number;
      readonly error?: string;
      readonly request?: RequestView;
    };
  };

  it('is told to the carrier with the number of From', async () => {
    const { request } = await invite({ headers: [['Max-Forwards', '20']] });
    expect(request?.uri).toMatch(new RegExp(`^sip:\\${OUTSIDE}@127`));
    expect(request?.header('From')).toContain(`<sip:${NUMBER}@`);
    expect(request?.header('P-Asserted-Identity')).toMatch(new RegExp(`^<sip:\\${NUMBER}@`));
    expect(request?.header('Privacy')).toBeUndefined();
    expect(request?.header('Max-Forwards')).toBe('19');
    expect(request?.header('X-Twilio-CallSid')).toBe(await scene.sid());
    expect(request?.header('X-Twilio-AccountSid')).toBe(scene.exchange.account.accountSid);
  });

  it.each([
    ['a Privacy header', `sip:${NUMBER}@pbx.example`, [['Privacy', 'id']]],
    [
      'a Remote-Party-ID',
      `sip:${NUMBER}@pbx.example`,
      [['Remote-Party-ID', `<sip:${NUMBER}@pbx.example>;party=calling;privacy=full`]],
    ],
    [
      'an anonymous From',
      'sip:anonymous@anonymous.invalid',
      [['Remote-Party-ID', `<sip:${NUMBER}@pbx.example>;party=calling`]],
    ],
  ] as const)(
    'is withheld from the callee, and told to the carrier alone, by %s',
    async (_by, from, headers) => {
      const { request } = await invite({ from, headers });
      expect(request?.header('From')).toMatch(/^"Anonymous" <sip:anonymous@anonymous\.invalid>/);
      expect(request?.header('P-Asserted-Identity')).toContain(NUMBER);
      expect(request?.header('Privacy')).toBe('id');
    },
  );

  it('diverted the call: told, but not by a number of ours that is not the account’s', async () => {
    const { request } = await invite({
      headers: [
        ['Diversion', '<sip:+442079460001@pbx.example>;reason=user-busy;counter=2'],
        ['Diversion', `<sip:${NUMBER}@${scene.trunk.domainName}>;reason=no-answer`],
        ['Diversion', `<sip:+12025550199@${scene.trunk.domainName}>;reason=unconditional`],
        ['Diversion', '<tel:+44-20-7946-0002;ext=1>;reason=deflection'],
        ['Diversion', '<fax:+442079460003>'],
      ],
    });
    expect(request?.headers('Diversion')).toEqual([
      '<sip:+442079460001@pbx.example>;reason=user-busy;counter=2',
      `<sip:${NUMBER}@${scene.trunk.domainName}>;reason=no-answer`,
      '<tel:+44-20-7946-0002;ext=1>;reason=deflection',
    ]);
  });

  it.each([
    ['a number of nobody', { from: 'sip:+12025550199@pbx.example' }, 403, /^32204 Invalid Caller ID/],
    ['no number', { from: 'sip:anonymous@anonymous.invalid' }, 403, /^32206 /],
  ])('is refused as %s', async (_name, options, status, error) => {
    const refused = await invite(options);
    expect(refused).toMatchObject({ status, error: expect.stringMatching(error) });
    expect(refused.request).toBeUndefined();
    scene.hasRefused = true;
  });

  it('may be a number that was verified', async () => {
    const phoneNumber = '+12025550199';
    await scene.verify(phoneNumber);
    const { status } = await invite({ from: `sip:${phoneNumber}@pbx.example` });
    expect(status).toBe(486);
  });
});
