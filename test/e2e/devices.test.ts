// Calls to registered users: all their phones ring, the first to answer has the call; by the API and by <Dial><Sip>.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Dialog, ServerInvite, SipUserAgent } from '../../src/sip/index.ts';
import { domainWith, listenerOf, listOf, openPhone, register, type TestDomain } from '../support/doors.ts';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { ANSWER_SDP } from '../support/sip-peer.ts';
import { type Answer, startWebhookApp, type WebhookApp } from '../support/webhook-app.ts';

/** How often the registrar looks for bindings that are over. */
const SWEEP_MS = 30_000;
const HOLD = '<Response><Pause length="60"/></Response>';
const SDP = { contentType: 'application/sdp', content: ANSWER_SDP };

/** Whoever is asked whether they take a call does. */
const answer: Answer = ({ path }, response) => {
  if (path === '/screen') response.writeHead(200, { 'content-type': 'text/xml' }).end('<Response/>');
  else response.writeHead(204).end();
};

let exchange: Exchange;
let app: WebhookApp;
let domain: TestDomain;
let port: number;

beforeEach(async () => {
  [exchange, app] = await Promise.all([startExchange(), startWebhookApp(answer)]);
  port = 5062;
  domain = await domainWith(exchange, ['alice', 'bob']);
});

afterEach(async ({ task }) => {
  try {
    if (task.result?.state !== 'fail') {
      await exchange.quiet();
      await expect.poll(() => exchange.counts()).toMatchObject({ calls: 0, dialogs: 0, mediaSessions: 0 });
    }
  } finally {
    await exchange.stop();
    await app.close();
  }
});

/** A phone under the test's hand. */
interface Device {
  readonly agent: SipUserAgent;
  /** The call that rings there. */
  readonly ringing: Promise<ServerInvite>;
  /** Resolves when that call is given up. */
  readonly canceled: Promise<void>;
  answer(): Promise<Dialog>;
}

async function device(user: string, transport: 'udp' | 'tcp' = 'udp'): Promise<Device> {
  const agent = await openPhone();
  const ringing = Promise.withResolvers<ServerInvite>();
  const canceled = Promise.withResolvers<void>();
  agent.onInvite((invite) => {
    invite.handle({ canceled: canceled.resolve });
    invite.progress(180);
    ringing.resolve(invite);
  });
  const contact = `<sip:${user}@10.1.2.3:${port++};transport=${transport}>`;
  const { status } = await register(agent, listenerOf(exchange, transport), { domain, user, contact });
  expect(status).toBe(200);
  return {
    agent,
    ringing: ringing.promise,
    canceled: canceled.promise,
    async answer() {
      const dialog = (await ringing.promise).accept(SDP);
      dialog.handle({ ended: () => {}, offered: () => 488 });
      return dialog;
    },
  };
}

const place = (to: string, given: object = {}) =>
  exchange.client.calls.create({ to, from: 'desk', twiml: HOLD, statusCallback: app.url, ...given });

