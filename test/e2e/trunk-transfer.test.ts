// Transfers of a trunk's calls: a PBX sends its party elsewhere by REFER, joins two of its calls, and takes a call to
// another of its phones.
import type { CallInstance } from 'twilio/lib/rest/api/v2010/account/call.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hears, isSilent } from '../support/dial-scene.ts';
import { listenerOf } from '../support/doors.ts';
import type { TestCarrier } from '../support/exchange.ts';
import { type SoftCall, Softphone } from '../support/softphone.ts';
import { addressOf, hearsStill, news, refer, told } from '../support/transfers.ts';
import { NUMBER, OUTSIDE, OUTSIDE_HZ, PHONE_HZ, requestOf, TrunkScene } from '../support/trunk-scene.ts';

const TARGET = '+15550007000';
const TARGET_HZ = 950;
/** One of the two of our ringing tone. */
const RINGBACK_HZ = 440;
const TONE = { kind: 'tone', frequenciesHz: [PHONE_HZ], durationMs: 60_000 } as const;

type Mode = 'disable-all' | 'sip-only' | 'enable-all';

let scene: TrunkScene;
let carrier: TestCarrier;
beforeEach(async () => {
  scene = await TrunkScene.open();
  carrier = await scene.peer();
  await scene.route('+1415', carrier.uri);
});
afterEach(({ task }) => scene.close(task.result?.state === 'fail'));

const allow = (transferMode: Mode, settings: object = {}) =>
  scene.exchange.client.trunking.v1.trunks(scene.trunk.sid).update({ transferMode, ...settings });

/** A target that sounds. */
const target = (options: object = {}, treatment: object = {}): Promise<TestCarrier> =>
  scene.peer({ hz: TARGET_HZ, ...treatment }, options);

/** The PBX in a call with somebody outside, whom it hears. */
async function talking(call = scene.callsOut()): Promise<SoftCall> {
  const pbx = await call;
  await pbx.answered;
  void pbx.session.play(TONE);
  await hears(carrier, PHONE_HZ);
  return pbx;
}

const calls = (): Promise<CallInstance[]> => scene.exchange.client.calls.list();
const children = (parentCallSid: string) => scene.exchange.client.calls.list({ parentCallSid });

/** They talk: each one's tone is heard by the other. */
async function talkTogether(one: TestCarrier, other: TestCarrier): Promise<void> {
  await hears(one, TARGET_HZ);
  await hears(other, OUTSIDE_HZ);
}

/** The PBX has sent somebody outside to Kate, and left. */
async function transferred(): Promise<{ readonly parent: string; readonly kate: TestCarrier }> {
  await allow('sip-only');
  const kate = await target();
  const pbx = await talking();
  const parent = await scene.sid();
  await refer(pbx, addressOf(kate));
  await told(pbx, 200);
  pbx.hangUp();
  await talkTogether(carrier, kate);
  return { parent, kate };
}

