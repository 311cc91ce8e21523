// <Dial> by callers who came in: ringing on until the bridge, giving up in every state; and <Refer>, which sends them elsewhere.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toneLevel } from '../../src/media/index.ts';
import { domainWith, listenerOf, PASSWORD, type TestDomain } from '../support/doors.ts';
import { type Exchange, startExchange, type TestCarrier } from '../support/exchange.ts';
import { nothingLeft } from '../support/nothing-left.ts';
import { type SoftCall, Softphone } from '../support/softphone.ts';
import { type ReceivedRequest, startWebhookApp, type WebhookApp } from '../support/webhook-app.ts';

const CALLEE_HZ = 1200;

let exchange: Exchange;
let app: WebhookApp;
let phone: Softphone;
let domain: TestDomain;
/** What the app answers, by path; nothing is 204. */
let twiml: Record<string, string>;

beforeEach(async () => {
  twiml = {};
  [exchange, app, phone] = await Promise.all([
    startExchange(),
    startWebhookApp(({ path }, response) => {
      const answer = twiml[path];
      if (answer === undefined) response.writeHead(204).end();
      else response.writeHead(200, { 'content-type': 'text/xml' }).end(`<Response>${answer}</Response>`);
    }),
    Softphone.open(),
  ]);
  domain = await domainWith(exchange, ['alice']);
  await exchange.client.sip.domains(domain.sid).update({ voiceUrl: `${app.url}/voice` });
});

afterEach(async ({ task }) => {
  try {
    if (task.result?.state !== 'fail') await nothingLeft(exchange);
  } finally {
    await exchange.stop();
    await app.close();
  }
});

const call = (): Promise<SoftCall> =>
  phone.call({
    uri: `sip:1000@${domain.name}`,
    from: `sip:alice@${domain.name}`,
    credentials: { username: 'alice', password: PASSWORD },
    destination: listenerOf(exchange, 'udp'),
    headers: [['Max-Forwards', '30']],
  });

const callee = (treatment: object = {}, ringMs = 200): Promise<TestCarrier> =>
  exchange.carrier({ ringMs, treatment: { kind: 'answer', sends: 'tone', hz: CALLEE_HZ, ...treatment } });

const dial = ({ uri }: TestCarrier, attributes = ''): string =>
  `<Dial action="/done" ${attributes}><Sip>${uri.replace('sip:', 'sip:kate@')}</Sip></Dial>`;

const asked = (path: string): Promise<ReceivedRequest> => app.received((request) => request.path === path);

const hears = (who: { heard(): Promise<Int16Array> }, hz: number): Promise<void> =>
  expect
    .poll(async () => toneLevel((await who.heard()).slice(-2000), hz), { timeout: 8000 })
    .toBeGreaterThan(0.1);

const statusOf = async (path = '/voice'): Promise<string> => {
  const { parameters } = await asked(path);
  return (await exchange.ended(String(parameters['CallSid']))).status;
};

describe('answerOnBridge', () => {
  it('lets the caller ring on until the callee answers; then they talk', async () => {
    const kate = await callee();
    twiml['/voice'] = dial(kate, 'answerOnBridge="true"');
    twiml['/done'] = '<Hangup/>';
    const caller = await call();
    await kate.event('ringing');
    expect(caller.statuses).toEqual([180]);
    await caller.answered;
    await hears(caller, CALLEE_HZ);
    const invite = kate.events[0];
    expect(invite?.type === 'invite' && invite.request.header('Max-Forwards')).toBe('29');
    expect(kate.events[0]?.call.from).toMatch(/^<sip:alice@127\.0\.0\.1>/);
    kate.hangUp();
    expect((await asked('/done')).parameters).toMatchObject({
      DialCallStatus: 'completed',
      DialBridged: 'true',
    });
    await caller.ended;
    expect(await statusOf()).toBe('completed');
  });

  it('lets the caller hear what the callee sends before the answer', async () => {
    const kate = await callee({ early: true }, 60_000);
    twiml['/voice'] = dial(kate, 'answerOnBridge="true"');
    const caller = await call();
    await hears(caller, CALLEE_HZ);
    expect(caller.statuses).toEqual([180, 183]);
    caller.cancel();
    await kate.event('canceled');
    expect(await statusOf()).toBe('no-answer');
  });

  it('a callee who is busy leaves the caller ringing for what follows', async () => {
    const kate = await exchange.carrier({ always: 'busy' });
    twiml['/voice'] = dial(kate, 'answerOnBridge="true"');
    twiml['/done'] = '<Reject reason="busy"/>';
    const caller = await call();
    expect((await caller.final).status).toBe(486);
    expect((await asked('/done')).parameters).toMatchObject({
      CallStatus: 'ringing',
      DialCallStatus: 'busy',
    });
    expect(await statusOf()).toBe('busy');
  });
});

