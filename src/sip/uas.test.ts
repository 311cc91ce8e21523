// An INVITE from a peer that is a bare socket and does what it likes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { RawPeer, type RequestOptions, reply, request, until } from '../../test/support/raw-peer.ts';
import { silentLog } from '../lib/log.ts';
import { seededRandom } from '../lib/random.ts';
import {
  type Body,
  createUserAgent,
  type Dialog,
  type Endpoint,
  type ServerInvite,
  type SipMessage,
  type SipUserAgent,
} from './index.ts';

const body: Body = { contentType: 'application/sdp', content: 'v=0\r\n' };

let clock: FakeClock;
let agent: SipUserAgent;
let peer: RawPeer;
let events: string[];
let invites: ServerInvite[];

beforeEach(async () => {
  clock = new FakeClock();
  agent = await createUserAgent({
    clock,
    random: seededRandom(8),
    log: silentLog,
    listen: [{ host: '127.0.0.1', port: 0 }],
    product: 'Exchange/1',
    limits: { serverTransactions: 2, state: 3 },
  });
  peer = await RawPeer.open();
  events = [];
  invites = [];
  agent.onInvite((invite) => {
    invites.push(invite);
    invite.handle({ canceled: () => events.push('canceled') });
  });
});

afterEach(async () => {
  await agent.close();
  peer.close();
  expect(clock.pending).toBe(0);
});

const there = (): Endpoint => agent.listening[0] as Endpoint;
const say = (method: string, options: RequestOptions): void =>
  peer.send(request(method, peer, options), there());

async function ring(options: Partial<RequestOptions> = {}): Promise<ServerInvite> {
  say('INVITE', { branch: 'inv', body: 'v=0\r\n', ...options });
  await peer.next(100);
  return invites.at(-1) as ServerInvite;
}

const watch = (dialog: Dialog): Dialog => {
  dialog.handle({ ended: (by) => events.push(`ended ${by}`), offered: () => 488 });
  return dialog;
};

/** Takes the call; the 200 and the dialog. */
async function take(options: Partial<RequestOptions> = {}): Promise<{ ok: SipMessage; dialog: Dialog }> {
  const invite = await ring(options);
  const dialog = watch(invite.accept(body));
  return { ok: await peer.next(200), dialog };
}

const inDialog = (ok: SipMessage, options: RequestOptions): RequestOptions => ({
  to: `<sip:tandem@127.0.0.1>;tag=${ok.toTag}`,
  ...options,
});

async function settled(): Promise<void> {
  say('OPTIONS', { branch: 'settled', callId: 'settled' });
  expect((await peer.next(200)).callId).toBe('settled');
}

function expectNothingLeft(): void {
  expect(agent.counts()).toEqual({ transactions: 0, dialogs: 0 });
  const { waiting, clockTimers } = agent.timers();
  expect([waiting, clock.pending - clockTimers]).toEqual([0, 0]);
}

