// <Dial> by callers who came in: ringing on until the bridge, giving up in every state, and being sent elsewhere.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toneLevel } from '../../src/media/index.ts';
import type { Dialog, Endpoint } from '../../src/sip/index.ts';
import { domainWith, listenerOf, openPhone, PASSWORD, type TestDomain } from '../support/doors.ts';
import { type Exchange, startExchange, type TestCarrier } from '../support/exchange.ts';
import { nothingLeft } from '../support/nothing-left.ts';
import { ANSWER_SDP } from '../support/sip-peer.ts';
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

describe('REFER', () => {
  it('by <Refer> sends the caller elsewhere, and the app hears what came of it', async () => {
    twiml['/voice'] =
      '<Refer action="/gone"><Sip>sip:kate@pbx.example?X-Order=7&amp;Replaces=c%3Bto-tag%3D1</Sip></Refer>';
    twiml['/gone'] = '<Hangup/>';
    const caller = await call();
    const dialog = await caller.answered;
    caller.reply = () => {
      queueMicrotask(() => {
        dialog.request({
          method: 'NOTIFY',
          headers: [
            ['Event', 'refer'],
            ['Subscription-State', 'terminated;reason=noresource'],
          ],
          body: { contentType: 'message/sipfrag', content: 'SIP/2.0 486 Busy Here\r\n' },
        });
      });
      return 202;
    };
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

  it('by <Refer> to a caller who refuses it', async () => {
    twiml['/voice'] = '<Refer action="/gone"><Sip>sip:kate@pbx.example</Sip></Refer>';
    twiml['/gone'] = '<Hangup/>';
    const caller = await call();
    caller.reply = () => 405;
    const { parameters } = await asked('/gone');
    expect(parameters).toMatchObject({ ReferCallStatus: 'failed', ReferSipResponseCode: '405' });
    expect(parameters).not.toHaveProperty('NotifySipResponseCode');
    await caller.ended;
  });

  const refer = (dialog: Dialog): Promise<number | string> => {
    const headers = [['Refer-To', '<sip:desk@pbx.example?X-Order=7>']] as const;
    return new Promise((resolve) => {
      dialog.request({ method: 'REFER', headers }, (outcome) =>
        resolve(outcome.kind === 'response' ? outcome.response.status : outcome.kind),
      );
    });
  };

  /** A callee that answers, and sends REFER when it is told to. */
  async function referring() {
    const agent = await openPhone();
    const answered = Promise.withResolvers<Dialog>();
    const over = Promise.withResolvers<void>();
    const notified: string[] = [];
    agent.onInvite((invite) => {
      const dialog = invite.accept({ contentType: 'application/sdp', content: ANSWER_SDP });
      dialog.handle({
        ended: () => over.resolve(),
        offered: () => 488,
        requested: ({ body }) => {
          notified.push(body.trim());
          return 200;
        },
      });
      answered.resolve(dialog);
    });
    const { port } = agent.listening.find(({ transport }) => transport === 'udp') as Endpoint;
    return {
      uri: `sip:kate@127.0.0.1:${port}`,
      answered: answered.promise,
      over: over.promise,
      notified,
      refer: async () => refer(await answered.promise),
    };
  }

  it('by a callee, where the Dial has a referUrl: its document takes the place of the Dial', async () => {
    const kate = await referring();
    twiml['/voice'] = `<Dial action="/done" referUrl="/moved"><Sip>${kate.uri}</Sip></Dial>`;
    twiml['/moved'] = '<Pause length="60"/>';
    const caller = await call();
    await caller.answered;
    await kate.answered;
    const { parameters } = await asked('/voice');
    const sid = String(parameters['CallSid']);
    await bridged(sid);
    expect(await kate.refer()).toBe(202);
    expect((await asked('/moved')).parameters).toMatchObject({
      CallSid: sid,
      ReferTransferTarget: 'sip:desk@pbx.example?X-Order=7',
    });
    await kate.over;
    expect(kate.notified).toEqual(['SIP/2.0 100 Trying', 'SIP/2.0 200 OK']);
    expect((await exchange.client.calls(sid).fetch()).status).toBe('in-progress');
    caller.hangUp();
    await exchange.ended(sid);
    await exchange.quiet();
    expect(app.requests.map(({ path }) => path)).toEqual(['/voice', '/moved']);
  });

  it.each([
    ['waits', true],
    ['hangs up at once', false],
  ])('by a caller who %s: the callee goes on with the document', async (_who, waits) => {
    const kate = await referring();
    twiml['/voice'] = `<Dial action="/done" referUrl="/moved"><Sip>${kate.uri}</Sip></Dial><Say>Never.</Say>`;
    twiml['/moved'] = '<Pause length="60"/>';
    const caller = await call();
    const dialog = await caller.answered;
    const sid = String((await asked('/voice')).parameters['CallSid']);
    await bridged(sid);
    expect(await refer(dialog)).toBe(202);
    if (!waits) caller.hangUp();
    const [{ sid: childSid = '' } = {}] = await exchange.client.calls.list({ parentCallSid: sid });
    expect((await asked('/moved')).parameters).toMatchObject({
      CallSid: childSid,
      ParentCallSid: sid,
      ReferTransferTarget: 'sip:desk@pbx.example?X-Order=7',
    });
    expect((await caller.ended).by).toBe(waits ? 'remote' : 'local');
    const told = caller.requests.map(({ body }) => body.trim());
    if (waits) expect(told).toEqual(['SIP/2.0 100 Trying', 'SIP/2.0 200 OK']);
    expect((await exchange.ended(sid)).status).toBe('completed');
    const left = exchange.client.calls(childSid);
    expect((await left.fetch()).status).toBe('in-progress');
    await left.update({ status: 'completed' });
    await exchange.quiet();
  });

  it('by a caller who talks with nobody: it is refused', async () => {
    twiml['/voice'] = '<Say>Hello.</Say><Pause length="60"/>';
    const caller = await call();
    expect(await refer(await caller.answered)).toBe(403);
    caller.hangUp();
    await caller.ended;
  });

  it('by a callee, where there is none: it is refused, and the conversation goes on', async () => {
    const kate = await referring();
    twiml['/voice'] = `<Dial><Sip>${kate.uri}</Sip></Dial>`;
    const caller = await call();
    await caller.answered;
    await kate.answered;
    const { parameters } = await asked('/voice');
    const sid = String(parameters['CallSid']);
    await bridged(sid);
    expect(await kate.refer()).toBe(403);
    const [child] = await exchange.client.calls.list({ parentCallSid: sid });
    expect(child?.status).toBe('in-progress');
    caller.hangUp();
    await kate.over;
    await exchange.quiet();
    const notices = await exchange.client.calls(sid).notifications.list();
    expect(notices).toMatchObject([{ errorCode: '13802', log: '0' }]);
  });

  const bridged = (sid: string) =>
    expect
      .poll(async () =>
        (await exchange.trace(sid)).events.some(({ text }) => text.startsWith('<Dial> connects')),
      )
      .toBe(true);
});
