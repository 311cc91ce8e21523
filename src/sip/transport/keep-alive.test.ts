// RFC 5626 §4.4.1 on connections that the stack opened: pings, pongs, and peers that do not know them.
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { certificateFor } from '../../../test/support/certificates.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { until } from '../../../test/support/raw-peer.ts';
import { silentLog } from '../../lib/log.ts';
import type { Endpoint } from './endpoint.ts';
import { listenAll } from './listen.ts';
import { STREAM_LIMITS } from './stream-connection.ts';
import type { Transport } from './transport.ts';

const { pingMs, pongMs, idleMs } = STREAM_LIMITS;
const PING = '\r\n\r\n';
const MESSAGE = 'OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n';
const certificate = certificateFor('127.0.0.1');

let clock: FakeClock;
let transport: Transport;
let server: Server;
let peer: Socket | undefined;
/** What the peer heard, and what came of what it said. */
let written: string;
let heard: number;

beforeEach(() => {
  clock = new FakeClock();
  peer = undefined;
  written = '';
  heard = 0;
});

afterEach(async () => {
  await transport.close();
  peer?.destroy();
  server.close();
  await until(() => clock.pending === 0, 'no timer left');
});

/** A connection that the stack has opened and sent one message on. */
async function connected(name: 'tcp' | 'tls'): Promise<Endpoint> {
  const take = (socket: Socket): void => {
    peer = socket;
    socket.on('error', () => {});
    socket.on('data', (octets: Buffer) => (written += octets.toString('latin1')));
  };
  server = name === 'tcp' ? createServer(take) : createTlsServer(certificate, take);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const listen = [{ host: '127.0.0.1', port: 0, transport: name }];
  const receive = (): unknown => heard++;
  const tls = { ...certificate, ca: certificate.cert };
  [transport] = (await listenAll({ listen, clock, log: silentLog, receive, tls })) as [Transport];
  const { port } = server.address() as { port: number };
  const to: Endpoint = { transport: name, address: '127.0.0.1', port };
  transport.send(MESSAGE, to);
  await until(() => written === MESSAGE);
  return to;
}

/** The peer says this, and a message after it that tells when it has come. */
async function say(octets: string): Promise<void> {
  const before = heard;
  peer?.write(octets + MESSAGE);
  await until(() => heard > before);
}

async function pinged(): Promise<void> {
  const expected = written + PING;
  clock.advance(pingMs);
  await until(() => written === expected, 'a ping and nothing else');
}

describe.each(['tcp', 'tls'] as const)('a %s connection of ours', (name) => {
  it('is pinged, and ends when a peer that answered before is silent', async () => {
    await connected(name);
    for (let ping = 0; ping < 2; ping++) {
      await pinged();
      await say('\r\n');
    }
    await pinged();
    clock.advance(pongMs - 1);
    expect(peer?.closed).toBe(false);
    clock.advance(1);
    await until(() => peer?.readableEnded === true || peer?.destroyed === true, 'its end');
  });

  it('stays when the peer sends something else in time', async () => {
    await connected(name);
    await pinged();
    await say('\r\n');
    await pinged();
    await say('');
    clock.advance(pongMs);
    await pinged();
  });

  it('stays when its peer knows no pings, until nothing was said for long', async () => {
    const to = await connected(name);
    for (let ms = pingMs; ms < idleMs; ms += pingMs) await pinged();
    transport.send(MESSAGE, to);
    await until(() => written.endsWith(MESSAGE));
    clock.advance(idleMs % pingMs || pingMs);
    await until(() => peer?.readableEnded === true || peer?.destroyed === true, 'its end');
  });

  it('takes a pong for a pong, alone, in pieces, and beside a ping of the peer', async () => {
    await connected(name);
    await pinged();
    await say('\r\n');
    await pinged();
    const { pending } = clock;
    peer?.write('\r\n');
    await until(() => clock.pending < pending, 'the pong taken');
    await pinged();
    peer?.write('\r');
    await say('\n');
    await pinged();
    const before = written;
    await say('\r\n\r\n\r\n');
    await until(() => written === `${before}\r\n`, 'one pong for the one ping');
    clock.advance(pongMs);
    expect(peer?.destroyed).toBe(false);
  });
});
