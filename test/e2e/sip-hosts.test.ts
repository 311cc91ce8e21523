// An exchange with several SIP hosts, IPv4 and IPv6: what belongs to a flow leaves from the listener that it came in by.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { domainWith, listenerOf, openPhone, PASSWORD, register, type TestDomain } from '../support/doors.ts';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { hearsTone, Softphone } from '../support/softphone.ts';
import { toneWav } from '../support/tone-wav.ts';
import { startWebhookApp, type WebhookApp } from '../support/webhook-app.ts';

const HOSTS = ['127.0.0.1', '127.0.0.2', '::1'] as const;
const IPV6 = '::1';

let exchange: Exchange;
let app: WebhookApp;
let domain: TestDomain;

beforeAll(async () => {
  [exchange, app] = await Promise.all([
    startExchange({ TANDEM_SIP_HOST: HOSTS.join(',') }),
    startWebhookApp(({ path }, response) => {
      if (path === '/tone.wav')
        response.writeHead(200, { 'content-type': 'audio/wav' }).end(toneWav(1000, 2));
      else response.writeHead(200, { 'content-type': 'text/xml' }).end(PLAY);
    }),
  ]);
  domain = await domainWith(exchange, ['alice', 'bob']);
  await exchange.client.sip.domains(domain.sid).update({ voiceUrl: `${app.url}/voice` });
});
afterAll(async () => {
  await exchange.stop();
  await app.close();
});

const PLAY = '<Response><Play>/tone.wav</Play></Response>';
const ofKind = (host: string) => (host === IPV6 ? IPV6 : '127.0.0.1');
const inUri = (host: string) => (host === IPV6 ? `[${host}]` : host);

describe.each(HOSTS)('%s', (host) => {
  it('has the same port as the others', () => {
    const ports = HOSTS.map((each) => listenerOf(exchange, 'udp', each).port);
    expect(new Set(ports).size).toBe(1);
  });

  it.each(['udp', 'tcp'] as const)('takes a call over %s, and answers it from there', async (transport) => {
    const phone = await Softphone.open(ofKind(host));
    try {
      const destination = listenerOf(exchange, transport, host);
      const call = await phone.call({
        uri: `sip:1000@${domain.name}`,
        from: `sip:alice@${domain.name}`,
        credentials: { username: 'alice', password: PASSWORD },
        destination,
      });
      const answer = await call.final;
      expect(answer.status).toBe(200);
      expect(answer.header('Contact')).toContain(`sip:${inUri(host)}:${destination.port}`);
      expect(answer.body).toContain(host === IPV6 ? 'c=IN IP6 ::1' : 'c=IN IP4 127.0.0.1');
      const { by, request } = await call.ended;
      expect(await hearsTone(call, 1000)).toBe(true);
      expect([by, request?.header('Via')]).toEqual([
        'remote',
        expect.stringContaining(` ${inUri(host)}:${destination.port};`),
      ]);
    } finally {
      await phone.close();
    }
  });

  it('is where the phones that registered there are called from', async () => {
    const phone = await openPhone(ofKind(host));
    const invited = new Promise<[string | undefined, string]>((resolve) =>
      phone.onInvite((invite) => {
        resolve([invite.request.header('Via'), invite.received.address]);
        invite.reject(486);
      }),
    );
    const there = listenerOf(exchange, 'udp', host);
    const contact = '<sip:bob@192.0.2.9>';
    expect((await register(phone, there, { domain, user: 'bob', contact })).status).toBe(200);
    const to = `sip:bob@${domain.name}`;
    const { sid } = await exchange.client.calls.create({ to, from: 'desk', twiml: PLAY });
    const [via, address] = await invited;
    expect([via, address]).toEqual([expect.stringContaining(` ${inUri(host)}:${there.port};`), host]);
    expect((await exchange.ended(sid)).status).toBe('busy');
    await register(phone, there, { domain, user: 'bob', contact: '*', headers: [['Expires', '0']] });
  });
});

it('phones of both kinds that ring together are offered sound each by their own', async () => {
  const kinds = ['127.0.0.1', IPV6];
  const offered = kinds.map(async (host) => {
    const phone = await openPhone(host);
    const invited = new Promise<string>((resolve) =>
      phone.onInvite((invite) => {
        resolve(/^c=.*$/m.exec(invite.request.body)?.[0] ?? '');
        invite.reject(486);
      }),
    );
    const contact = `<sip:alice@${inUri(host)}>`;
    await register(phone, listenerOf(exchange, 'udp', host), { domain, user: 'alice', contact });
    return { invited };
  });
  const phones = await Promise.all(offered);
  const to = `sip:alice@${domain.name}`;
  const { sid } = await exchange.client.calls.create({ to, from: 'desk', twiml: PLAY });
  const lines = await Promise.all(phones.map(({ invited }) => invited));
  expect(lines).toEqual(['c=IN IP4 127.0.0.1', 'c=IN IP6 ::1']);
  expect((await exchange.ended(sid)).status).toBe('busy');
});

describe('a carrier', () => {
  it.each(['127.0.0.1', IPV6])('at %s is called from a listener of its kind', async (host) => {
    const carrier = await exchange.carrier({ host });
    const sid = await exchange.place(await exchange.trunkTo(carrier.uri), {
      twiml: PLAY.replace('/tone.wav', `${app.url}/tone.wav`),
    });
    expect((await exchange.ended(sid)).status).toBe('completed');
  });
});
