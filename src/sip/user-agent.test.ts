import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { until } from '../../test/support/raw-peer.ts';
import { silentLog } from '../lib/log.ts';
import { seededRandom } from '../lib/random.ts';
import type { Body, Dialog, Endpoint, InviteFailure, ServerInvite, UserAgent } from './agent.ts';
import { createUserAgent } from './index.ts';

const offer: Body = { contentType: 'application/sdp', content: 'v=0\r\ns=offer\r\n' };
const answer: Body = { contentType: 'application/sdp', content: 'v=0\r\ns=answer\r\n' };

let clock: FakeClock;
let caller: UserAgent;
let callee: UserAgent;

beforeEach(async () => {
  clock = new FakeClock();
  caller = await open(1);
  callee = await open(2);
});

afterEach(async () => {
  await caller.close();
  await callee.close();
  expect(clock.pending).toBe(0);
});

const open = (seed: number): Promise<UserAgent> =>
  createUserAgent({
    clock,
    random: seededRandom(seed),
    log: silentLog,
    listen: [{ host: '127.0.0.1', port: 0 }],
  });

const place = (agent: UserAgent): Endpoint => agent.listening[0] as Endpoint;

interface Leg {
  readonly events: string[];
  dialog?: Dialog;
  failure?: InviteFailure;
}

function call(headers: readonly (readonly [string, string])[] = []): Leg & { cancel(): void } {
  const leg: Leg = { events: [] };
  const destination = place(callee);
  const invite = caller.invite(
    {
      uri: `sip:+15550100@127.0.0.1:${destination.port}`,
      from: 'sip:+15550199@tandem.example',
      fromName: 'Zoë "Z"',
      destination,
      headers,
      body: offer,
    },
    {
      provisional: (response) => leg.events.push(`${response.status}`),
      answered: (dialog, response) => {
        leg.dialog = dialog;
        leg.events.push(`answered ${response.body.trim()}`);
      },
      failed: (failure) => {
        leg.failure = failure;
        leg.events.push(`failed ${failure.kind === 'response' ? failure.response.status : failure.kind}`);
      },
      late: (event) => leg.events.push(`late ${event.kind} ${event.status}`),
    },
  );
  return Object.assign(leg, { cancel: () => invite.cancel() });
}

const watch = (dialog: Dialog | undefined, events: string[]): void =>
  dialog?.handle({ ended: (by) => events.push(`ended ${by}`), offered: () => 488 });

/** Lets every lingering transaction run out. */
async function drain(): Promise<void> {
  clock.advance(64_000);
  await until(() => caller.counts().dialogs + callee.counts().dialogs === 0);
  expect([caller.counts(), callee.counts()]).toEqual([
    { transactions: 0, dialogs: 0 },
    { transactions: 0, dialogs: 0 },
  ]);
}

describe('two user agents over UDP', () => {
  it.each(['caller', 'callee'] as const)('call, ring, answer, and the %s hangs up', async (who) => {
    let taken: ServerInvite | undefined;
    let answered: Dialog | undefined;
    const calleeEvents: string[] = [];
    callee.onInvite((invite) => {
      taken = invite;
      invite.progress(180);
      answered = invite.accept(answer);
      watch(answered, calleeEvents);
    });
    const leg = call([['X-Test', 'yes']]);
    await until(() => leg.dialog !== undefined);
    watch(leg.dialog, leg.events);
    expect(leg.events).toEqual(['180', 'answered v=0\r\ns=answer']);
    expect(taken?.request.header('x-test')).toBe('yes');
    expect(taken?.request.body).toBe(offer.content);
    expect(taken?.received).toMatchObject(place(caller));
    expect(leg.dialog?.remoteTag).toBe(answered?.localTag);
    expect(caller.counts().dialogs + callee.counts().dialogs).toBe(2);

    (who === 'caller' ? leg.dialog : answered)?.bye([['X-Why', 'done']]);
    await until(() => calleeEvents.length > 0 && leg.events.length > 2);
    expect(leg.events.at(-1)).toBe(who === 'caller' ? 'ended local' : 'ended remote');
    expect(calleeEvents).toEqual([who === 'caller' ? 'ended remote' : 'ended local']);
    await drain();
  });

  it('a rejection reaches the caller once, with its headers, and is acknowledged', async () => {
    callee.onInvite((invite) => invite.reject(486, [['X-Twilio-Error', '32201 no']]));
    const leg = call();
    await until(() => leg.failure !== undefined);
    expect(leg.events).toEqual(['failed 486']);
    const { failure } = leg;
    expect(failure?.kind === 'response' && failure.response.header('X-Twilio-Error')).toBe('32201 no');
    await drain();
    expect(leg.events).toEqual(['failed 486']);
  });

  it('cancel while ringing: CANCEL, 487, `canceled`, and only `late` is told', async () => {
    let canceled = 0;
    callee.onInvite((invite) => {
      invite.handle({ canceled: () => canceled++ });
      invite.progress(180);
    });
    const leg = call();
    await until(() => leg.events.includes('180'));
    leg.cancel();
    await until(() => leg.events.length > 1);
    expect(leg.events).toEqual(['180', 'late final 487']);
    expect(canceled).toBe(1);
    await drain();
  });

  it('an answer after the CANCEL gives a dialog that is over', async () => {
    let taken: ServerInvite | undefined;
    callee.onInvite((invite) => {
      taken = invite;
    });
    const leg = call();
    await until(() => leg.events.includes('100'));
    leg.cancel();
    await until(() => leg.events.includes('late final 487'));
    const events: string[] = [];
    watch(taken?.accept(answer), events);
    expect(events).toEqual(['ended remote']);
    expect(callee.counts().dialogs).toBe(0);
    await drain();
  });

  it('without a handler an INVITE gets 404 and leaves nothing', async () => {
    const leg = call();
    await until(() => leg.failure !== undefined);
    expect(leg.events).toEqual(['failed 404']);
    expect(callee.counts()).toEqual({ transactions: 0, dialogs: 0 });
    await drain();
  });

  it('a handler that throws makes it 500', async () => {
    callee.onInvite(() => {
      throw new Error('broken');
    });
    const leg = call();
    await until(() => leg.failure !== undefined);
    expect(leg.events).toEqual(['failed 500']);
    await drain();
  });

  it.each([
    ['a header value', { headers: [['X-A', 'b\r\nX-C: d']] }],
    ['a header value that is no octets', { headers: [['X-A', '\u010d']] }],
    ['a display name', { fromName: 'a\r\nb' }],
    ['a display name in Contact', { contactName: 'a\r\nb' }],
    ['a header name', { headers: [['X A', 'b']] }],
    ['a header of the stack', { headers: [['Call-ID', 'b']] }],
    ['the Request-URI', { uri: 'sip:a%0d@b' }],
    ['the From', { from: 'sip:a\r\n@b' }],
  ] as const)('%s that may not go on the wire throws, and nothing is left', (_, options) => {
    const { port } = place(callee);
    const destination = place(callee);
    const base = { uri: `sip:a@127.0.0.1:${port}`, from: 'sip:b@c', destination, body: offer };
    const handlers = { provisional() {}, answered() {}, failed() {} };
    expect(() => caller.invite({ ...base, ...options }, handlers)).toThrow(
      expect.objectContaining({ name: 'SipSyntaxError' }),
    );
    expect(caller.counts().transactions).toBe(0);
  });

  it('a destination no socket leads to fails as transport, after invite has returned', () => {
    const events: string[] = [];
    const destination: Endpoint = { transport: 'tcp', address: '127.0.0.1', port: 5060 };
    caller.invite(
      { uri: 'sip:a@b', from: 'sip:c@d', destination, body: offer },
      { provisional() {}, answered() {}, failed: (failure) => events.push(failure.kind) },
    );
    expect(events).toEqual([]);
    clock.advance(1);
    expect(events).toEqual(['transport']);
  });
});