describe('taking a call', () => {
  it('100, 183 and 200 carry what they must', async () => {
    const headers = 'Record-Route: <sip:p1;lr>\r\nRecord-Route: <sip:p2;lr>\r\n';
    agent.onRequest('MESSAGE', () => {});
    const invite = await ring({ headers });
    invite.progress(183, body);
    const progress = await peer.next(183);
    const dialog = watch(invite.accept(body));
    const ok = await peer.next(200);
    expect(progress.toTag).toBe(dialog.localTag);
    expect(progress.body).toBe(body.content);
    expect(ok.header('Contact')).toBe(`<sip:127.0.0.1:${there().port}>`);
    expect(ok.headers('Record-Route')).toEqual(['<sip:p1;lr>', '<sip:p2;lr>']);
    expect(ok.headers('Allow')).toEqual(expect.arrayContaining(['BYE', 'MESSAGE']));
    expect(ok.headers('Supported')).toEqual(['100rel', 'timer', 'replaces', 'norefersub']);
    expect(ok.header('Server')).toBe('Exchange/1');
    expect(ok.header('Via')).toMatch(/;received=127\.0\.0\.1;rport=\d+$/);
    expect(invite.received).toMatchObject(peer.endpoint);
  });

  it('the INVITE again gets the last provisional again, and no second call', async () => {
    const invite = await ring();
    invite.progress(180);
    await peer.next(180);
    say('INVITE', { branch: 'inv', body: 'v=0\r\n' });
    await peer.next(180);
    expect(invites).toHaveLength(1);
    invite.reject(486);
    await peer.next(486);
    say('ACK', { branch: 'inv' });
    await settled();
    clock.advance(5_000);
    expectNothingLeft();
  });

  it('the same INVITE by another way gets 482', async () => {
    await ring();
    say('INVITE', { branch: 'otherway', body: 'v=0\r\n' });
    await peer.next(482);
    expect(invites).toHaveLength(1);
  });

  it('the 200 is sent with T1 doubling until its ACK', async () => {
    const { ok } = await take();
    for (const delayMs of [500, 1000, 2000, 4000, 4000]) {
      clock.advance(delayMs);
      expect((await peer.next(200)).toTag).toBe(ok.toTag);
    }
    say('ACK', inDialog(ok, { branch: 'ack' }));
    await settled();
    clock.advance(30_000);
    await settled();
    expect(agent.counts()).toEqual({ transactions: 0, dialogs: 1 });
    expect(events).toEqual([]);
  });

  it('without an ACK for 64·T1 the dialog ends by BYE', async () => {
    const { ok } = await take();
    clock.advance(32_000);
    expect(events).toEqual(['ended failure']);
    await until(() => peer.heard.some(({ method }) => method === 'BYE'));
    const bye = peer.heard.find(({ method }) => method === 'BYE') as SipMessage;
    expect([bye.fromTag, bye.toTag, bye.seq]).toEqual([ok.toTag, 'peer', 1]);
    peer.send(reply(bye, 200), there());
    await until(() => agent.counts().dialogs === 0);
    clock.advance(32_000);
    expectNothingLeft();
  });

  it('our BYE waits for the ACK (RFC 3261 §15)', async () => {
    const { ok, dialog } = await take();
    dialog.bye([['X-Why', 'enough']]);
    expect(events).toEqual(['ended local']);
    await settled();
    say('ACK', inDialog(ok, { branch: 'ack' }));
    expect((await peer.next('BYE')).header('X-Why')).toBe('enough');
    expect(events).toEqual(['ended local']);
  });

  it('our BYE goes out after 64·T1 when the ACK never comes', async () => {
    const { dialog } = await take();
    dialog.bye();
    clock.advance(32_000);
    await until(() => peer.heard.some(({ method }) => method === 'BYE'));
    clock.advance(32_000);
    expectNothingLeft();
    expect(events).toEqual(['ended local']);
  });

  it('a wrong ACK stops nothing', async () => {
    const { ok } = await take();
    say('ACK', inDialog(ok, { branch: 'ack', seq: 2 }));
    say('ACK', { branch: 'ack', to: '<sip:tandem@127.0.0.1>;tag=guess' });
    say('ACK', inDialog(ok, { branch: 'ack', from: '<sip:peer@127.0.0.1>;tag=guess' }));
    await settled();
    clock.advance(500);
    await peer.next(200);
  });

  it('the peer hangs up before its ACK', async () => {
    const { ok } = await take();
    say('BYE', inDialog(ok, { branch: 'bye', seq: 2 }));
    await peer.next(200);
    expect(events).toEqual(['ended remote']);
    say('BYE', inDialog(ok, { branch: 'bye', seq: 2 }));
    await peer.next(200);
    clock.advance(32_000);
    expectNothingLeft();
  });
});

describe('too much at once', () => {
  it('over the limit a request gets 503, BYE excepted, and the calls there are go on', async () => {
    const { ok } = await take();
    const second = await ring({ branch: 'second', callId: 'second' });
    say('INVITE', { branch: 'third', callId: 'third' });
    expect((await peer.next(503)).header('Retry-After')).toBe('5');
    say('ACK', inDialog(ok, { branch: 'ack' }));
    say('BYE', inDialog(ok, { branch: 'bye', seq: 2 }));
    expect((await peer.next(200)).seqMethod).toBe('BYE');
    expect(events).toEqual(['ended remote']);
    second.reject(486);
    await peer.next(486);
    expect(invites).toHaveLength(2);
  });
});

describe('CANCEL', () => {
  it('gets 200, the INVITE 487 until its ACK', async () => {
    const invite = await ring();
    say('CANCEL', { branch: 'inv' });
    expect((await peer.next(200)).seqMethod).toBe('CANCEL');
    expect((await peer.next(487)).seqMethod).toBe('INVITE');
    expect(events).toEqual(['canceled']);
    clock.advance(500);
    await peer.next(487);
    say('ACK', { branch: 'inv' });
    await settled();
    invite.progress(180);
    invite.reject(486);
    clock.advance(5_000);
    expectNothingLeft();
    expect(peer.heard).toEqual([]);
  });

  it('after the answer changes nothing', async () => {
    await take();
    say('CANCEL', { branch: 'inv' });
    expect((await peer.next(200)).seqMethod).toBe('CANCEL');
    expect(events).toEqual([]);
    expect(agent.counts().dialogs).toBe(1);
  });

  it.each([
    ['branch', { branch: 'guess' }],
    ['Call-ID', { branch: 'inv', callId: 'guess' }],
    ['From tag', { branch: 'inv', from: '<sip:peer@127.0.0.1>;tag=guess' }],
    ['CSeq', { branch: 'inv', seq: 2 }],
  ])('with another %s gets 481', async (_, options) => {
    await ring();
    say('CANCEL', options);
    await peer.next(481);
    expect(events).toEqual([]);
  });
});

