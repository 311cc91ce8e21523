// User agents over TCP and TLS: whole calls, requests too large for a datagram, connections that break.
import { createSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { certificateFor } from '../../test/support/certificates.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { until } from '../../test/support/raw-peer.ts';
import { certificateName, openStreamPeer } from '../../test/support/stream-peer.ts';
import { silentLog } from '../lib/log.ts';
import { seededRandom } from '../lib/random.ts';
import type { Body, Dialog, Endpoint, RequestView, TransportName } from './agent.ts';
import { createUserAgent, type ListenPlace, type SipUserAgent } from './index.ts';

const certificate = certificateFor('sip.example', '127.0.0.1');
const tls = { ...certificate, ca: certificate.cert };
const sdp = (content = 'v=0\r\n'): Body => ({ contentType: 'application/sdp', content });

let clock: FakeClock;
let agents: SipUserAgent[];
let events: string[];

beforeEach(() => {
  clock = new FakeClock();
  agents = [];
  events = [];
});

afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.close()));
  await until(() => clock.pending === 0);
});

async function open(...transports: TransportName[]): Promise<SipUserAgent> {
  const listen = transports.map((transport): ListenPlace => ({ host: '127.0.0.1', port: 0, transport }));
  const random = seededRandom(agents.length + 1);
  const agent = await createUserAgent({
    clock,
    random,
    log: silentLog,
    listen,
    tls,
    dialogMethods: ['INFO'],
  });
  agents.push(agent);
  return agent;
}

/** UDP and TCP on one port, as the default; other tests' connections may be in the way. */
async function openBoth(): Promise<SipUserAgent> {
  for (;;) {
    const agent = await open('udp', 'tcp');
    if (place(agent, 'udp').port === place(agent, 'tcp').port) return agent;
  }
}

const place = (agent: SipUserAgent, transport: TransportName): Endpoint =>
  agent.listening.find((each) => each.transport === transport) as Endpoint;

interface Leg {
  dialog: Dialog | undefined;
}

function call(caller: SipUserAgent, destination: Endpoint, body = sdp()): Leg & { cancel(): void } {
  const leg: Leg = { dialog: undefined };
  const invite = caller.invite(
    { uri: 'sip:bob@sip.example', from: 'sip:alice@sip.example', destination, body },
    {
      provisional: ({ status }) => events.push(`${status}`),
      answered: (dialog, { status }) => {
        leg.dialog = dialog;
        dialog.handle({ ended: (by) => events.push(`caller: ended ${by}`), offered: () => 488 });
        events.push(`${status}`);
      },
      failed: (failure) =>
        events.push(failure.kind === 'transport' ? `failed: ${failure.message}` : `failed: ${failure.kind}`),
    },
  );
  return Object.assign(leg, { cancel: () => invite.cancel() });
}

function answering(callee: SipUserAgent): { dialog?: Dialog; request?: RequestView; received?: Endpoint } {
  const taken: { dialog?: Dialog; request?: RequestView; received?: Endpoint } = {};
  callee.onInvite((invite) => {
    const dialog = invite.accept(sdp());
    dialog.handle({ ended: (by) => events.push(`callee: ended ${by}`), offered: () => 488 });
    Object.assign(taken, { dialog, request: invite.request, received: invite.received });
  });
  return taken;
}