describe('an agent that ignores an INVITE', () => {
  it('says nothing at all, and takes the others', async () => {
    const agent = await createUserAgent({
      clock,
      random: seededRandom(5),
      log: silentLog,
      listen: [{ host: '127.0.0.1', port: 0 }],
      ignore: (invite) => invite.uri.startsWith('sip:dead@'),
    });
    agent.onInvite((invite) => invite.reject(603));
    const destination = agent.listening[0] as Endpoint;
    const events: string[] = [];
    for (const user of ['dead', 'alive']) {
      const failed = (failure: InviteFailure): unknown => events.push(`${user} ${failure.kind}`);
      const options = { uri: `sip:${user}@127.0.0.1`, from: 'sip:b@c', destination, body: offer };
      caller.invite(options, { provisional: () => events.push(`${user} 1xx`), answered() {}, failed });
    }
    await until(() => events.length > 0);
    expect(agent.counts().transactions).toBe(1);
    clock.advance(32_000);
    expect(events).toEqual(['alive response', 'dead timeout']);
    await agent.close();
  });
});

describe('listening', () => {
  it('rejects with EADDRINUSE and leaves nothing open', async () => {
    const taken = createSocket('udp4').bind(0, '127.0.0.1');
    await once(taken, 'listening');
    const free = createSocket('udp4').bind(0, '127.0.0.1');
    await once(free, 'listening');
    const [freePort, takenPort] = [free.address().port, taken.address().port];
    await new Promise<void>((resolve) => free.close(() => resolve()));
    const listen = [freePort, takenPort].map((port) => ({ host: '127.0.0.1', port }));
    const options = { clock, random: seededRandom(3), log: silentLog };
    await expect(createUserAgent({ ...options, listen })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const again = await createUserAgent({ ...options, listen: listen.slice(0, 1) });
    expect(again.listening).toEqual([{ transport: 'udp', address: '127.0.0.1', port: freePort }]);
    await again.close();
    taken.close();
  });

  it('speaks IPv6 with the advertised address in Via', async () => {
    const agent = await createUserAgent({
      clock,
      random: seededRandom(4),
      log: silentLog,
      listen: [{ host: '::1', port: 0 }],
      advertise: '2001:db8::1',
    });
    let via: string | undefined;
    agent.onInvite((invite) => {
      via = invite.request.header('Via');
      invite.reject(603);
    });
    const destination = agent.listening[0] as Endpoint;
    const failed = new Promise((resolve) => {
      agent.invite(
        { uri: `sip:a@[::1]:${destination.port}`, from: 'sip:b@c', destination, body: offer },
        { provisional() {}, answered() {}, failed: resolve },
      );
    });
    expect(await failed).toMatchObject({ kind: 'response', response: { status: 603 } });
    expect(via).toMatch(/^SIP\/2\.0\/UDP \[2001:db8::1\]:\d+;rport;branch=z9hG4bK[0-9a-f]{24}$/);
    await agent.close();
  });
});
