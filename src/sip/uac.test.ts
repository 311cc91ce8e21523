// Our INVITE against a peer that is a bare socket and does what it likes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { RawPeer, type Reply, reply, request, until } from '../../test/support/raw-peer.ts';
import { silentLog } from '../lib/log.ts';
import { seededRandom } from '../lib/random.ts';
import {
  type ClientInvite,
  createUserAgent,
  type Dialog,
  type Endpoint,
  type SipMessage,
  type SipUserAgent,
} from './index.ts';

let clock: FakeClock;
let agent: SipUserAgent;
let peer: RawPeer;
let events: string[];
let dialog: Dialog | undefined;
let invite: ClientInvite;
let sent: SipMessage;

beforeEach(async () => {
  clock = new FakeClock();
  agent = await createUserAgent({
    clock,
    random: seededRandom(7),
    log: silentLog,
    listen: [{ host: '127.0.0.1', port: 0 }],
  });
  peer = await RawPeer.open();
  events = [];
  dialog = undefined;
  invite = agent.invite(
    {
      uri: `sip:b@127.0.0.1:${peer.endpoint.port}`,
      from: 'sip:a@tandem.example',
      destination: peer.endpoint,
      body: { contentType: 'application/sdp', content: 'v=0\r\n' },
    },
    {
      provisional: ({ status }) => events.push(`${status}`),
      answered: (made, { status }) => {
        dialog = made;
        events.push(`answered ${status}`);
        made.handle({
          ended: (by) => events.push(`ended ${by}`),
          offered: (offer) =>
            offer === 'bad' ? 488 : { contentType: 'application/sdp', content: `answer to ${offer}` },
        });
      },
      failed: (failure) => events.push(`failed ${failure.kind}`),
      late: (event) =>
        events.push(`late ${event.kind} ${event.status}${'sent' in event ? ` ${event.sent}` : ''}`),
    },
  );
  sent = await peer.next('INVITE');
});

afterEach(async () => {
  await agent.close();
  peer.close();
  expect(clock.pending).toBe(0);
});

const there = (): Endpoint => agent.listening[0] as Endpoint;
const here = (): string => `sip:b@127.0.0.1:${peer.endpoint.port}`;
const answer = (status: number, options: Reply = {}): void =>
  peer.send(reply(sent, status, options), there());
const expectEvents = async (...expected: string[]): Promise<void> => {
  await until(() => events.length >= expected.length, expected.join());
  expect(events).toEqual(expected);
};

/** Lets datagrams that must change nothing arrive: the peer's OPTIONS after them is answered when they are done with. */
async function settled(): Promise<void> {
  peer.send(request('OPTIONS', peer, { branch: 'settled', callId: 'settled' }), there());
  expect((await peer.next(200)).callId).toBe('settled');
}

/** Our request inside the dialog, as the peer sends its own. */
const inDialog = (
  method: string,
  options: { branch: string; seq: number; body?: string; from?: string; to?: string; contact?: string },
): string =>
  request(method, peer, {
    callId: invite.callId,
    from: '<sip:b@127.0.0.1>;tag=b1',
    to: `<sip:a@tandem.example>;tag=${sent.fromTag}`,
    ...options,
  });

async function connect(options: Reply = {}): Promise<void> {
  answer(200, { tag: 'b1', contact: here(), ...options });
  await peer.next('ACK');
  await expectEvents('answered 200');
}

function expectNothingLeft(): void {
  expect(agent.counts()).toEqual({ transactions: 0, dialogs: 0 });
  const { waiting, clockTimers } = agent.timers();
  expect([waiting, clock.pending - clockTimers]).toEqual([0, 0]);
}