describe.each(['tcp', 'tls'] as const)('a call over %s', (transport) => {
  const upper = transport.toUpperCase();

  it.each(['caller', 'callee'] as const)('is set up and hung up by the %s', async (who) => {
    const [caller, callee] = [await open('udp', transport), await open('udp', transport)];
    const taken = answering(callee);
    const leg = call(caller, {
      ...place(callee, transport),
      ...(transport === 'tls' && { host: 'sip.example' }),
    });
    await until(() => leg.dialog !== undefined);
    const here = `127\\.0\\.0\\.1:${place(caller, transport).port}`;
    expect(taken.request?.header('Via')).toMatch(new RegExp(`^SIP/2\\.0/${upper} ${here};`));
    expect(taken.request?.header('Contact')).toMatch(new RegExp(`^<sip:${here};transport=${transport}>$`));
    expect(taken.received).toMatchObject({ transport, address: '127.0.0.1' });
    (who === 'caller' ? leg.dialog : taken.dialog)?.bye();
    await until(() => events.length === 3);
    const [by, other] = who === 'caller' ? ['caller', 'callee'] : ['callee', 'caller'];
    expect(events.slice(1).toSorted()).toEqual([`${by}: ended local`, `${other}: ended remote`].toSorted());
  });

  it('fails when the connection breaks before any answer', async () => {
    const sockets: Socket[] = [];
    const peer: Server = createServer((socket) => sockets.push(socket.on('error', () => {})));
    await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
    const { port } = peer.address() as { port: number };
    const caller = await open(transport);
    call(caller, { transport, address: '127.0.0.1', port });
    await until(() => sockets.length === 1);
    sockets[0]?.once('data', () => sockets[0]?.resetAndDestroy());
    await until(() => events.length === 1);
    expect(events[0]).toMatch(/^failed: /);
    peer.close();
  });
});

describe('a large INVITE', () => {
  const large = sdp('v=0\r\n'.repeat(300));
  const taken = async (destination: Partial<Endpoint>, body: Body, kind: 'both' | 'udp') => {
    const [caller, callee] = [await open('udp', 'tcp'), await (kind === 'udp' ? open('udp') : openBoth())];
    const call1 = answering(callee);
    const leg = call(caller, { ...place(callee, 'udp'), ...destination }, body);
    await until(() => leg.dialog !== undefined);
    expect(call1.request?.body).toBe(body.content);
    leg.dialog?.bye();
    await until(() => events.includes('callee: ended remote'));
    return call1.received?.transport;
  };

  it('goes by TCP', async () => {
    expect(await taken({ mayUseTcp: true }, large, 'both')).toBe('tcp');
  });

  it('goes by UDP after all where TCP is refused', async () => {
    expect(await taken({ mayUseTcp: true }, large, 'udp')).toBe('udp');
    expect(events.filter((event) => event.startsWith('failed'))).toEqual([]);
  });

  it.each([
    ['a small one', { mayUseTcp: true }, sdp()],
    ['one to a peer that is known to want UDP', {}, large],
  ])('differs from %s', async (_, destination, body) => {
    expect(await taken(destination, body, 'both')).toBe('udp');
  });

  it('that was given up is not sent again by UDP', async () => {
    const [caller, callee] = [await open('udp', 'tcp'), await open('udp')];
    answering(callee);
    call(caller, { ...place(callee, 'udp'), mayUseTcp: true }, large).cancel();
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(events).toEqual([]);
  });
});

describe('a large MESSAGE', () => {
  const large: Body = { contentType: 'text/plain', content: 'x'.repeat(1500) };
  const taken = async (destination: Partial<Endpoint>, body: Body, kind: 'both' | 'udp') => {
    const [sender, receiver] = [await open('udp', 'tcp'), await (kind === 'udp' ? open('udp') : openBoth())];
    const received: string[] = [];
    receiver.onRequest('MESSAGE', (message) => {
      received.push(`${message.received.transport} ${message.request.body.length}`);
      message.respond(200);
    });
    const uris = { uri: 'sip:bob@sip.example', from: 'sip:alice@sip.example' };
    sender.request(
      { method: 'MESSAGE', ...uris, destination: { ...place(receiver, 'udp'), ...destination }, body },
      (outcome) => events.push(outcome.kind === 'response' ? `${outcome.response.status}` : outcome.kind),
    );
    await until(() => events.length > 0);
    expect(events).toEqual(['200']);
    clock.advance(32_000);
    return received.join();
  };

  it('goes by TCP, and by UDP after all where TCP is refused', async () => {
    expect(await taken({ mayUseTcp: true }, large, 'both')).toBe('tcp 1500');
    events = [];
    expect(await taken({ mayUseTcp: true }, large, 'udp')).toBe('udp 1500');
  });

  it.each([
    ['a small one', { mayUseTcp: true }, { ...large, content: 'x' }, 'udp 1'],
    ['one to a peer that is known to want UDP', {}, large, 'udp 1500'],
  ])('differs from %s', async (_, destination, body, expected) => {
    expect(await taken(destination, body, 'both')).toBe(expected);
  });
});

