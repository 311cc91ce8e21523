// Two calls of a PBX whose media run in different workers: to be joined, one party has to move by re-INVITE.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type * as Engine from '../../src/media/media-engine.ts';
import { type Body, formatReplaces } from '../../src/sip/index.ts';
import { hears } from '../support/dial-scene.ts';
import type { TestCarrier } from '../support/exchange.ts';
import { type SoftCall, Softphone } from '../support/softphone.ts';
import { hearsStill, news, refer, told } from '../support/transfers.ts';
import { OUTSIDE_HZ, PHONE_HZ, TrunkScene } from '../support/trunk-scene.ts';

vi.mock('../../src/media/media-engine.ts', async (original) => {
  const { createMediaEngine } = await original<typeof Engine>();
  const inTwoWorkers: typeof createMediaEngine = (options) => createMediaEngine({ ...options, workers: 2 });
  return { createMediaEngine: inTwoWorkers };
});

const OTHER = '+15550007000';
const OTHER_HZ = 950;
const tone = (hz: number) => ({ kind: 'tone', frequenciesHz: [hz], durationMs: 60_000 }) as const;

let scene: TrunkScene;
let carrier: TestCarrier;
beforeEach(async () => {
  scene = await TrunkScene.open();
  carrier = await scene.peer();
  await scene.route('+1415', carrier.uri);
  await scene.exchange.client.trunking.v1.trunks(scene.trunk.sid).update({ transferMode: 'sip-only' });
});
afterEach(({ task }) => scene.close(task.result?.state === 'fail'));

/** The PBX in two calls; the second is for `uri`. */
async function twoCalls(uri: string): Promise<readonly [SoftCall, SoftCall]> {
  await scene.route('+1555', uri);
  const first = await scene.callsOut();
  await first.answered;
  const second = await scene.callsOut({ uri: `sip:${OTHER}@${scene.trunk.domainName}` });
  await second.answered;
  for (const { session } of [first, second]) void session.play(tone(PHONE_HZ));
  return [first, second];
}

async function joins(first: SoftCall, second: SoftCall): Promise<void> {
  const { callId, localTag, remoteTag } = await second.answered;
  const replaces = formatReplaces({ callId, toTag: remoteTag, fromTag: localTag, earlyOnly: false });
  const to = `<sip:${OTHER}@${scene.trunk.domainName}?Replaces=${encodeURIComponent(replaces)}>`;
  expect((await refer(first, to)).status).toBe(202);
}

it('are joined: who moves is heard from where it was moved to', async () => {
  const other = await scene.peer({ hz: OTHER_HZ });
  const [first, second] = await twoCalls(other.uri);
  await hears(other, PHONE_HZ);
  await joins(first, second);
  await told(first, 200);
  await second.ended;
  first.hangUp();
  await hears(carrier, OTHER_HZ);
  await hears(other, OUTSIDE_HZ);
  other.hangUp();
  await carrier.event('ended');
});

it('stay as they were where the party does not want to move', async () => {
  const other = await Softphone.open();
  const taken = await other.expects();
  const [first, second] = await twoCalls(other.uri());
  const party = await taken();
  await joins(first, second);
  await told(first, 500);
  void party.session.play(tone(OTHER_HZ));
  await hears(party, PHONE_HZ);
  await hears(second, OTHER_HZ);
  await hearsStill(carrier, PHONE_HZ);
  await hearsStill(first, OUTSIDE_HZ);
  first.hangUp();
  second.hangUp();
  await party.ended;
  await other.close();
});

it('stay as they were where the other party hangs up before that', async () => {
  const other = await Softphone.open();
  const taken = await other.expects();
  const [first, second] = await twoCalls(other.uri());
  const party = await taken();
  party.reoffered = () => {
    queueMicrotask(() => party.hangUp());
    return new Promise(() => {});
  };
  await joins(first, second);
  await told(first, 480);
  await second.ended;
  await hearsStill(first, OUTSIDE_HZ);
  first.hangUp();
  await other.close();
});

it('stay as they were where the first party hangs up before that', async () => {
  const other = await Softphone.open();
  const taken = await other.expects();
  const [first, second] = await twoCalls(other.uri());
  const party = await taken();
  const asked = Promise.withResolvers<string>();
  const answer = Promise.withResolvers<Body>();
  party.reoffered = (offer) => {
    asked.resolve(offer);
    return answer.promise;
  };
  await joins(first, second);
  const offer = await asked.promise;
  carrier.hangUp();
  await first.ended;
  expect(news(first).at(-1)).toBe(487);
  // It moves late, and back again.
  party.reoffered = (again) => party.follow(again);
  answer.resolve(party.follow(offer));
  void party.session.play(tone(OTHER_HZ));
  await hearsStill(party, PHONE_HZ);
  await hears(second, OTHER_HZ);
  second.hangUp();
  await party.ended;
  await other.close();
});
