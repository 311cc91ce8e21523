// Callers who are sent elsewhere, who hear a callee before the answer, and for whom there is no port left.
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Dialog, referNotify } from '../../src/sip/index.ts';
import { type Inbound, startInbound } from '../support/inbound.ts';
import { ownPorts } from '../support/own-ports.ts';
import { hearsTone, Softphone } from '../support/softphone.ts';

let inbound: Inbound;
afterEach(() => inbound.stop());

const TONE = { kind: 'tone', frequenciesHz: [440], durationMs: 60_000 } as const;

const notify = (dialog: Dialog, status: number): Promise<unknown> =>
  new Promise((resolve) => dialog.request({ method: 'NOTIFY', ...referNotify(status) }, resolve));

describe('<Refer>', () => {
  it.each([
    [
      'answered',
      202,
      200,
      { ReferCallStatus: 'in-progress', ReferSipResponseCode: '202', NotifySipResponseCode: '200' },
    ],
    [
      'busy',
      202,
      486,
      { ReferCallStatus: 'busy', ReferSipResponseCode: '202', NotifySipResponseCode: '486' },
    ],
    ['refused', 405, undefined, { ReferCallStatus: 'failed', ReferSipResponseCode: '405' }],
  ])('of a caller whose target is %s', async (_name, status, notified, parameters) => {
    inbound = await startInbound();
    const { twiml } = inbound;
    twiml['/voice'] = '<Refer action="/referred"><Sip>sip:bob@elsewhere.example?X-Ticket=7</Sip></Refer>';
    twiml['/referred'] = '<Hangup/>';
    const soft = await inbound.call();
    soft.reply = () => status;
    const dialog = await soft.answered;
    await expect.poll(() => soft.requests.length, { timeout: 12_000 }).toBe(1);
    expect(soft.requests[0]?.header('Refer-To')).toBe('<sip:bob@elsewhere.example?X-Ticket=7>');
    if (notified !== undefined) {
      await notify(dialog, 100);
      await notify(dialog, notified);
    }
    const { CallSid: _, ...told } = (await inbound.asked('/referred')).parameters;
    expect(told).toMatchObject({ ...parameters, SipDomain: inbound.domain.name });
    expect('NotifySipResponseCode' in told).toBe(notified !== undefined);
    await soft.ended;
    await inbound.nothingLeft();
  });

  it('of a caller who hangs up before it is known what came of it', async () => {
    inbound = await startInbound();
    inbound.twiml['/voice'] = '<Refer action="/referred"><Sip>sip:bob@elsewhere.example</Sip></Refer>';
    const soft = await inbound.call();
    soft.reply = () => 202;
    const dialog = await soft.answered;
    await expect.poll(() => soft.requests.length, { timeout: 12_000 }).toBe(1);
    await notify(dialog, 180);
    soft.hangUp();
    expect((await inbound.asked('/referred')).parameters).toMatchObject({
      ReferCallStatus: 'canceled',
      ReferSipResponseCode: '202',
      NotifySipResponseCode: '180',
      CallStatus: 'completed',
    });
    await inbound.nothingLeft();
  });
});

describe('a Dial that answers on the bridge', () => {
  it('lets the caller hear the callee before the answer, and says the same in 183 and 200', async () => {
    inbound = await startInbound();
    const callee = await Softphone.open();
    onTestFinished(() => callee.close());
    inbound.twiml['/voice'] = `<Dial answerOnBridge="true"><Sip>${callee.uri('udp', 'bob')}</Sip></Dial>`;
    const taking = await callee.expects({ early: true });
    const caller = await inbound.call();
    const taken = await taking();
    void taken.session.play(TONE);
    await expect.poll(() => hearsTone(caller, 440), { timeout: 12_000 }).toBe(true);
    expect(caller.statuses).toEqual([180, 183]);
    taken.pickUp();
    await caller.answered;
    expect(caller.statuses).toEqual([180, 183, 200]);
    const [, early, final] = caller.responses;
    expect(final?.body).toBe(early?.body);
    caller.hangUp();
    await taken.ended;
    await inbound.nothingLeft();
  });
});

describe('a call for which no port is left', () => {
  it('is refused with 503 before the app is asked', async () => {
    const { first } = await ownPorts();
    inbound = await startInbound({ settings: { TANDEM_RTP_PORTS: `${first}-${first + 3}` } });
    inbound.twiml['/voice'] = '<Say>Hello.</Say><Pause length="60"/>';
    const up = [await inbound.call(), await inbound.call()];
    await Promise.all(up.map(({ answered }) => answered));
    const third = await inbound.call();
    expect((await third.final).status).toBe(503);
    const told = await inbound.app.received(({ parameters }) => parameters['SipResponseCode'] === '503');
    expect(told).toMatchObject({ path: '/status', parameters: { CallStatus: 'failed' } });
    expect(third.statuses).toEqual([503]);
    expect(inbound.app.requests.filter(({ path }) => path.startsWith('/voice'))).toHaveLength(2);
    for (const soft of up) soft.hangUp();
    await inbound.nothingLeft();
  });
});
