// A call to a binding goes the way its REGISTER came: over real sockets, to phones that nobody could call otherwise.
import { expect, it, onTestFinished } from 'vitest';
import { certificateFor } from '../../test/support/certificates.ts';
import { until } from '../../test/support/raw-peer.ts';
import { systemClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { systemRandom } from '../lib/random.ts';
import { newRow, registration } from '../resources/index.ts';
import {
  createUserAgent,
  type Endpoint,
  parseNameAddr,
  type RequestView,
  type ServerRequest,
  type SipUserAgent,
  type TransportName,
} from '../sip/index.ts';
import { type BindingRow, bindingOf } from './binding.ts';

const TRANSPORTS: readonly TransportName[] = ['udp', 'tcp', 'tls'];
const world = { clock: systemClock, random: systemRandom() };

/** Every agent has a certificate that nobody trusts. */
async function openAgent(...hosts: readonly string[]): Promise<SipUserAgent> {
  const agent = await createUserAgent({
    ...world,
    log: silentLog,
    listen: hosts.flatMap((host) => TRANSPORTS.map((transport) => ({ host, port: 0, transport }))),
    tls: certificateFor('nobody.example'),
  });
  onTestFinished(() => agent.close());
  return agent;
}

const listenerOf = ({ listening }: SipUserAgent, name: TransportName, host = '127.0.0.1'): Endpoint =>
  listening.find(({ transport, address }) => transport === name && address === host) as Endpoint;

/** The binding that a REGISTER of the phone's makes, sent to one of the exchange's listeners. */
async function register(
  [exchange, phone]: readonly [SipUserAgent, SipUserAgent],
  to: Endpoint,
  { contact, regId = null }: { readonly contact: string; readonly regId?: number | null },
): Promise<BindingRow> {
  const { received } = await new Promise<ServerRequest>((resolve) => {
    exchange.onRequest('REGISTER', (request) => {
      request.respond(200);
      resolve(request);
    });
    const destination = { ...to, insecure: true };
    const given = { uri: 'sip:a.example', from: 'sip:bob@a.example', contact: `<${contact}>`, destination };
    phone.request({ method: 'REGISTER', ...given }, () => {});
  });
  const values = {
    accountSid: 'AC',
    domainSid: 'SD',
    domain: 'a.example',
    aor: 'sip:bob@a.example',
    username: 'bob',
    contact,
    contactKey: contact,
    regId,
    sourceIp: received.address,
    sourcePort: received.port,
    transport: received.transport,
    ownAddress: received.local ?? null,
    sipCallId: 'x',
    cseq: 1,
    expiresAt: 0,
  };
  return newRow(registration, values, world);
}

/** Calls the binding. @returns the phone's answer, and the INVITE as it came there. */
async function call(exchange: SipUserAgent, phone: SipUserAgent, row: BindingRow) {
  const binding = bindingOf(row, exchange);
  if (!binding) throw new Error('the phone cannot be reached');
  const heard = new Promise<{ readonly request: RequestView; readonly received: Endpoint }>((resolve) =>
    phone.onInvite((invite) => {
      resolve(invite);
      invite.reject(486);
    }),
  );
  const { uri, destination } = binding;
  const answered = new Promise((resolve) =>
    exchange.invite(
      { uri, from: 'sip:caller@a.example', destination },
      { provisional() {}, answered: () => resolve('answered'), failed: resolve },
    ),
  );
  expect(await answered).toMatchObject({ response: { status: 486 } });
  return heard;
}

it.each(TRANSPORTS)('over %s', async (transport) => {
  const pair = [await openAgent('127.0.0.1'), await openAgent('127.0.0.1')] as const;
  const contact = `sip:bob@192.168.77.77:5060;transport=${transport}`;
  const row = await register(pair, listenerOf(pair[0], transport), { contact });
  const { request, received } = await call(...pair, row);
  expect([request.uri, received.transport]).toEqual([contact, transport]);
});

const HOSTS = ['127.0.0.1', '127.0.0.2', '::1'];

it.each(HOSTS.flatMap((host) => TRANSPORTS.map((transport) => [host, transport] as const)))(
  'from the listener that it came to: %s, %s',
  async (host, transport) => {
    const pair = [
      await openAgent(...HOSTS),
      await openAgent(host.includes(':') ? '::1' : '127.0.0.3'),
    ] as const;
    const there = listenerOf(pair[0], transport, host);
    const row = await register(pair, there, { contact: `sip:bob@192.0.2.77;transport=${transport}` });
    const { request, received } = await call(...pair, row);
    expect(received.address).toBe(host);
    // The binding's own flow, and what the phone sends next comes to the same listener.
    const place = `${host.includes(':') ? `[${host}]` : host}:${there.port}`;
    expect(request.header('Via')).toContain(` ${place};`);
    expect(parseNameAddr(request.header('Contact') ?? '').uri).toContain(`sip:${place}`);
    if (transport === 'udp') expect(received.port).toBe(there.port);
  },
);

it.each(['tcp', 'tls'] as const)('cannot be called any more when its %s connection is gone', async (name) => {
  const [exchange, phone] = [await openAgent('127.0.0.1'), await openAgent('127.0.0.1')];
  const contact = `sip:bob@192.168.77.77:5060;transport=${name}`;
  const row = await register([exchange, phone], listenerOf(exchange, name), { contact });
  expect(bindingOf(row, exchange)).toBeDefined();
  await phone.close();
  await until(() => bindingOf(row, exchange) === undefined);
});

it('is called over another connection where it takes them, unless it wants this flow alone', async () => {
  const [exchange, phone, other] = [
    await openAgent('127.0.0.1'),
    await openAgent('127.0.0.1'),
    await openAgent('127.0.0.1'),
  ];
  // It listens at the address that it registers from.
  const contact = `sip:bob@127.0.0.1:${listenerOf(other, 'tcp').port};transport=tcp`;
  const to = listenerOf(exchange, 'tcp');
  const listening = await register([exchange, phone], to, { contact });
  const outbound = await register([exchange, phone], to, { contact, regId: 1 });
  await phone.close();
  await until(() => bindingOf(outbound, exchange) === undefined);
  const { request } = await call(exchange, other, listening);
  expect(request.uri).toBe(contact);
});
