// REFER by a party of a <Dial>: who goes on, with what, and who hears what came of it; with answerOnBridge, until it is settled.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { level } from '../support/dial-scene.ts';
import { type Inbound, startInbound } from '../support/inbound.ts';
import { type Answering, type SoftCall, Softphone, type TakenCall } from '../support/softphone.ts';
import { hearsStill, news, refer, told } from '../support/transfers.ts';

const CALLER_HZ = 700;
const CALLEE_HZ = 1200;
const TARGET_HZ = 440;
/** Of `/tone.wav`. */
const NEW_HZ = 1000;
const REFER_TO = '<sip:desk@pbx.example?X-Order=7>';
const LONG_REFER_TO = `<sip:desk@pbx.example?X-Order=${'7'.repeat(300)}>`;

let inbound: Inbound;
let other: Softphone;
beforeEach(async () => {
  [inbound, other] = await Promise.all([startInbound(), Softphone.open()]);
});
afterEach(async ({ task }) => {
  try {
    if (task.result?.state !== 'fail') await inbound.nothingLeft();
  } finally {
    await inbound.stop();
    await other.close();
  }
});

type Party = SoftCall | TakenCall;

interface Talk {
  readonly caller: SoftCall;
  readonly callee: TakenCall;
  readonly sid: string;
}

const play = ({ session }: Party, hz: number): void =>
  void session.play({ kind: 'tone', frequenciesHz: [hz], durationMs: Number.POSITIVE_INFINITY });

/** A caller and a callee who hear each other. */
async function talking(attributes = ''): Promise<Talk> {
  const uri = other.uri('udp', 'kate');
  inbound.twiml['/voice'] = `<Dial action="/done" ${attributes}><Sip>${uri}</Sip></Dial><Say>Never.</Say>`;
  inbound.twiml['/done'] = '<Hangup/>';
  const taking = await other.expects();
  const caller = await inbound.call();
  const callee = await taking();
  await Promise.all([caller.answered, callee.picked]);
  play(caller, CALLER_HZ);
  play(callee, CALLEE_HZ);
  await Promise.all([hearsStill(caller, CALLEE_HZ), hearsStill(callee, CALLER_HZ)]);
  return { caller, callee, sid: await inbound.sidOf() };
}

/** The party's REFER is taken, or not. */
const refers = async (party: Party): Promise<number> =>
  (await refer('picked' in party ? party.picked : party, REFER_TO)).status;

const childOf = async (sid: string): Promise<string> => {
  const [{ sid: child = '' } = {}] = await inbound.exchange.client.calls.list({
    parentCallSid: sid,
    status: 'in-progress',
  });
  return child;
};

const statusOf = async (sid: string) => (await inbound.exchange.client.calls(sid).fetch()).status;

const paths = (): string[] =>
  inbound.app.requests.map(({ path }) => path.split('?')[0] ?? '').filter((path) => path !== '/status');

describe('without answerOnBridge', () => {
  it('by a callee: a document takes the place of the Dial, and the callee is hung up on', async () => {
    const { caller, callee, sid } = await talking('referUrl="/moved"');
    inbound.twiml['/moved'] = '<Pause length="60"/>';
    expect(await refers(callee)).toBe(202);
    expect((await inbound.asked('/moved')).parameters).toMatchObject({
      CallSid: sid,
      ReferTransferTarget: 'sip:desk@pbx.example?X-Order=7',
    });
    expect((await callee.ended).by).toBe('remote');
    expect(news(callee)).toEqual([100, 200]);
    expect(await statusOf(sid)).toBe('in-progress');
    caller.hangUp();
    await inbound.exchange.ended(sid);
    await inbound.exchange.quiet();
    expect(paths()).toEqual(['/voice', '/moved']);
  });

  it.each([
    ['waits', true],
    ['hangs up at once', false],
  ])('by a caller who %s: the callee goes on with the document', async (_who, waits) => {
    const { caller, callee, sid } = await talking('referUrl="/moved"');
    inbound.twiml['/moved'] = '<Pause length="60"/>';
    const child = await childOf(sid);
    expect(await refers(caller)).toBe(202);
    if (!waits) caller.hangUp();
    expect((await inbound.asked('/moved')).parameters).toMatchObject({
      CallSid: child,
      ParentCallSid: sid,
      ReferTransferTarget: 'sip:desk@pbx.example?X-Order=7',
    });
    expect((await caller.ended).by).toBe(waits ? 'remote' : 'local');
    if (waits) expect(news(caller)).toEqual([100, 200]);
    expect((await inbound.exchange.ended(sid)).status).toBe('completed');
    expect(await statusOf(child)).toBe('in-progress');
    callee.hangUp();
  });
});

