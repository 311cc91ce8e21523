// Everything a test of incoming calls needs: an exchange, a domain with a user, an app, and a phone that calls.
import twilio from 'twilio';
import { domainWith, listenerOf, PASSWORD, type TestDomain } from './doors.ts';
import { type Exchange, startExchange } from './exchange.ts';
import { nothingLeft } from './nothing-left.ts';
import { type CallOptions, type SoftCall, Softphone } from './softphone.ts';
import { toneWav } from './tone-wav.ts';
import { type ReceivedRequest, startWebhookApp, type WebhookApp } from './webhook-app.ts';

export interface Inbound {
  readonly exchange: Exchange;
  readonly app: WebhookApp;
  readonly phone: Softphone;
  /** Its VoiceUrl is `/voice?x=1` of the app, its status callback `/status`. */
  readonly domain: TestDomain;
  /** What the app answers, by path: TwiML without its root, or a bare status. `/tone.wav` is one second of 1 kHz. */
  readonly twiml: Record<string, string | number>;
  /** Calls 1000 of the domain as alice, over UDP. */
  call(options?: Partial<CallOptions>): Promise<SoftCall>;
  /** The first request whose path begins so. */
  asked(path: string): Promise<ReceivedRequest>;
  /** The call's SID, from its first webhook. */
  sidOf(path?: string): Promise<string>;
  /** Whether the official client takes its signature. */
  isSigned(request: ReceivedRequest): boolean;
  /**
   * Nothing is left of any call: no dialog, no port, and no timer but those that absorb retransmissions.
   * @param how `overStreams`: connections of the exchange are open, which have timers of their own.
   */
  nothingLeft(how?: { readonly overStreams: boolean }): Promise<void>;
  stop(): Promise<void>;
}

/** @param settings of the exchange; `secure` is the domain's. */
export async function startInbound({
  secure = false,
  settings = {},
  users = ['alice'],
}: {
  readonly secure?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
  /** Of the domain, all with the same password. */
  readonly users?: readonly string[];
} = {}): Promise<Inbound> {
  const twiml: Record<string, string | number> = { '/status': 204 };
  const [exchange, app, phone] = await Promise.all([
    startExchange(settings),
    startWebhookApp(({ path }, response) => {
      const answer = twiml[path.split('?')[0] ?? ''] ?? 404;
      if (path === '/tone.wav')
        response.writeHead(200, { 'content-type': 'audio/wav' }).end(toneWav(1000, 1));
      else if (typeof answer === 'number') response.writeHead(answer).end();
      else response.writeHead(200, { 'content-type': 'text/xml' }).end(`<Response>${answer}</Response>`);
    }),
    Softphone.open(),
  ]);
  const domain = await domainWith(exchange, users, { secure });
  await exchange.client.sip.domains(domain.sid).update({
    voiceUrl: `${app.url}/voice?x=1`,
    voiceStatusCallbackUrl: `${app.url}/status`,
  });
  const asked: Inbound['asked'] = (path) => app.received((request) => request.path.startsWith(path));
  return {
    exchange,
    app,
    phone,
    domain,
    twiml,
    call: (options = {}) =>
      phone.call({
        uri: `sip:1000@${domain.name}`,
        from: `sip:alice@${domain.name}`,
        credentials: { username: 'alice', password: PASSWORD },
        destination: listenerOf(exchange, secure ? 'tls' : 'udp'),
        srtp: secure,
        ...options,
      }),
    asked,
    sidOf: async (path = '/voice') => String((await asked(path)).parameters['CallSid']),
    isSigned: ({ headers, path, parameters, method }) =>
      twilio.validateRequest(
        exchange.account.authToken,
        String(headers['x-twilio-signature']),
        app.url + path,
        method === 'GET' ? {} : parameters,
      ),
    nothingLeft: (how) => nothingLeft(exchange, how),
    async stop() {
      await exchange.stop();
      await app.close();
      await phone.close();
    },
  };
}

let opened = 0;

/** A domain that takes everything from this machine, without a password. @returns its name. */
export async function openDomain(
  { client }: Pick<Exchange, 'client'>,
  settings: { readonly voiceUrl: string },
): Promise<string> {
  const domainName = `open-${++opened}.sip.twilio.com`;
  const { sid } = await client.sip.domains.create({ domainName, ...settings });
  const list = await client.sip.ipAccessControlLists.create({ friendlyName: `of ${domainName}` });
  await client.sip
    .ipAccessControlLists(list.sid)
    .ipAddresses.create({ friendlyName: 'here', ipAddress: '127.0.0.1', cidrPrefixLength: 8 });
  const { ipAccessControlListMappings } = client.sip.domains(sid).auth.calls;
  await ipAccessControlListMappings.create({ ipAccessControlListSid: list.sid });
  return domainName;
}