describe('a call to a registered user', () => {
  it('rings every phone where it registered from; the first to answer has it, the others stop', async () => {
    const [first, second] = [await device('alice'), await device('alice', 'tcp')];
    const { sid } = await place(`sip:alice@${domain.name}`);
    const [invite] = await Promise.all([first.ringing, second.ringing]);
    expect(invite.request.uri).toBe('sip:alice@10.1.2.3:5062;transport=udp');
    expect(invite.request.header('From')).toMatch(new RegExp(`^<sip:desk@${domain.name}>`));
    await second.answer();
    await first.canceled;
    expect((await exchange.reached(sid, 'in-progress')).to).toBe(`sip:alice@${domain.name}`);
    const { rule, attempts } = await exchange.trace(sid);
    expect(rule).toContain('registered with 2 devices, which ring together');
    expect(attempts.map(({ result }) => result).toSorted()).toEqual(['answered', 'canceled']);
    await exchange.client.calls(sid).update({ status: 'completed' });
    expect((await exchange.ended(sid)).status).toBe('completed');
  });

  it('two that answer at once: one has it, the other is hung up', async () => {
    const devices = [await device('alice'), await device('alice')];
    const { sid } = await place(`sip:alice@${domain.name}`);
    await Promise.all(devices.map(({ ringing }) => ringing));
    await Promise.all(devices.map((each) => each.answer()));
    await exchange.reached(sid, 'in-progress');
    // The one dialog is the winner's; the loser's got its BYE.
    await expect.poll(() => devices.map(({ agent }) => agent.counts().dialogs).toSorted()).toEqual([0, 1]);
    await exchange.client.calls(sid).update({ status: 'completed' });
    await exchange.ended(sid);
  });

  it('one that is busy does not end it; one that declines for the user does', async () => {
    const devices = [await device('alice'), await device('alice'), await device('alice')];
    const { sid } = await place(`sip:alice@${domain.name}`);
    const [first, second] = await Promise.all(devices.map(({ ringing }) => ringing));
    first?.reject(486);
    expect((await exchange.reached(sid, 'ringing')).status).toBe('ringing');
    second?.reject(603);
    await devices[2]?.canceled;
    expect((await exchange.ended(sid)).status).toBe('busy');
    const told = await app.received(() => true);
    expect(told.parameters).toMatchObject({ CallStatus: 'busy', SipResponseCode: '603' });
  });

  it.each([
    ['who is not registered', 'sip:bob@DOMAIN.sip.twilio.com', '32009', '480'],
    ['who is not registered, by the old name', 'sip:bob@DOMAIN.sip.us1.twilio.com', '32009', '480'],
    ['without a name', 'sip:DOMAIN.sip.twilio.com', '32223', undefined],
    ['of a domain that is not there', 'sip:bob@no-DOMAIN.sip.twilio.com', '32214', undefined],
    ['at one edge', 'sip:alice@DOMAIN.sip.dublin.twilio.com', '32220', undefined],
    [
      'at an edge that there is not, of a region',
      'sip:alice@DOMAIN.sip.mars.ie1.twilio.com',
      '32220',
      undefined,
    ],
  ])('%s fails', async (_name, to, code, sipStatus) => {
    await device('alice');
    const { sid } = await place(to.replace('DOMAIN', domain.name.split('.', 1)[0] as string));
    expect((await exchange.ended(sid)).status).toBe('failed');
    const { parameters } = await app.received(() => true);
    expect(parameters).toMatchObject({ CallStatus: 'failed', ErrorCode: code });
    expect(parameters['SipResponseCode']).toBe(sipStatus);
    await exchange.quiet();
    expect(await exchange.client.calls(sid).notifications.list()).toMatchObject([{ errorCode: code }]);
  });

  it.each(['us1', 'us1-ix'])('is found by the old name of its domain, in %s', async (region) => {
    const phone = await device('alice');
    const { sid } = await place(`sip:alice@${domain.name.replace('.sip.', `.sip.${region}.`)}`);
    (await phone.answer()).bye();
    expect((await exchange.ended(sid)).status).toBe('completed');
  });

  it('whose connection is gone fails at once, and is not registered any more', async () => {
    const { agent } = await device('alice', 'tcp');
    await agent.close();
    const attempts = async () => {
      const { sid } = await place(`sip:alice@${domain.name}`, {
        statusCallback: `${app.url}/${sids.length}`,
      });
      sids.push(sid);
      await exchange.ended(sid);
      return (await exchange.trace(sid)).attempts;
    };
    const sids: string[] = [];
    // Until its end of the connection is closed too.
    await expect.poll(attempts).toEqual([]);
    const { parameters } = await app.received(({ path }) => path === `/${sids.length - 1}`);
    expect(parameters).toMatchObject({ CallStatus: 'failed', ErrorCode: '32009', SipResponseCode: '480' });
    const registered = () => listOf(exchange, 'Registrations', `?DomainSid=${domain.sid}`);
    expect(await registered()).toHaveLength(1);
    exchange.hurry(SWEEP_MS);
    await expect.poll(registered).toEqual([]);
  });

  it('who is to be called securely, and has not registered over TLS, fails', async () => {
    await device('alice');
    const { sid } = await place(`sip:alice@${domain.name};secure=true`);
    expect((await exchange.ended(sid)).status).toBe('failed');
    const { parameters } = await app.received(() => true);
    expect(parameters).toMatchObject({ ErrorCode: '32209', SipResponseCode: '488' });
  });

  it('by <Dial><Sip>', async () => {
    const phone = await device('bob');
    const carrier = await exchange.carrier({ ringMs: 0 });
    const { sid } = await place(carrier.uri.replace('sip:', 'sip:a@'), {
      twiml: `<Response><Dial action="${app.url}/done"><Sip url="${app.url}/screen">sip:bob@${domain.name}</Sip></Dial></Response>`,
    });
    const dialog = await phone.answer();
    expect((await app.received(({ path }) => path === '/screen')).parameters).toMatchObject({
      To: `sip:bob@${domain.name}`,
      SipDomain: domain.name,
      SipDomainSid: domain.sid,
      SipCallId: dialog.callId,
      SipSourceIp: '127.0.0.1',
    });
    await expect
      .poll(async () => (await exchange.trace(sid)).events.map(({ text }) => text))
      .toContain(`<Dial> connects sip:bob@${domain.name}`);
    dialog.bye([['X-Bye', 'so long']]);
    const { parameters } = await app.received(({ path }) => path === '/done');
    expect(parameters).toMatchObject({
      DialCallStatus: 'completed',
      DialSipResponseCode: '200',
      'DialSipHeader_X-Bye': 'so long',
    });
    expect((await exchange.ended(sid)).status).toBe('completed');
  });
});