describe('a blind transfer to a SIP URI', () => {
  it('joins the party with its target, and the PBX leaves', async () => {
    await allow('sip-only');
    const kate = await target({ ringMs: 400 });
    const pbx = await talking();
    const parent = await scene.sid();
    const by = ['Referred-By', '"Bob" <sip:bob@pbx.example>;cid=2@pbx.example'] as const;
    const response = await refer(pbx, addressOf(kate).replace('>', '?X-Ticket=7>'), by);
    expect(response.status).toBe(202);
    await told(pbx, 200);
    expect(news(pbx)).toEqual([100, 180, 200]);
    await talkTogether(carrier, kate);
    pbx.hangUp();
    await pbx.ended;
    await isSilent(carrier, PHONE_HZ);
    await hearsStill(carrier, TARGET_HZ);
    await hearsStill(kate, OUTSIDE_HZ);
    const request = requestOf(kate);
    expect(request?.header('X-Ticket')).toBe('7');
    expect(request?.header('Referred-By')).toBe('"Bob" <sip:bob@pbx.example>');
    expect(request?.header('From')).toContain(`sip:${OUTSIDE}@`);
    const [child] = await children(parent);
    expect(child).toMatchObject({
      from: OUTSIDE,
      to: addressOf(kate).slice(1, -1),
      direction: 'trunking-originating',
      trunkSid: scene.trunk.sid,
      status: 'in-progress',
    });
    kate.hangUp();
    await carrier.event('ended');
    expect((await scene.exchange.ended(parent)).status).toBe('completed');
  });

  it.each([
    ['from-transferee', OUTSIDE],
    ['from-transferor', NUMBER],
  ])('of a call that came in shows its target, with %s, %s', async (transferCallerId, shown) => {
    await allow('sip-only', { transferCallerId });
    const desk = await Softphone.open();
    const kate = await target();
    await scene.urls(desk.uri());
    const taken = await desk.expects();
    const caller = await scene.callsIn();
    const pbx = await taken();
    const parent = await scene.sid();
    expect((await refer(pbx.picked, addressOf(kate))).status).toBe(202);
    await told(pbx, 200);
    await hears(caller, TARGET_HZ);
    pbx.hangUp();
    expect(requestOf(kate)?.header('From')).toContain(`sip:${shown}@`);
    expect((await children(parent))[0]).toMatchObject({ from: OUTSIDE, to: addressOf(kate).slice(1, -1) });
    caller.hangUp();
    await kate.event('ended');
    await desk.close();
  });

  it('of a caller who is not to be shown does not show them', async () => {
    await allow('sip-only');
    const desk = await Softphone.open();
    const kate = await target();
    await scene.urls(desk.uri());
    const taken = await desk.expects();
    const caller = await scene.callsIn({ headers: [['Privacy', 'id']] });
    const pbx = await taken();
    expect((await refer(pbx.picked, addressOf(kate))).status).toBe(202);
    await told(pbx, 200);
    const request = requestOf(kate);
    expect(request?.header('From')).toContain('sip:anonymous@anonymous.invalid');
    expect(request?.header('P-Asserted-Identity')).not.toContain(OUTSIDE);
    expect(request?.header('Privacy')).toBe('id');
    caller.hangUp();
    await pbx.ended;
    await desk.close();
  });

  it('lets the party hear that it rings, and nothing of its target before that answers', async () => {
    await allow('sip-only');
    const kate = await target({ ringMs: 60_000 }, { early: true });
    const pbx = await talking();
    await refer(pbx, addressOf(kate));
    await told(pbx, 180);
    await hears(carrier, RINGBACK_HZ);
    await isSilent(carrier, TARGET_HZ);
    await isSilent(carrier, PHONE_HZ);
    pbx.hangUp();
    carrier.hangUp();
    await kate.event('canceled');
  });

  it('is recorded where the trunk’s calls are', async () => {
    const { recordings, trunking } = scene.exchange.client;
    await trunking.v1.trunks(scene.trunk.sid).recordings().update({ mode: 'record-from-answer-dual' });
    const { parent, kate } = await transferred();
    kate.hangUp();
    await scene.exchange.ended(parent);
    const [child] = await children(parent);
    const done = async () =>
      (await recordings.list()).filter(({ status }) => status === 'completed').map(({ callSid }) => callSid);
    await expect.poll(async () => (await done()).toSorted()).toEqual([parent, child?.sid].toSorted());
  });
});

describe('a transfer that fails', () => {
  it('leaves PBX and party as they were, and can be tried again', async () => {
    await allow('sip-only');
    const busy = await scene.exchange.carrier({ always: 'busy' });
    const kate = await target();
    const pbx = await talking();
    await refer(pbx, addressOf(busy));
    await told(pbx, 486);
    expect(news(pbx)).toEqual([100, 486]);
    await hearsStill(carrier, PHONE_HZ);
    await hearsStill(pbx, OUTSIDE_HZ);
    await refer(pbx, addressOf(kate));
    await told(pbx, 200);
    const events = pbx.requests.map((request) => request.header('Event'));
    expect(events.slice(0, 2)).toEqual(['refer', 'refer']);
    expect(events[2]).toMatch(/^refer;id=\d+$/);
    await talkTogether(carrier, kate);
    const trace = await scene.exchange.trace((await calls()).at(-1)?.sid ?? '');
    expect(trace.events.map(({ text }) => text)).toContain(
      `was not transferred to ${addressOf(busy).slice(1, -1)}: the call goes on`,
    );
    carrier.hangUp();
    await kate.event('ended');
    expect((await pbx.ended).by).toBe('remote');
  });

  it('to a host that turns out to be the exchange itself leaves them so too', async () => {
    await allow('enable-all');
    const pbx = await talking();
    const { port } = listenerOf(scene.exchange, 'udp');
    expect((await refer(pbx, `<sip:2000@localhost:${port}>`)).status).toBe(202);
    await told(pbx, 503);
    await hearsStill(carrier, PHONE_HZ);
    pbx.hangUp();
  });

  it('when the PBX has hung up ends the call', async () => {
    await allow('sip-only');
    const kate = await scene.exchange.carrier({ treatment: { kind: 'ring' } });
    const pbx = await talking();
    const parent = await scene.sid();
    await refer(pbx, addressOf(kate));
    await kate.event('ringing');
    pbx.hangUp();
    await hears(carrier, RINGBACK_HZ);
    const [child] = await children(parent);
    await scene.exchange.client.calls(child?.sid ?? '').update({ status: 'completed' });
    await carrier.event('ended');
    expect((await scene.exchange.ended(parent)).status).toBe('completed');
  });
});

