// Hold through a bridge: either party takes sound away by re-INVITE and gives it back, the other one hears just that.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toneLevel } from '../../src/media/index.ts';
import { acceptAnswer, readAudio, writeOffer } from '../../src/sdp/index.ts';
import { type Inbound, startInbound } from '../support/inbound.ts';
import { type SoftCall, Softphone, type TakenCall } from '../support/softphone.ts';

type Party = Pick<SoftCall | TakenCall, 'session' | 'heard'>;

const CALLER_HZ = 700;
const CALLEE_HZ = 1200;
/** Other programs may have the processor meanwhile. */
const patience = { timeout: 12_000 };

let inbound: Inbound;
let other: Softphone;
beforeEach(async () => {
  other = await Softphone.open();
});
afterEach(async () => {
  await inbound.stop();
  await other.close();
});

const tone = (hz: number) =>
  ({ kind: 'tone', frequenciesHz: [hz], durationMs: Number.POSITIVE_INFINITY }) as const;

/** What was heard before this call does not count. */
async function hearsAgain(party: Party, hz: number): Promise<void> {
  const before = (await party.heard()).length;
  const since = async (): Promise<number> => toneLevel((await party.heard()).slice(before).slice(-1600), hz);
  await expect.poll(since, patience).toBeGreaterThan(0.1);
}

/** This tone is not in what comes, if anything comes. */
async function hearsSilence(party: Party, hz: number): Promise<void> {
  const soon = async (): Promise<boolean> => {
    const before = (await party.heard()).length;
    await new Promise((resolve) => setTimeout(resolve, 400));
    const heard = (await party.heard()).slice(before);
    return heard.length === 0 || toneLevel(heard, hz) < 0.01;
  };
  await expect.poll(soon, patience).toBe(true);
}

/** No packet comes, not even one that would not be listened to. */
async function getsNothing({ session }: Party): Promise<void> {
  const arrived = async (): Promise<number> => {
    const { packetsReceived, packetsRefused } = await session.statistics();
    return packetsReceived + packetsRefused;
  };
  const soon = async (): Promise<number> => {
    const before = await arrived();
    await new Promise((resolve) => setTimeout(resolve, 300));
    return (await arrived()) - before;
  };
  await expect.poll(soon, patience).toBe(0);
}

/** A caller, with SRTP over TLS where secure, whom a Dial joins with a callee of plain RTP. */
async function bridged(secure: boolean): Promise<{ caller: SoftCall; callee: TakenCall }> {
  inbound = await startInbound({ secure });
  inbound.twiml['/voice'] = `<Dial><Sip>${other.uri('udp', 'kate')}</Sip></Dial>`;
  const taking = await other.expects();
  const caller = await inbound.call();
  const callee = await taking();
  await Promise.all([caller.answered, callee.picked]);
  void caller.session.play(tone(CALLER_HZ));
  void callee.session.play(tone(CALLEE_HZ));
  await Promise.all([hearsAgain(caller, CALLEE_HZ), hearsAgain(callee, CALLER_HZ)]);
  return { caller, callee };
}

/** The callee offers another direction. */
async function offers(callee: TakenCall, direction: 'inactive' | 'sendrecv', version: number): Promise<void> {
  const dialog = await callee.picked;
  const content = writeOffer({ ...callee.session.local, sessionId: '1', version, direction });
  const answer = await new Promise<string>((resolve) =>
    dialog.reoffer({ contentType: 'application/sdp', content }, (outcome) =>
      resolve(outcome.kind === 'response' ? outcome.response.body : outcome.kind),
    ),
  );
  expect(answer).toContain(`a=${direction}`);
  callee.session.connect(acceptAnswer(readAudio(answer), { direction }));
}

describe.each([
  ['RTP', false],
  ['SRTP on the caller’s side', true],
])('with %s', { timeout: 60_000 }, (_name, secure) => {
  it('the caller holds, sends music, and comes back', async () => {
    const { caller, callee } = await bridged(secure);
    await caller.offer('inactive');
    await Promise.all([getsNothing(caller), hearsSilence(callee, CALLER_HZ)]);
    // What one who holds sends is heard all the same.
    await caller.offer('sendonly');
    await hearsAgain(callee, CALLER_HZ);
    await getsNothing(caller);
    await caller.offer('sendrecv');
    await Promise.all([hearsAgain(caller, CALLEE_HZ), hearsAgain(callee, CALLER_HZ)]);
    caller.hangUp();
    await callee.ended;
    await inbound.nothingLeft({ overStreams: secure });
  });

  it('the callee holds, and comes back', async () => {
    const { caller, callee } = await bridged(secure);
    await offers(callee, 'inactive', 2);
    await Promise.all([getsNothing(callee), hearsSilence(caller, CALLEE_HZ)]);
    await offers(callee, 'sendrecv', 3);
    await Promise.all([hearsAgain(caller, CALLEE_HZ), hearsAgain(callee, CALLER_HZ)]);
    callee.hangUp();
    await caller.ended;
    await inbound.nothingLeft({ overStreams: secure });
  });
});
