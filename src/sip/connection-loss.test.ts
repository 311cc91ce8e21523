// Connections and sockets that go away at the wrong moment, on real ones.
import { createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { RawPeer, reply, until } from '../../test/support/raw-peer.ts';
import { openStreamPeer } from '../../test/support/stream-peer.ts';
import { silentLog } from '../lib/log.ts';
import { seededRandom } from '../lib/random.ts';
import type { ClientInvite, Endpoint } from './agent.ts';
import { createUserAgent, parseMessage, type SipUserAgent } from './index.ts';

let agent: SipUserAgent;
let events: string[];
let closing: (() => unknown)[];

beforeEach(async () => {
  events = [];
  closing = [];
  agent = await createUserAgent({
    clock: new FakeClock(),
    random: seededRandom(1),
    log: silentLog,
    listen: (['udp', 'tcp'] as const).map((transport) => ({ host: '127.0.0.1', port: 0, transport })),
  });
});

afterEach(async () => {
  await agent.close();
  for (const close of closing) close();
});

const place = (transport: 'udp' | 'tcp'): Endpoint =>
  agent.listening.find((each) => each.transport === transport) as Endpoint;

/** Connections that a listening peer has taken, and what came by each. */
async function listenTcp(): Promise<{ port: number; taken: { socket: Socket; heard: string }[] }> {
  const taken: { socket: Socket; heard: string }[] = [];
  const server = createServer((socket) => {
    const connection = { socket: socket.on('error', () => {}), heard: '' };
    socket.on('data', (octets) => (connection.heard += octets.toString('latin1')));
    taken.push(connection);
    closing.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return { port: (server.address() as { port: number }).port, taken };
}

const call = (destination: Endpoint, answered: (bye: () => void) => void = () => {}): ClientInvite =>
  agent.invite(
    {
      uri: `sip:bob@127.0.0.1:${destination.port}`,
      from: 'sip:alice@127.0.0.1',
      destination,
      body: { contentType: 'application/sdp', content: 'v=0\r\n' },
    },
    {
      provisional: ({ status }) => events.push(`${status}`),
      answered: (dialog) => {
        events.push('answered');
        answered(() => dialog.bye());
      },
      failed: ({ kind }) => events.push(`failed ${kind}`),
      late: ({ kind }) => events.push(`late ${kind}`),
    },
  );

/** An INVITE by TCP that rings, and whose connection is gone then. */
async function ringAndBreak() {
  const { port, taken } = await listenTcp();
  const invite = call({ transport: 'tcp', address: '127.0.0.1', port });
  await until(() => taken[0]?.heard.includes('v=0') === true);
  const request = parseMessage(taken[0]?.heard ?? '');
  taken[0]?.socket.write(reply(request, 180, { tag: 'them' }));
  await until(() => events.length === 1);
  taken[0]?.socket.destroy();
  return { invite, request, port, taken };
}

it('an INVITE that rings is answered by another connection when its own is lost (RFC 3261 §18.2.2)', async () => {
  const { request, port } = await ringAndBreak();
  const back = await openStreamPeer(place('tcp'));
  closing.push(() => back.close());
  const contact = `sip:bob@127.0.0.1:${port};transport=tcp`;
  back.write(reply(request, 200, { tag: 'them', contact, body: 'v=0\r\n' }));
  await until(() => events.length === 2);
  expect(events).toEqual(['180', 'answered']);
});

it('an INVITE that rings is cancelled by another connection when its own is lost', async () => {
  const { invite, request, taken } = await ringAndBreak();
  // Whoever sends before it is noticed sends into the void.
  await until(() => taken[0]?.socket.closed === true);
  await new Promise((resolve) => setImmediate(resolve));
  invite.cancel();
  await until(() => taken[1]?.heard.includes('\r\n\r\n') === true);
  const cancel = parseMessage(taken[1]?.heard ?? '');
  expect([cancel.method, cancel.via.branch]).toEqual(['CANCEL', request.via.branch]);
});

it('a BYE leaves although everything is closed right after it', async () => {
  const peer = await RawPeer.open();
  closing.push(() => peer.close());
  let hangUp = (): void => {};
  call(peer.endpoint, (bye) => {
    hangUp = bye;
  });
  const request = await peer.next('INVITE');
  const contact = `sip:bob@127.0.0.1:${peer.endpoint.port}`;
  peer.send(reply(request, 200, { tag: 'them', contact, body: 'v=0\r\n' }), place('udp'));
  await peer.next('ACK');
  hangUp();
  await agent.close();
  await peer.next('BYE');
});

it('a BYE leaves by TCP too', async () => {
  const { port, taken } = await listenTcp();
  let hangUp = (): void => {};
  call({ transport: 'tcp', address: '127.0.0.1', port }, (bye) => {
    hangUp = bye;
  });
  await until(() => taken[0]?.heard.includes('v=0') === true);
  const request = parseMessage(taken[0]?.heard ?? '');
  const contact = `sip:bob@127.0.0.1:${port};transport=tcp`;
  taken[0]?.socket.write(reply(request, 200, { tag: 'them', contact, body: 'v=0\r\n' }));
  await until(() => taken[0]?.heard.includes('\nACK sip:') === true);
  hangUp();
  await agent.close();
  await until(() => taken[0]?.heard.includes('\nBYE sip:') === true);
});