describe('requests outside a dialog', () => {
  it.each<readonly [string, string, (text: string) => string, number]>([
    ['OPTIONS', 'as it is', (text) => text, 200],
    ['REGISTER', 'as it is', (text) => text, 405],
    ['NEWMETHOD', 'as it is', (text) => text, 501],
    ['BYE', 'without a dialog', (text) => text, 481],
    ['UPDATE', 'without a dialog', (text) => text, 481],
    ['CANCEL', 'of nothing', (text) => text, 481],
    ['INVITE', 'with Max-Forwards 0', (text) => text.replace('Forwards: 70', 'Forwards: 0'), 483],
    ['INVITE', 'of version 3', (text) => text.replace('SIP/2.0\r', 'SIP/3.0\r'), 505],
    ['INVITE', 'for a tel URI', (text) => text.replace('sip:tandem@127.0.0.1 SIP', 'tel:+1 SIP'), 416],
    ['INVITE', 'that requires x', (text) => text.replace('Contact', 'Require: 100rel, x\r\nContact'), 420],
    ['INVITE', 'with a body too short', (text) => text.replace('Length: 0', 'Length: 9'), 400],
    ['INVITE', 'without From', (text) => text.replace(/From: .*\r\n/, ''), 400],
    ['INVITE', 'with a NUL in From', (text) => text.replace('From: ', 'From: "\\\0" '), 400],
    [
      'INVITE',
      'with a NUL in Record-Route',
      (text) => text.replace('Contact', 'Record-Route: "\0" <sip:a>\r\nContact'),
      400,
    ],
    [
      'INVITE',
      'with a bad Contact',
      (text) => text.replace(/Contact: .*\r\n/, 'Contact: <sip:a b>\r\n'),
      400,
    ],
    ['INVITE', 'with two Call-IDs', (text) => text.replace('Contact', 'i: x\r\nContact'), 400],
    [
      'INVITE',
      'with text/plain',
      (text) => text.replace('Content-Length: 0\r\n', 'c: text/plain\r\nl: 1\r\n').concat('x'),
      415,
    ],
  ])('%s %s → %4$i', async (method, _, change, status) => {
    peer.send(change(request(method, peer, { branch: 'x' })), there());
    const response = await peer.next(status);
    expect(response.toTag === '' && status !== 400).toBe(false);
    if (status === 405 || status === 501 || status === 200)
      expect(response.headers('Allow')).toContain('INVITE');
    expect(invites).toEqual([]);
    expectNothingLeft();
  });

  it('an ACK is never answered', async () => {
    say('ACK', { branch: 'x' });
    peer.send(request('ACK', peer, { branch: 'x' }).replace('Call-ID', 'X'), there());
    await settled();
  });

  it.each([
    ['garbage', '\u0000\u00ff'.repeat(300)],
    ['an empty datagram', ''],
    ['a keep-alive', '\r\n\r\n'],
    ['half a message', 'INVITE sip:a@b SIP/2.0\r\nVia: SIP/2'],
    ['a request line alone', 'INVITE sip:a@b SIP/2.0\r\n\r\n'],
    ['a response to nobody', 'SIP/2.0 200 OK\r\n\r\n'],
  ])('%s changes nothing and is not answered', async (_, octets) => {
    peer.send(octets, there());
    await settled();
    expect(agent.dropped).toBe(octets.trim() === '' ? 0 : 1);
    expectNothingLeft();
  });

  it('a stateless refusal has the same To tag again', async () => {
    say('REGISTER', { branch: 'r' });
    const first = await peer.next(405);
    say('REGISTER', { branch: 'r' });
    expect((await peer.next(405)).toTag).toBe(first.toTag);
  });

  it('an INVITE of RFC 2543 without tag, branch or Contact is served', async () => {
    const old = request('INVITE', peer, { branch: 'x', from: '<sip:old@127.0.0.1>' })
      .replace(/;branch=\w+;rport/, '')
      .replace(/Contact: .*\r\n/, '');
    peer.send(old, there());
    await peer.next(100);
    const dialog = watch((invites[0] as ServerInvite).accept(body));
    const ok = await peer.next(200);
    const ack = { branch: 'y', from: '<sip:old@127.0.0.1>', to: `<sip:tandem@127.0.0.1>;tag=${ok.toTag}` };
    say('ACK', ack);
    await settled();
    dialog.bye();
    expect((await peer.next('BYE')).uri).toBe(`sip:127.0.0.1:${peer.endpoint.port}`);
  });
});
