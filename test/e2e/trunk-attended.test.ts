// Attended transfers of a trunk's calls (RFC 3891): a PBX joins two of its calls, and takes a call to another phone.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Dialog, formatReplaces, type Replaces } from '../../src/sip/index.ts';
import { hears, isSilent } from '../support/dial-scene.ts';
import { listenerOf } from '../support/doors.ts';
import type { TestCarrier } from '../support/exchange.ts';
import { type SoftCall, Softphone } from '../support/softphone.ts';
import { addressOf, hearsStill, news, refer, told } from '../support/transfers.ts';
import { OUTSIDE, OUTSIDE_HZ, PHONE_HZ, TrunkScene } from '../support/trunk-scene.ts';

const OTHER = '+15550007000';
const OTHER_HZ = 950;
const TONE = { kind: 'tone', frequenciesHz: [PHONE_HZ], durationMs: 60_000 } as const;

let scene: TrunkScene;
/** Whom the PBX calls first, and second. */
let carrier: TestCarrier;
let other: TestCarrier;
beforeEach(async () => {
  scene = await TrunkScene.open();
  [carrier, other] = await Promise.all([scene.peer(), scene.peer({ hz: OTHER_HZ })]);
  await scene.route('+1415', carrier.uri);
  await scene.route('+1555', other.uri);
  await allow('sip-only');
});
afterEach(({ task }) => scene.close(task.result?.state === 'fail'));

const allow = (transferMode: 'disable-all' | 'sip-only') =>
  scene.exchange.client.trunking.v1.trunks(scene.trunk.sid).update({ transferMode });

const talking = async (call: Promise<SoftCall>): Promise<SoftCall> => {
  const pbx = await call;
  await pbx.answered;
  void pbx.session.play(TONE);
  return pbx;
};

const callsOther = (options: object = {}): Promise<SoftCall> =>
  talking(scene.callsOut({ uri: `sip:${OTHER}@${scene.trunk.domainName}`, ...options }));

/** The dialog as the exchange knows it. */
const named = ({ callId, localTag, remoteTag }: Dialog, part: Partial<Replaces> = {}): string =>
  formatReplaces({ callId, toTag: remoteTag, fromTag: localTag, earlyOnly: false, ...part });

const replacing = async (call: SoftCall, host: string, part: Partial<Replaces> = {}): Promise<string> =>
  `<sip:${OTHER}@${host}?Replaces=${encodeURIComponent(named(await call.answered, part))}>`;

async function talkTogether(): Promise<void> {
  await hears(carrier, OTHER_HZ);
  await hears(other, OUTSIDE_HZ);
}

describe('two calls of a PBX', () => {
  it.each([
    ['first', 'second'],
    ['second', 'first'],
  ])('are joined by a REFER in the %s; a party that hangs up ends both', async (asked) => {
    const calls = [await talking(scene.callsOut()), await callsOther()] as const;
    await hears(carrier, PHONE_HZ);
    await hears(other, PHONE_HZ);
    const [from, to] = asked === 'first' ? calls : calls.toReversed();
    const response = await refer(from as SoftCall, await replacing(to as SoftCall, scene.trunk.domainName));
    expect(response.status).toBe(202);
    await told(from as SoftCall, 200);
    expect((await (to as SoftCall).ended).by).toBe('remote');
    await talkTogether();
    (from as SoftCall).hangUp();
    await (from as SoftCall).ended;
    await hearsStill(carrier, OTHER_HZ);
    await hearsStill(other, OUTSIDE_HZ);
    const { client } = scene.exchange;
    const rows = await client.calls.list();
    expect(rows.map(({ status, parentCallSid }) => [status, parentCallSid])).toEqual([
      ['in-progress', null],
      ['in-progress', null],
    ]);
    (asked === 'first' ? carrier : other).hangUp();
    await (asked === 'first' ? other : carrier).event('ended');
    for (const { sid } of rows) expect((await scene.exchange.ended(sid)).status).toBe('completed');
  });

  it('of which one came in are joined', async () => {
    const desk = await Softphone.open();
    await scene.urls(desk.uri());
    const taken = await desk.expects();
    const caller = await scene.callsIn();
    const pbx = await taken();
    const second = await callsOther();
    expect((await refer(pbx.picked, await replacing(second, '127.0.0.1'))).status).toBe(202);
    await told(pbx, 200);
    await hears(caller, OTHER_HZ);
    await second.ended;
    caller.hangUp();
    await other.event('ended');
    await pbx.ended;
    await desk.close();
  });

  it('of which the party has hung up by then are not, and the PBX keeps the other', async () => {
    const [first, second] = [await talking(scene.callsOut()), await callsOther()];
    const to = await replacing(second, scene.trunk.domainName);
    other.hangUp();
    await second.ended;
    expect((await refer(first, to)).status).toBe(403);
    await hearsStill(carrier, PHONE_HZ);
    first.hangUp();
  });

  it.each<readonly [string, () => Promise<void>, Partial<Replaces>]>([
    ['where transfers are off', async () => void (await allow('disable-all')), {}],
    ['where the other one is not named', async () => {}, { toTag: 'another' }],
  ])('are not joined %s', async (_name, prepare, part) => {
    await prepare();
    const [first, second] = [await talking(scene.callsOut()), await callsOther()];
    expect((await refer(first, await replacing(second, scene.trunk.domainName, part))).status).toBe(403);
    await hearsStill(carrier, PHONE_HZ);
    await hears(other, PHONE_HZ);
    first.hangUp();
    second.hangUp();
  });

  it('are not joined with themselves', async () => {
    const first = await talking(scene.callsOut());
    expect((await refer(first, await replacing(first, scene.trunk.domainName))).status).toBe(403);
    first.hangUp();
  });

  it('that are recorded are recorded on', async () => {
    const { client } = scene.exchange;
    await client.trunking.v1.trunks(scene.trunk.sid).recordings().update({ mode: 'record-from-answer' });
    const [first, second] = [await talking(scene.callsOut()), await callsOther()];
    await hears(other, PHONE_HZ);
    await refer(first, await replacing(second, scene.trunk.domainName));
    await told(first, 200);
    first.hangUp();
    await talkTogether();
    carrier.hangUp();
    await other.event('ended');
    await scene.exchange.quiet();
    const recordings = await client.recordings.list();
    // One of each call with the PBX, and one of what its parties said to each other.
    await expect
      .poll(async () => (await client.recordings.list()).map(({ status }) => status))
      .toEqual(['completed', 'completed', 'completed']);
    expect(new Set(recordings.map(({ callSid }) => callSid)).size).toBe(2);
  });
});

