// What every transport promises, run by each of them; then what streams promise beside it.
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { certificateFor } from '../../../test/support/certificates.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { heldOctets } from '../../../test/support/held-octets.ts';
import { until } from '../../../test/support/raw-peer.ts';
import { openStreamPeer, type StreamPeer } from '../../../test/support/stream-peer.ts';
import { silentLog } from '../../lib/log.ts';
import type { Endpoint, TransportName } from './endpoint.ts';
import { type ListenOptions, listenAll } from './listen.ts';
import { STREAM_LIMITS } from './stream-connection.ts';
import type { Flow, Transport } from './transport.ts';

interface Station {
  readonly transport: Transport;
  readonly heard: { readonly octets: string; readonly flow: Flow }[];
}

const certificate = certificateFor('127.0.0.1', '::1', 'sip.example');
const tls = { ...certificate, ca: certificate.cert };

let clock: FakeClock;
let opened: { close(): unknown }[];

beforeEach(() => {
  clock = new FakeClock();
  opened = [];
});

afterEach(async () => {
  await Promise.all(opened.map((each) => each.close()));
  await until(() => clock.pending === 0, 'no timer left');
});

async function open(
  transport: TransportName,
  { host = '127.0.0.1', port = 0, ...rest }: Partial<ListenOptions> & { host?: string; port?: number } = {},
): Promise<Station> {
  const heard: Station['heard'] = [];
  const receive = (octets: string, flow: Flow): unknown => heard.push({ octets, flow });
  const listen = [{ host, port, transport }];
  const [listening] = await listenAll({ listen, clock, log: silentLog, receive, tls, ...rest });
  opened.push(listening as Transport);
  return { transport: listening as Transport, heard };
}

async function dial(to: Endpoint): Promise<StreamPeer> {
  const peer = await openStreamPeer(to);
  opened.push(peer);
  return peer;
}

const placeOf = ({ transport: { local } }: Station): Endpoint => local;