describe('the INVITE', () => {
  it('carries what RFC 3261 §8.1.1 asks for', () => {
    expect(sent.header('Via')).toMatch(/^SIP\/2\.0\/UDP 127\.0\.0\.1:\d+;rport;branch=z9hG4bK[0-9a-f]{24}$/);
    expect(sent.header('Max-Forwards')).toBe('70');
    expect(sent.header('Contact')).toBe(`<sip:127.0.0.1:${there().port}>`);
    expect(sent.header('User-Agent')).toBe('Tandem');
    expect(sent.headers('Allow')).toContain('BYE');
    expect(sent.callId).toBe(invite.callId);
    expect(sent.body).toBe('v=0\r\n');
  });

  it('is sent again by timer A, and ends by timer B', async () => {
    clock.advance(31_999);
    for (let copy = 0; copy < 6; copy++)
      expect((await peer.next('INVITE')).header('Via')).toBe(sent.header('Via'));
    expect(events).toEqual([]);
    clock.advance(1);
    expect(events).toEqual(['failed timeout']);
    await settled();
    expectNothingLeft();
  });

  it('a refusal is acknowledged on the same branch, each time it comes', async () => {
    answer(486, { tag: 'b1' });
    const ack = await peer.next('ACK');
    expect(ack.header('Via')).toBe(sent.header('Via'));
    expect([ack.uri, ack.toTag, ack.seq]).toEqual([sent.uri, 'b1', 1]);
    answer(486, { tag: 'b1' });
    await peer.next('ACK');
    expect(events).toEqual(['failed response']);
    clock.advance(32_000);
    expectNothingLeft();
  });

  it('a 2xx is acknowledged to its Contact through its Record-Route, each time it comes', async () => {
    const headers = `Record-Route: <sip:127.0.0.1:9;lr>, <sip:127.0.0.1:${peer.endpoint.port};lr>\r\n`;
    answer(200, { tag: 'b1', contact: 'sip:b@192.0.2.1', headers });
    const ack = await peer.next('ACK');
    expect(ack.uri).toBe('sip:b@192.0.2.1');
    expect(ack.headers('Route')).toEqual([
      `<sip:127.0.0.1:${peer.endpoint.port};lr>`,
      '<sip:127.0.0.1:9;lr>',
    ]);
    expect(ack.via.branch).not.toBe(sent.via.branch);
    answer(200, { tag: 'b1', contact: 'sip:b@192.0.2.1', headers });
    expect((await peer.next('ACK')).header('Via')).toBe(ack.header('Via'));
    expect(events).toEqual(['answered 200']);
    dialog?.bye();
    expect((await peer.next('BYE')).headers('Route')).toEqual(ack.headers('Route'));
  });

  it('a 2xx is acknowledged even after its transaction is gone', async () => {
    await connect();
    clock.advance(64_000);
    expect(agent.counts()).toEqual({ transactions: 0, dialogs: 1 });
    answer(200, { tag: 'b1', contact: here() });
    await peer.next('ACK');
    expect(events).toEqual(['answered 200']);
  });

  it('a host name as Contact is not looked up: the ACK goes back where the answer came from', async () => {
    answer(200, { tag: 'b1', contact: 'sip:b@no.such.host.invalid' });
    expect((await peer.next('ACK')).uri).toBe('sip:b@no.such.host.invalid');
  });

  it('a forked 2xx is acknowledged and ended; the call goes on', async () => {
    await connect();
    answer(200, { tag: 'b2', contact: here() });
    const ack = await peer.next('ACK');
    const bye = await peer.next('BYE');
    expect([ack.toTag, bye.toTag, bye.seq]).toEqual(['b2', 'b2', 2]);
    peer.send(reply(bye, 200), there());
    await expectEvents('answered 200', 'late answer 200 ACK, BYE');
    answer(200, { tag: 'b2', contact: here() });
    await peer.next('ACK');
    await settled();
    expect(agent.counts().dialogs).toBe(1);
    expect(peer.heard).toEqual([]);
  });
});