describe('while a transfer is under way', () => {
  it('the PBX may hang up: the party waits for the target alone', async () => {
    await allow('sip-only');
    const kate = await target({ ringMs: 1500 });
    const pbx = await talking();
    await refer(pbx, addressOf(kate));
    await kate.event('ringing');
    pbx.hangUp();
    await talkTogether(carrier, kate);
    carrier.hangUp();
    await kate.event('ended');
  });

  it('the party may hang up: the target stops ringing, the PBX is told and released', async () => {
    await allow('sip-only');
    const kate = await scene.exchange.carrier({ treatment: { kind: 'ring' } });
    const pbx = await talking();
    await refer(pbx, addressOf(kate));
    await kate.event('ringing');
    carrier.hangUp();
    await kate.event('canceled');
    await told(pbx, 487);
    expect((await pbx.ended).by).toBe('remote');
  });

  it('the call may be ended over the API: the PBX is not told that it was transferred', async () => {
    await allow('sip-only');
    const kate = await scene.exchange.carrier({ treatment: { kind: 'ring' } });
    const pbx = await talking();
    await refer(pbx, addressOf(kate));
    await kate.event('ringing');
    const [child, parent] = await calls();
    await scene.exchange.client.calls(parent?.sid ?? '').update({ status: 'completed' });
    await kate.event('canceled');
    await pbx.ended;
    expect(news(pbx)).toEqual([100, 180, 487]);
    expect((await scene.exchange.ended(child?.sid ?? '')).status).toBe('no-answer');
  });

  it('no other one is', async () => {
    await allow('sip-only');
    const kate = await scene.exchange.carrier({ treatment: { kind: 'ring' } });
    const pbx = await talking();
    await refer(pbx, addressOf(kate), ['Refer-Sub', 'false']);
    await kate.event('ringing');
    const second = await refer(pbx, addressOf(kate));
    expect(second.status).toBe(403);
    expect(second.header('X-Twilio-Error')).toContain('32218');
    expect(news(pbx)).toEqual([]);
    pbx.hangUp();
    carrier.hangUp();
    await kate.event('canceled');
  });

  it('nobody but the PBX may ask for one', async () => {
    await allow('enable-all');
    const kate = await target();
    await scene.urls(carrier.uri);
    const caller = await scene.callsIn();
    await caller.answered;
    expect((await refer(caller, addressOf(kate))).status).toBe(403);
    await expect.poll(() => scene.notices()).toEqual(['32218']);
    caller.hangUp();
  });
});

describe('after a transfer', () => {
  it('a PBX that does not hang up is hung up after a while', async () => {
    await allow('sip-only');
    const kate = await target();
    const pbx = await talking();
    await refer(pbx, addressOf(kate));
    await told(pbx, 200);
    await expect.poll(() => scene.exchange.hurry(32_000)).toBeGreaterThan(0);
    expect((await pbx.ended).by).toBe('remote');
    await hearsStill(carrier, TARGET_HZ);
    kate.hangUp();
    await carrier.event('ended');
  });

  it('other TwiML takes the target’s place', async () => {
    const { parent, kate } = await transferred();
    const twiml = '<Response><Pause length="60"/></Response>';
    await scene.exchange.client.calls(parent).update({ twiml });
    await kate.event('ended');
    expect((await scene.exchange.client.calls(parent).fetch()).status).toBe('in-progress');
    carrier.hangUp();
    await scene.exchange.ended(parent);
  });
});

describe('TransferMode', () => {
  it.each<readonly [Mode, string, boolean]>([
    ['disable-all', 'sip', false],
    ['disable-all', 'number', false],
    ['disable-all', 'tel', false],
    ['sip-only', 'sip', true],
    ['sip-only', 'number', false],
    ['sip-only', 'tel', false],
    ['enable-all', 'sip', true],
    ['enable-all', 'number', true],
    ['enable-all', 'tel', true],
  ])('%s: to %s', async (mode, kind, isAllowed) => {
    await allow(mode);
    const kate = await target();
    await scene.route('+1555', kate.uri);
    const pbx = await talking();
    const to = {
      sip: addressOf(kate),
      number: `<sip:${TARGET}@${scene.trunk.domainName}>`,
      tel: `<tel:${TARGET}>`,
    };
    const response = await refer(pbx, to[kind as keyof typeof to]);
    if (isAllowed) {
      expect(response.status).toBe(202);
      await told(pbx, 200);
      await talkTogether(carrier, kate);
      const [child] = await children((await calls()).at(-1)?.sid ?? '');
      expect(child).toMatchObject({
        from: OUTSIDE,
        to: kind === 'sip' ? addressOf(kate).slice(1, -1) : TARGET,
        direction: kind === 'sip' ? 'trunking-originating' : 'trunking-terminating',
      });
      pbx.hangUp();
      kate.hangUp();
      return scene.exchange.quiet();
    }
    expect(response.status).toBe(403);
    expect(response.header('X-Twilio-Error')).toBe('32218 SIP: Call transfer is not allowed');
    await expect.poll(() => scene.notices()).toEqual(['32218']);
    expect(kate.invites()).toBe(0);
    await hearsStill(carrier, PHONE_HZ);
    pbx.hangUp();
    return scene.exchange.quiet();
  });
});