describe('is refused', () => {
  it('by a caller who talks with nobody', async () => {
    inbound.twiml['/voice'] = '<Say>Hello.</Say><Pause length="60"/>';
    const caller = await inbound.call();
    await caller.answered;
    expect(await refers(caller)).toBe(403);
    caller.hangUp();
    await caller.ended;
  });

  it.each([
    ['where there is no referUrl', '', REFER_TO, '13802'],
    ['where what it names is longer than an app is told', 'referUrl="/moved"', LONG_REFER_TO, '32218'],
  ])('%s, and the conversation goes on', async (_where, attributes, referTo, errorCode) => {
    const { caller, callee, sid } = await talking(`answerOnBridge="true" ${attributes}`);
    expect((await refer(callee.picked, referTo)).status).toBe(403);
    await hearsStill(caller, CALLEE_HZ);
    caller.hangUp();
    await callee.ended;
    await inbound.exchange.quiet();
    const notices = await inbound.exchange.client.calls(sid).notifications.list();
    expect(notices).toMatchObject([{ errorCode, log: '0' }]);
    expect(paths()).toEqual(['/voice', '/done']);
  });
});

describe.each(['caller', 'callee'] as const)('with answerOnBridge, by the %s', (who) => {
  let desk: Softphone;
  beforeEach(async () => {
    desk = await Softphone.open();
  });
  afterEach(() => desk.close());

  /** Its REFER is taken, and the document of referUrl has been asked for. */
  async function transfers(document: string | number, how?: Answering) {
    const talk = await talking('referUrl="/moved" answerOnBridge="true"');
    inbound.twiml['/moved'] = document;
    const taking = how && (await desk.expects(how));
    const { caller, callee, sid } = talk;
    const [transferor, transferee]: readonly [Party, Party] =
      who === 'caller' ? [caller, callee] : [callee, caller];
    expect(await refers(transferor)).toBe(202);
    const remaining = who === 'caller' ? await childOf(sid) : sid;
    expect((await inbound.asked('/moved')).parameters).toMatchObject({
      CallSid: remaining,
      ReferTransferTarget: 'sip:desk@pbx.example?X-Order=7',
    });
    return { ...talk, transferor, transferee, remaining, target: taking ? await taking() : undefined };
  }

  const dial = (action = ''): string => `<Dial ${action}><Sip>${desk.uri('udp', 'desk')}</Sip></Dial>`;

  /** The two hear each other as before, and the first Dial ends as if nothing had been. */
  async function isAsBefore({ caller, callee, sid }: Talk): Promise<void> {
    await Promise.all([hearsStill(caller, CALLEE_HZ), hearsStill(callee, CALLER_HZ)]);
    callee.hangUp();
    expect((await inbound.asked('/done')).parameters).toMatchObject({
      CallSid: sid,
      DialCallStatus: 'completed',
      DialBridged: 'true',
    });
    await caller.ended;
  }

  it('it stays until the target has answered, and hears how that stands', async () => {
    const { transferor, transferee, remaining, target, sid } = await transfers(dial(), { early: true });
    if (target) play(target, TARGET_HZ);
    await hearsStill(transferee, TARGET_HZ);
    await told(transferor, 180);
    expect(news(transferor)).toEqual([100, 180]);
    expect(await statusOf(sid)).toBe('in-progress');
    target?.pickUp();
    expect((await transferor.ended).by).toBe('remote');
    expect(news(transferor)).toEqual([100, 180, 200]);
    await hearsStill(transferee, TARGET_HZ);
    expect(
      level(await (target as TakenCall).heard(), who === 'caller' ? CALLEE_HZ : CALLER_HZ),
    ).toBeGreaterThan(0.1);
    expect(await statusOf(remaining)).toBe('in-progress');
    target?.hangUp();
    await transferee.ended;
    await inbound.exchange.quiet();
    // As without answerOnBridge: of a Dial that is left for another document nothing is told.
    expect(paths()).toEqual(who === 'caller' ? ['/voice', '/moved', '/done'] : ['/voice', '/moved']);
  });

  it.each([
    ['whose target is busy', dial, 486, 486],
    ['whose target is not there', dial, 404, 500],
  ] as const)('%s: all is as before', async (_name, document, refuses, status) => {
    const talk = await transfers(document(), { refuses });
    await told(talk.transferor, status);
    expect(news(talk.transferor)).toEqual([100, status]);
    await isAsBefore(talk);
  });

  it.each([
    ['whose document cannot be had', 500],
    ['whose document rings nobody', '<Say>Nobody is there.</Say>'],
  ])('%s: all is as before', async (_name, document) => {
    const talk = await transfers(document);
    await told(talk.transferor, 500);
    await isAsBefore(talk);
  });

  it('and again, once the first one has failed', async () => {
    const talk = await transfers(dial(), { refuses: 486 });
    await told(talk.transferor, 486);
    const taking = await desk.expects();
    expect(await refers(talk.transferor)).toBe(202);
    expect((await talk.transferor.ended).by).toBe('remote');
    talk.transferee.hangUp();
    await (await taking()).ended;
  });

  it('who hangs up without waiting: the other goes on with the document', async () => {
    const { transferor, transferee, target, remaining } = await transfers(dial(), { early: true });
    transferor.hangUp();
    await transferor.ended;
    target?.pickUp();
    if (target) play(target, TARGET_HZ);
    await hearsStill(transferee, TARGET_HZ);
    expect(await statusOf(remaining)).toBe('in-progress');
    target?.hangUp();
    await transferee.ended;
  });

  it('while the other hangs up: nobody is left ringing', async () => {
    const { transferor, transferee, target, sid } = await transfers(dial(), { early: true });
    transferee.hangUp();
    await told(transferor, 487);
    expect((await transferor.ended).by).toBe('remote');
    expect(target).toBeDefined();
    expect((await inbound.asked('/done')).parameters).toMatchObject({
      CallSid: sid,
      DialCallStatus: 'completed',
    });
  });

  it.each(['transferor', 'transferee'] as const)('while the %s is redirected over the API', async (whom) => {
    const talk = await transfers(dial(), { early: true });
    const { transferor, transferee, target, sid, remaining } = talk;
    const leaving = remaining === sid ? await childOf(sid) : sid;
    inbound.twiml['/new'] = '<Play loop="0">/tone.wav</Play>';
    const redirected = whom === 'transferor' ? leaving : remaining;
    await inbound.exchange.client.calls(redirected).update({ url: `${inbound.app.url}/new` });
    await hearsStill(talk[whom], NEW_HZ);
    if (whom === 'transferor') {
      target?.pickUp();
      if (target) play(target, TARGET_HZ);
      await hearsStill(transferee, TARGET_HZ);
      target?.hangUp();
      await transferee.ended;
      transferor.hangUp();
    } else {
      await told(transferor, 487);
      expect((await transferor.ended).by).toBe('remote');
      transferee.hangUp();
    }
  });

  it('to a document that hangs up: both are gone', async () => {
    const { transferor, transferee } = await transfers('<Hangup/>');
    await Promise.all([transferor.ended, transferee.ended]);
    expect(news(transferor)).toEqual([100, 487]);
  });
});