describe('giving up', () => {
  it('before a provisional: silence; a late 180 gets CANCEL', async () => {
    invite.cancel([['Reason', 'SIP;cause=200']]);
    clock.advance(20_000);
    await settled();
    answer(180, { tag: 'b1' });
    const cancel = await peer.next('CANCEL');
    expect([cancel.uri, cancel.seq, cancel.seqMethod, cancel.toTag]).toEqual([sent.uri, 1, 'CANCEL', '']);
    expect(cancel.header('Via')).toBe(sent.header('Via'));
    expect(cancel.header('Reason')).toBe('SIP;cause=200');
    peer.send(reply(cancel, 200), there());
    answer(183, { tag: 'b1' });
    answer(487, { tag: 'b1' });
    await peer.next('ACK');
    await expectEvents('late provisional 180 CANCEL', 'late final 487');
    clock.advance(32_000);
    expectNothingLeft();
  });

  it('before a provisional: a late 200 gets ACK and BYE', async () => {
    invite.cancel();
    answer(200, { tag: 'b1', contact: here() });
    await peer.next('ACK');
    const bye = await peer.next('BYE');
    peer.send(reply(bye, 200), there());
    await expectEvents('late answer 200 ACK, BYE');
    answer(200, { tag: 'b1', contact: here() });
    await peer.next('ACK');
    await settled();
    expect(peer.heard).toEqual([]);
    clock.advance(64_000);
    expectNothingLeft();
  });

  it('while it rings: CANCEL at once; 200 overtakes it: ACK and BYE', async () => {
    answer(180, { tag: 'b1' });
    await expectEvents('180');
    invite.cancel();
    await peer.next('CANCEL');
    answer(200, { tag: 'b1', contact: here() });
    await peer.next('ACK');
    await peer.next('BYE');
    await expectEvents('180', 'late answer 200 ACK, BYE');
    clock.advance(64_000);
    expectNothingLeft();
  });

  it.each([true, false])('nothing is left after 64·T1 when nothing comes (rang before: %s)', async (rang) => {
    if (rang) {
      answer(180, { tag: 'b1' });
      await expectEvents('180');
    }
    invite.cancel();
    invite.cancel();
    clock.advance(31_999);
    expect(agent.counts().transactions).toBeGreaterThan(0);
    clock.advance(1);
    expectNothingLeft();
    expect(events).toEqual(rang ? ['180'] : []);
  });

  it('a header that may not go on the wire throws, and giving up still works', () => {
    expect(() => invite.cancel([['Reason', 'a\r\nb']])).toThrow(
      expect.objectContaining({ name: 'SipSyntaxError' }),
    );
    invite.cancel();
    clock.advance(32_000);
    expectNothingLeft();
  });
});

describe('hostile and odd', () => {
  it.each([
    ['another branch', (text: string) => text.replace(/branch=\w+/, 'branch=z9hG4bKguess')],
    ['another Call-ID', (text: string) => text.replace(/Call-ID: \w+/, 'Call-ID: guess')],
    ['another From tag', (text: string) => text.replace(/(From:.*;tag=)\w+/, '$1guess')],
    ['another CSeq', (text: string) => text.replace('CSeq: 1', 'CSeq: 2')],
    ['another method', (text: string) => text.replace('1 INVITE', '1 BYE')],
    ['a second Via', (text: string) => text.replace('From:', 'Via: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom:')],
    ['a second Via in its field', (text: string) => text.replace('\r\nFrom:', ', SIP/2.0/UDP h\r\nFrom:')],
    ['a bad status', (text: string) => text.replace('200', '2000')],
    ['a body that is too short', (text: string) => text.replace('Content-Length: 0', 'Content-Length: 9')],
  ])('a response with %s changes nothing', async (_, change) => {
    peer.send(change(reply(sent, 200, { tag: 'evil', contact: here() })), there());
    await settled();
    expect(events).toEqual([]);
    await connect();
  });

  it.each([
    ['Call-ID', { callId: 'guess' }],
    ['remote tag', { from: '<sip:b@127.0.0.1>;tag=guess' }],
    ['local tag', { to: '<sip:a@tandem.example>;tag=guess' }],
  ])('BYE, re-INVITE and CANCEL with a wrong %s do not touch the dialog', async (_, wrong) => {
    await connect();
    for (const method of ['BYE', 'INVITE', 'CANCEL']) {
      const text = request(method, peer, {
        branch: `x${method}`,
        callId: invite.callId,
        from: '<sip:b@127.0.0.1>;tag=b1',
        to: `<sip:a@tandem.example>;tag=${sent.fromTag}`,
        seq: 5,
        ...wrong,
      });
      peer.send(text, there());
      expect((await peer.next(481)).seqMethod).toBe(method);
    }
    expect(events).toEqual(['answered 200']);
    peer.send(inDialog('BYE', { branch: 'real', seq: 5 }), there());
    await peer.next(200);
    expect(events).toEqual(['answered 200', 'ended remote']);
  });
});

