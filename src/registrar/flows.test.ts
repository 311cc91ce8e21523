// A call to a binding goes the way its REGISTER came: over real sockets, to phones that nobody could call otherwise.
import { expect, it, onTestFinished } from 'vitest';
import { certificateFor } from '../../test/support/certificates.ts';
import { systemClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { systemRandom } from '../lib/random.ts';
import { newRow, registration } from '../resources/index.ts';
import { createUserAgent, type Endpoint, type SipUserAgent, type TransportName } from '../sip/index.ts';
import { bindingOf } from './binding.ts';

const TRANSPORTS: readonly TransportName[] = ['udp', 'tcp', 'tls'];
const world = { clock: systemClock, random: systemRandom() };

/** Every agent has a certificate that nobody trusts. */
async function openAgent(): Promise<SipUserAgent> {
  const agent = await createUserAgent({
    ...world,
    log: silentLog,
    listen: TRANSPORTS.map((transport) => ({ host: '127.0.0.1', port: 0, transport })),
    tls: certificateFor('nobody.example'),
  });
  onTestFinished(() => agent.close());
  return agent;
}

const listenerOf = ({ listening }: SipUserAgent, name: TransportName): Endpoint =>
  listening.find(({ transport }) => transport === name) as Endpoint;

it.each(TRANSPORTS)('over %s', async (transport) => {
  const [exchange, phone] = [await openAgent(), await openAgent()];
  const contact = `sip:bob@192.168.77.77:5060;transport=${transport}`;
  const received = await new Promise<Endpoint>((resolve) => {
    exchange.onRequest('REGISTER', (request) => {
      request.respond(200);
      resolve(request.received);
    });
    const destination = { ...listenerOf(exchange, transport), insecure: true };
    phone.request(
      {
        method: 'REGISTER',
        uri: 'sip:a.example',
        from: 'sip:bob@a.example',
        destination,
        contact: `<${contact}>`,
      },
      () => {},
    );
  });
  const row = newRow(
    registration,
    {
      accountSid: 'AC',
      domainSid: 'SD',
      domain: 'a.example',
      aor: 'sip:bob@a.example',
      username: 'bob',
      contact,
      contactKey: contact,
      sourceIp: received.address,
      sourcePort: received.port,
      transport: received.transport,
      sipCallId: 'x',
      cseq: 1,
      expiresAt: 0,
    },
    world,
  );
  const { uri, destination } = bindingOf(row);
  const heard = new Promise((resolve) =>
    phone.onInvite((invite) => {
      resolve([invite.request.uri, invite.received.transport]);
      invite.reject(486);
    }),
  );
  const answered = new Promise((resolve) =>
    exchange.invite(
      { uri, from: 'sip:caller@a.example', destination },
      { provisional() {}, answered: () => resolve('answered'), failed: resolve },
    ),
  );
  expect(await answered).toMatchObject({ response: { status: 486 } });
  expect(await heard).toEqual([contact, transport]);
});