function message(body = '', port = 5060): string {
  return (
    `OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:${port};branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n` +
    `To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  );
}
const responseTo = (port: number): string => message('', port).replace(/^.*/, 'SIP/2.0 200 OK');

const EVERY_OCTET = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));

describe.each(['udp', 'tcp', 'tls'] as const)('%s', (name) => {
  it('carries messages both ways, octet by octet', async () => {
    const [a, b] = [await open(name), await open(name)];
    const octets = message(EVERY_OCTET);
    a.transport.send(octets, placeOf(b));
    await until(() => b.heard.length === 1);
    expect(b.heard[0]?.octets).toBe(octets);
    const { flow } = b.heard[0] as { flow: Flow };
    expect(flow.transport).toBe(b.transport);
    expect(flow.peer).toMatchObject({ transport: name, address: '127.0.0.1' });
    flow.transport.send(responseTo(1), flow.peer);
    await until(() => a.heard.length === 1);
    expect(a.heard[0]?.octets).toBe(responseTo(1));
  });

  it('keeps many messages apart', async () => {
    const [a, b] = [await open(name), await open(name)];
    const sent = Array.from({ length: 50 }, (_, index) => message('x'.repeat(index * 20)));
    for (const octets of sent) a.transport.send(octets, placeOf(b));
    await until(() => b.heard.length === 50);
    expect(b.heard.map(({ octets }) => octets)).toEqual(sent);
    expect(new Set(b.heard.map(({ flow }) => flow.peer.port)).size).toBe(1);
  });

  it('speaks IPv6, and tells the address it advertises', async () => {
    const [a, b] = [
      await open(name, { host: '::1', advertise: '2001:db8::1' }),
      await open(name, { host: '::1' }),
    ];
    a.transport.send(message(), placeOf(b));
    await until(() => b.heard.length === 1);
    expect(b.heard[0]?.flow.peer.address).toBe('::1');
    expect(a.transport.sentBy).toBe(`[2001:db8::1]:${placeOf(a).port}`);
    expect(a.transport.local).toMatchObject({ transport: name, address: '::1' });
  });

  it('sends nothing to a port that is none, nor when closed, and closes twice', async () => {
    const [a, b] = [await open(name), await open(name)];
    for (const port of [0, 65_536]) a.transport.send(message(), { ...placeOf(b), port });
    await a.transport.close();
    await a.transport.close();
    a.transport.send(message(), placeOf(b));
    const c = await open(name);
    c.transport.send(message(), placeOf(b));
    await until(() => b.heard.length > 0);
    expect(b.heard).toHaveLength(1);
  });

  it('cannot listen twice in one place', async () => {
    const { port } = placeOf(await open(name));
    await expect(open(name, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe.each(['tcp', 'tls'] as const)('%s connections', (name) => {
  it('are reused, and opened anew when they are gone', async () => {
    const [a, b] = [await open(name), await open(name)];
    a.transport.send(message(), placeOf(b));
    await until(() => b.heard.length === 1);
    a.transport.send(message(), placeOf(b));
    await until(() => b.heard.length === 2);
    expect(b.heard[1]?.flow.peer).toEqual(b.heard[0]?.flow.peer);
    await b.transport.close();
    const again = await open(name, { port: placeOf(b).port });
    await until(() => {
      a.transport.send(message(), placeOf(again));
      return again.heard.length > 0;
    });
  });

  it('take requests to a peer that opened them', async () => {
    const a = await open(name);
    const peer = await dial(placeOf(a));
    peer.write(message());
    await until(() => a.heard.length === 1);
    const { flow } = a.heard[0] as { flow: Flow };
    flow.transport.send(message('of ours'), flow.peer);
    await until(() => peer.heard() === message('of ours'));
  });

  it('that are gone send a response to the port in its Via, never to where the request came from', async () => {
    const [a, b] = [await open(name), await open(name)];
    const peer = await dial(placeOf(a));
    peer.write(message('', placeOf(b).port));
    await until(() => a.heard.length === 1);
    peer.close();
    const { flow } = a.heard[0] as { flow: Flow };
    await until(() => {
      flow.transport.send(responseTo(placeOf(b).port), flow.peer);
      return b.heard.length > 0;
    });
  });

  it('that are refused or lost tell whoever may wait for an answer, once', async () => {
    const [a, b] = [await open(name), await open(name)];
    const { port: closed } = placeOf(await open(name));
    await opened.at(-1)?.close();
    const told: string[] = [];
    a.transport.send(message(), { ...placeOf(b), port: closed }, ({ message: why }) => told.push(why));
    expect(told).toEqual([]);
    await until(() => told.length === 1);
    expect(told[0]).toContain('ECONNREFUSED');

    const early = (): unknown => told.push('early');
    a.transport.send(message(), placeOf(b), early);
    await until(() => b.heard.length === 1);
    clock.advance(32_000);
    for (let again = 0; again < 3; again++) a.transport.send(message(), placeOf(b), late);
    await until(() => b.heard.length === 4);
    await b.transport.close();
    await until(() => told.length === 2);
    expect(told[1]).toBe('late');
    function late(): void {
      told.push('late');
    }
  });

  it('answer pings', async () => {
    const a = await open(name);
    const peer = await dial(placeOf(a));
    peer.write(`\r\n\r\n${message()}\r\n\r\n`);
    await until(() => peer.heard() === '\r\n\r\n');
    expect(a.heard).toHaveLength(1);
  });

  it.each([
    ['nonsense', 'GET / HTTP/1.1\r\n\r\n'],
    ['no Content-Length', message().replace(/Content-Length.*\r\n/, '')],
    ['an endless head', 'X'.repeat(70_000)],
  ])('that bring %s end, after what came before', async (_, octets) => {
    const a = await open(name);
    const peer = await dial(placeOf(a));
    peer.write(message() + octets);
    await until(peer.isClosed);
    expect(a.heard).toHaveLength(1);
  });

  it('that break in the middle of a message leave nothing, and the others work', async () => {
    const a = await open(name);
    const [broken, whole] = [await dial(placeOf(a)), await dial(placeOf(a))];
    broken.write(message('x'.repeat(1000)).slice(0, 300));
    await until(() => clock.pending >= 2);
    broken.reset();
    whole.write(message());
    await until(() => a.heard.length === 1);
    await until(() => clock.pending === 1, 'the broken one forgotten');
  });

  it('that say nothing, or never finish, end in time; one that spoke stays', async () => {
    const a = await open(name);
    const [silent, slow, spoke] = [await dial(placeOf(a)), await dial(placeOf(a)), await dial(placeOf(a))];
    spoke.write(message());
    await until(() => a.heard.length === 1);
    slow.write('O');
    for (let second = 0; second < 15; second++) {
      clock.advance(999);
      expect(slow.isClosed()).toBe(false);
      slow.write('O');
      await new Promise(setImmediate);
    }
    // Whatever was still on its way has begun the message by now.
    await until(() => slow.socket.bytesWritten > 15);
    clock.advance(STREAM_LIMITS.partialMs);
    await until(slow.isClosed);
    clock.advance(STREAM_LIMITS.silentMs);
    await until(silent.isClosed);
    clock.advance(STREAM_LIMITS.idleMs - 60_000);
    expect(spoke.isClosed()).toBe(false);
    spoke.write('\r\n\r\n');
    await until(() => spoke.heard() === '\r\n');
    clock.advance(STREAM_LIMITS.idleMs - 1);
    await new Promise(setImmediate);
    expect(spoke.isClosed()).toBe(false);
    clock.advance(1);
    await until(spoke.isClosed);
  });

  it('to a peer that does not read end at a bounded queue', async () => {
    const a = await open(name);
    const peer = await dial(placeOf(a));
    peer.write(message());
    await until(() => a.heard.length === 1);
    peer.socket.pause();
    const { flow } = a.heard[0] as { flow: Flow };
    const lost: string[] = [];
    const large = message('x'.repeat(60_000));
    let sent = 0;
    for (; lost.length === 0 && sent < 1000; sent++) {
      flow.transport.send(large, flow.peer, (error) => lost.push(error.message));
      await new Promise(setImmediate);
    }
    expect(lost).toContain('the peer does not read');
    expect(sent).toBeLessThan(500);
  });

  it('that do not read end at a bounded queue of all of them, and those that do stay', async () => {
    const a = await open(name, { streamLimits: { allQueuedOctets: 300_000, queuedOctets: 100_000_000 } });
    const reader = await dial(placeOf(a));
    reader.write(message());
    await until(() => a.heard.length === 1);
    for (let index = 0; index < 9; index++) {
      const deaf = await dial(placeOf(a));
      deaf.write(message());
      deaf.socket.pause();
    }
    await until(() => a.heard.length === 10);
    const [first, ...others] = a.heard.map(({ flow }) => flow) as [Flow, ...Flow[]];
    const left = new Set(others);
    const large = message('x'.repeat(60_000));
    let sent = 0;
    // The system takes a few hundred kilobytes for each of them.
    for (; left.size > 2 && sent < 200; sent++) {
      for (const flow of left) flow.transport.send(large, flow.peer, () => left.delete(flow));
      first.transport.send(large, first.peer);
      await until(() => reader.heard().length === large.length * (sent + 1), 'the reader served');
    }
    expect(left.size).toBeLessThanOrEqual(2);
    expect(sent).toBeLessThan(200);
    expect(reader.isClosed()).toBe(false);
  });

  it('make room by ending one that said nothing, never one that spoke', async () => {
    const a = await open(name, { streamLimits: { connections: 3 } });
    const [spoke, silent, second] = [await dial(placeOf(a)), await dial(placeOf(a)), await dial(placeOf(a))];
    for (const peer of [spoke, second]) peer.write(message());
    await until(() => a.heard.length === 2);
    const third = await dial(placeOf(a));
    await until(silent.isClosed);
    third.write(message());
    await until(() => a.heard.length === 3);
    const refused = await dial(placeOf(a)).catch(() => undefined);
    if (refused) await until(refused.isClosed);
    let why = '';
    a.transport.send(message(), { ...placeOf(a), port: 9 }, (error) => (why = error.message));
    await until(() => why === 'too many SIP connections are open');
    for (const peer of [spoke, second, third]) peer.write(message());
    await until(() => a.heard.length === 6);
  });

  it('that are not up in time fail', async () => {
    const sockets: Socket[] = [];
    const mute: Server = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    opened.push(mute, { close: () => sockets.map((socket) => socket.destroy()) });
    const a = await open(name);
    let why = '';
    const { port } = mute.address() as { port: number };
    const to: Endpoint = { transport: name, address: '127.0.0.1', port };
    a.transport.send(message(), to, (error) => (why = error.message));
    await until(() => sockets.length === 1);
    clock.advance(STREAM_LIMITS.openingMs);
    if (name === 'tls') await until(() => why === 'connecting took too long');
    else expect(why).toBe('');
  });
});

describe('UDP', () => {
  it('loses what the system does not take, and goes on', async () => {
    const [a, b] = [await open('udp'), await open('udp')];
    const tooLarge = 'x'.repeat(70_000);
    a.transport.send(tooLarge, placeOf(b));
    const failed = await new Promise<Error>((resolve) => a.transport.send(tooLarge, placeOf(b), resolve));
    expect(failed.message).toContain('EMSGSIZE');
    a.transport.send(message(), placeOf(b));
    await until(() => b.heard.length === 1);
  });
});

describe('TCP', () => {
  it('has the port of UDP where it may choose, whoever has that number in TCP already; else another one', async () => {
    const host = '127.0.0.1';
    const places = (count: number) => [
      { host, port: 0 },
      ...Array.from({ length: count }, () => ({ host, port: 0, transport: 'tcp' as const })),
    ];
    const portsOf = async (count: number) => {
      const transports = await listenAll({ listen: places(count), clock, log: silentLog, receive() {} });
      opened.push(...transports);
      return transports.map(({ local }) => local.port);
    };
    const others = Array.from({ length: 1000 }, () => createServer().listen(0, host));
    onTestFinished(() => {
      for (const other of others) other.close();
    });
    await until(() => others.every((other) => other.listening));
    const pairs = await Promise.all(Array.from({ length: 100 }, () => portsOf(1)));
    for (const [udp, tcp] of pairs) expect(tcp).toBe(udp);
    // Two of them cannot have it both.
    const [udp, ...tcp] = await portsOf(2);
    expect(tcp).toContain(udp);
    expect(tcp[1]).not.toBe(tcp[0]);
  });

  it('serves a peer while 2,000 others say nothing, dribble, or never read', async () => {
    const a = await open('tcp');
    const heldBefore = heldOctets();
    const others: StreamPeer[] = [];
    for (let index = 0; index < 2000; index++) others.push(await dial(placeOf(a)));
    const deaf = others.slice(0, 5);
    for (const peer of deaf) {
      peer.socket.pause();
      peer.write(message());
    }
    await until(() => a.heard.length === deaf.length);
    const slow = others.filter((_, index) => index % 2 === 1).slice(deaf.length);
    for (let second = 0; second < 10; second++) {
      for (const peer of slow) peer.write('O');
      for (const { flow } of a.heard) flow.transport.send(responseTo(1).padEnd(50_000), flow.peer);
      clock.advance(1000);
      await new Promise(setImmediate);
    }
    const caller = await dial(placeOf(a));
    caller.write(message());
    await until(() => a.heard.length > deaf.length);
    const { flow } = a.heard.at(-1) as { flow: Flow };
    flow.transport.send(responseTo(1), flow.peer);
    await until(() => caller.heard() === responseTo(1));
    // Both ends of each connection, and the deaf ones' queues.
    const allowed = others.length * 20_000 + deaf.length * 2 * STREAM_LIMITS.queuedOctets;
    expect(heldOctets() - heldBefore).toBeLessThan(allowed);
    clock.advance(STREAM_LIMITS.silentMs);
    await until(() => others.slice(deaf.length).every((peer) => peer.isClosed()), 'the others ended');
    expect(caller.isClosed()).toBe(false);
  });
});