describe('the dialog', () => {
  it('re-INVITE is answered through `offered`, refreshes the target, and its 200 is sent until the ACK', async () => {
    await connect();
    const other = await RawPeer.open();
    const contact = `sip:b@127.0.0.1:${other.endpoint.port}`;
    peer.send(inDialog('INVITE', { branch: 're1', seq: 10, body: 'v=1', contact }), there());
    expect((await peer.next(200)).body).toBe('answer to v=1');
    clock.advance(500);
    await peer.next(200);
    peer.send(inDialog('INVITE', { branch: 're2', seq: 11, body: 'v=2' }), there());
    await peer.next(491);
    peer.send(inDialog('ACK', { branch: 're2', seq: 11 }), there());
    peer.send(inDialog('ACK', { branch: 're1ack', seq: 10 }), there());
    await settled();
    clock.advance(20_000);
    await settled();
    dialog?.bye();
    expect((await other.next('BYE')).uri).toBe(contact);
    other.close();
    expect(events).toEqual(['answered 200', 'ended local']);
  });

  it('a refused offer and a wrong body leave the dialog as it is; without an offer our last one is repeated', async () => {
    await connect();
    peer.send(inDialog('UPDATE', { branch: 'u1', seq: 10, body: 'bad' }), there());
    await peer.next(488);
    peer.send(inDialog('UPDATE', { branch: 'u2', seq: 11, body: 'v=3' }), there());
    expect((await peer.next(200)).body).toBe('answer to v=3');
    const odd = inDialog('UPDATE', { branch: 'u3', seq: 12, body: 'x' }).replace(
      'application/sdp',
      'text/plain',
    );
    peer.send(odd, there());
    expect((await peer.next(415)).header('Accept')).toBe('application/sdp');
    peer.send(inDialog('INVITE', { branch: 'u4', seq: 13 }), there());
    expect((await peer.next(200)).body).toBe('answer to v=3');
    peer.send(inDialog('ACK', { branch: 'u5', seq: 13 }), there());
    await settled();
  });

  it.each([
    ['OPTIONS', 200],
    ['INFO', 405],
    ['NOTIFY', 481],
    ['REFER', 405],
    ['NEWMETHOD', 501],
  ] as const)('%s → %i', async (method, status) => {
    await connect();
    peer.send(inDialog(method, { branch: 'm1', seq: 10 }), there());
    const response = await peer.next(status);
    if (status !== 481) expect(response.headers('Allow')).toContain('INVITE');
    peer.send(inDialog(method, { branch: 'm1', seq: 10 }), there());
    await peer.next(status);
    expect(events).toEqual(['answered 200']);
  });

  it('a request out of order gets 500', async () => {
    await connect();
    peer.send(inDialog('OPTIONS', { branch: 'o1', seq: 10 }), there());
    await peer.next(200);
    peer.send(inDialog('BYE', { branch: 'o2', seq: 9 }), there());
    await peer.next(500);
    expect(events).toEqual(['answered 200']);
  });

  it('our BYE that nothing answers is gone after 64·T1', async () => {
    await connect();
    dialog?.bye();
    dialog?.bye();
    expect(events).toEqual(['answered 200', 'ended local']);
    await peer.next('BYE');
    clock.advance(32_000);
    expectNothingLeft();
    expect(events).toEqual(['answered 200', 'ended local']);
  });

  it('BYEs that cross each other both get 200', async () => {
    await connect();
    dialog?.bye();
    const bye = await peer.next('BYE');
    peer.send(inDialog('BYE', { branch: 'cross', seq: 10 }), there());
    await peer.next(200);
    peer.send(reply(bye, 481), there());
    await settled();
    clock.advance(64_000);
    expectNothingLeft();
    expect(events).toEqual(['answered 200', 'ended local']);
  });

  it('an end before `handle` is delivered by it', async () => {
    await connect();
    peer.send(inDialog('BYE', { branch: 'early', seq: 10 }), there());
    await peer.next(200);
    const late: string[] = [];
    dialog?.handle({ ended: (by, bye) => late.push(`${by} ${bye?.method}`), offered: () => 488 });
    expect(late).toEqual(['remote BYE']);
  });
});