describe('a large request inside a dialog', () => {
  const large: Body = { contentType: 'text/plain', content: 'x'.repeat(1500) };
  const heard = async (mayUseTcp: boolean, body: Body, kind: 'both' | 'udp') => {
    const [caller, callee] = [await open('udp', 'tcp'), await (kind === 'udp' ? open('udp') : openBoth())];
    answering(callee);
    const received: string[] = [];
    callee.onInvite((invite) => {
      const dialog = invite.accept(sdp());
      dialog.handle({
        ended: () => events.push('callee: ended'),
        offered: () => 488,
        requested: (request) => {
          received.push(`${request.header('Via')?.slice(8, 11)} ${request.body.length}`);
          return 200;
        },
      });
    });
    const leg = call(caller, { ...place(callee, 'udp'), mayUseTcp });
    await until(() => leg.dialog !== undefined);
    leg.dialog?.request({ method: 'INFO', body }, (outcome) =>
      events.push(`INFO ${outcome.kind === 'response' ? outcome.response.status : outcome.kind}`),
    );
    await until(() => events.includes('INFO 200'));
    leg.dialog?.bye();
    await until(() => events.includes('callee: ended'));
    await until(() => caller.counts().dialogs === 0);
    clock.advance(32_000);
    return received.join();
  };

  it('goes by TCP, and by UDP after all where TCP is refused', async () => {
    expect(await heard(true, large, 'both')).toBe('TCP 1500');
    events = [];
    expect(await heard(true, large, 'udp')).toBe('UDP 1500');
  });

  it.each([
    ['a small one', true, { ...large, content: 'x' }, 'UDP 1'],
    ['one to a peer that is known to want UDP', false, large, 'UDP 1500'],
  ] as const)('differs from %s', async (_, mayUseTcp, body, expected) => {
    expect(await heard(mayUseTcp, body, 'both')).toBe(expected);
  });
});

describe('a user agent', () => {
  it('shows a new certificate to new peers while a call is up', async () => {
    const [caller, callee] = [await open('tls'), await open('tls')];
    answering(callee);
    const leg = call(caller, place(callee, 'tls'));
    await until(() => leg.dialog !== undefined);
    callee.reloadTls(certificateFor('new.example'));
    const peer = await openStreamPeer(place(callee, 'tls'));
    expect(certificateName(peer)).toBe('new.example');
    peer.close();
    leg.dialog?.bye();
    await until(() => events.includes('callee: ended remote'));
  });

  it('opens nothing when one place is taken', async () => {
    const first = await open('udp', 'tcp');
    const { port } = place(first, 'tcp');
    const listen: ListenPlace[] = [
      { host: '127.0.0.1', port: 0 },
      { host: '127.0.0.1', port, transport: 'tcp' },
    ];
    const options = { clock, random: seededRandom(9), log: silentLog };
    await expect(createUserAgent({ ...options, listen })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await expect(
      createUserAgent({ ...options, listen: [{ host: '127.0.0.1', port: 0, transport: 'tls' }] }),
    ).rejects.toThrow(RangeError);
  });
});

describe('the size of an INVITE', () => {
  it('is judged closely, and never too small', async () => {
    const caller = await open('udp', 'tcp');
    let streamed = 0;
    const server = createServer((socket) => socket.on('data', ({ length }) => (streamed += length)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const datagrams: number[] = [];
    const peer = createSocket('udp4').on('message', ({ length }) => datagrams.push(length));
    await new Promise<void>((resolve) => peer.bind(port, '127.0.0.1', resolve));
    const destination: Endpoint = { transport: 'udp', address: '127.0.0.1', port, mayUseTcp: true };
    for (let octets = 300; octets < 1100; octets += 10) call(caller, destination, sdp('x'.repeat(octets)));
    await until(() => streamed > 10 * 1300 && datagrams.length > 20);
    const largest = Math.max(...datagrams);
    expect(largest).toBeLessThanOrEqual(1300);
    expect(largest).toBeGreaterThan(1200);
    await caller.close();
    peer.close();
    server.close();
  });
});