it('a call of the target elsewhere is named to the target', async () => {
  const first = await talking(scene.callsOut());
  const kate = await scene.peer({ hz: OTHER_HZ });
  const there = named(await first.answered, { callId: 'theirs@pbx.example' });
  await refer(first, addressOf(kate).replace('>', `?Replaces=${encodeURIComponent(there)}>`));
  // Kate's phone knows no such call, and takes none in its place.
  await told(first, 481);
  expect(news(first)).toEqual([100, 481]);
  expect(kate.invites()).toBe(0);
  await hearsStill(carrier, PHONE_HZ);
  first.hangUp();
});

describe('an INVITE with Replaces', () => {
  const takes = async (call: SoftCall, options: object = {}): Promise<SoftCall> =>
    scene.callsOut({ headers: [['Replaces', named(await call.answered)]], ...options });

  it.each([
    ['the trunk', () => `sip:${OUTSIDE}@${scene.trunk.domainName}`],
    [
      'the address that the exchange had given',
      () => `sip:127.0.0.1:${listenerOf(scene.exchange, 'udp').port}`,
    ],
  ])('takes the call to another phone of the PBX, by %s', async (_name, uri) => {
    const first = await talking(scene.callsOut());
    await hears(carrier, PHONE_HZ);
    const second = await takes(first, { uri: uri() });
    await second.answered;
    expect((await first.ended).by).toBe('remote');
    await isSilent(carrier, PHONE_HZ);
    void second.session.play({ ...TONE, frequenciesHz: [OTHER_HZ] });
    await hears(carrier, OTHER_HZ);
    await hears(second, OUTSIDE_HZ);
    expect(await scene.exchange.client.calls.list()).toHaveLength(1);
    // It can be taken on, and transferred.
    const third = await takes(second);
    await third.answered;
    await second.ended;
    expect((await refer(third, addressOf(await scene.peer()))).status).toBe(202);
    await told(third, 200);
    carrier.hangUp();
    expect((await third.ended).by).toBe('remote');
  });

  it('takes a call that came in to another phone', async () => {
    const desk = await Softphone.open();
    await scene.urls(desk.uri());
    const taken = await desk.expects();
    const caller = await scene.callsIn();
    const { localTag, remoteTag, callId } = await (await taken()).picked;
    const second = await scene.callsOut({
      headers: [['Replaces', named({ localTag, remoteTag, callId } as Dialog)]],
    });
    await second.answered;
    void second.session.play(TONE);
    await hears(caller, PHONE_HZ);
    second.hangUp();
    expect((await caller.ended).by).toBe('remote');
    await desk.close();
  });

  it.each<readonly [string, object, number]>([
    ['with a wrong password', { credentials: { username: 'pbx', password: 'guess' } }, 403],
    ['over another trunk', {}, 403],
    ['in the carrier’s place', {}, 603],
  ])('%s takes nothing', async (name, options, status) => {
    const first = await talking(scene.callsOut());
    await hears(carrier, PHONE_HZ);
    scene.hasRefused = true;
    const second =
      name === 'over another trunk'
        ? await takes(first, { uri: `sip:${OUTSIDE}@${await scene.anotherTrunk()}` })
        : name === 'in the carrier’s place'
          ? await scene.callsIn({ headers: [['Replaces', named(await first.answered)]] })
          : await takes(first, options);
    expect((await second.final).status).toBe(status);
    expect(first.isOver).toBe(false);
    await hearsStill(carrier, PHONE_HZ);
    first.hangUp();
  });
});