describe('a caller who gives up', () => {
  it.each([
    ['while it rings, unanswered', 'answerOnBridge="true"', 'no-answer'],
    ['while it rings, answered', '', 'completed'],
  ])('%s: the callee stops ringing, the app is told', async (_name, attributes, status) => {
    const kate = await exchange.carrier({ treatment: { kind: 'ring' } });
    twiml['/voice'] = dial(kate, attributes);
    const caller = await call();
    await kate.event('ringing');
    if (attributes) caller.cancel();
    else (await caller.answered).bye();
    await kate.event('canceled');
    expect((await asked('/done')).parameters).toMatchObject({
      CallStatus: status,
      DialCallStatus: 'no-answer',
      DialBridged: 'false',
    });
    expect(await statusOf()).toBe(status);
  });

  it('in the conversation: the callee is hung up', async () => {
    const kate = await callee({}, 20);
    twiml['/voice'] = dial(kate);
    const caller = await call();
    await hears(caller, CALLEE_HZ);
    caller.hangUp();
    await kate.event('ended');
    expect((await asked('/done')).parameters).toMatchObject({ DialCallStatus: 'completed' });
  });

  it('while the callee is asked: it is hung up too', async () => {
    const kate = await callee({}, 20);
    twiml['/voice'] = dial(kate).replace('<Sip>', '<Sip url="/screen">');
    twiml['/screen'] = '<Pause length="60"/>';
    const caller = await call();
    await asked('/screen');
    caller.hangUp();
    await kate.event('ended');
    expect((await asked('/done')).parameters).toMatchObject({
      DialCallStatus: 'completed',
      DialBridged: 'false',
    });
  });
});

describe('<Refer>', () => {
  /** The caller will take the REFER, and tell how its new call stands; resolves when that was heard. */
  async function notifies(caller: SoftCall, status: string, state: string): Promise<void> {
    const dialog = await caller.answered;
    const { promise, resolve } = Promise.withResolvers<void>();
    const notify = {
      method: 'NOTIFY',
      headers: [
        ['Event', 'refer'],
        ['Subscription-State', state],
      ],
      body: { contentType: 'message/sipfrag', content: `SIP/2.0 ${status}\r\n` },
    } as const;
    caller.reply = () => {
      queueMicrotask(() => dialog.request(notify, () => resolve()));
      return 202;
    };
    return promise;
  }

  it('sends the caller elsewhere, and the app hears what came of it', async () => {
    twiml['/voice'] =
      '<Refer action="/gone"><Sip>sip:kate@pbx.example?X-Order=7&amp;Replaces=c%3Bto-tag%3D1</Sip></Refer>';
    twiml['/gone'] = '<Hangup/>';
    const caller = await call();
    await notifies(caller, '486 Busy Here', 'terminated;reason=noresource');
    expect((await asked('/gone')).parameters).toMatchObject({
      ReferCallStatus: 'busy',
      ReferSipResponseCode: '202',
      NotifySipResponseCode: '486',
    });
    expect(caller.requests[0]?.header('Refer-To')).toBe(
      '<sip:kate@pbx.example?X-Order=7&Replaces=c%3Bto-tag%3D1>',
    );
    await caller.ended;
  });

  it('of a caller who leaves while it rings there', async () => {
    twiml['/voice'] = '<Refer action="/gone"><Sip>sip:kate@pbx.example</Sip></Refer>';
    const caller = await call();
    await notifies(caller, '180 Ringing', 'active;expires=60');
    caller.hangUp();
    expect((await asked('/gone')).parameters).toMatchObject({
      CallStatus: 'completed',
      ReferCallStatus: 'canceled',
      ReferSipResponseCode: '202',
      NotifySipResponseCode: '180',
    });
  });

  it('to a caller who refuses it', async () => {
    twiml['/voice'] = '<Refer action="/gone"><Sip>sip:kate@pbx.example</Sip></Refer>';
    twiml['/gone'] = '<Hangup/>';
    const caller = await call();
    caller.reply = () => 405;
    const { parameters } = await asked('/gone');
    expect(parameters).toMatchObject({ ReferCallStatus: 'failed', ReferSipResponseCode: '405' });
    expect(parameters).not.toHaveProperty('NotifySipResponseCode');
    await caller.ended;
  });
});
