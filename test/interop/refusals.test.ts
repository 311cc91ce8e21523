// Every refusal at a SIP domain's door, checked by SIPp: of calls, of registrations, and of what is neither; status, code of
// X-Twilio-Error, and the headers that go with it. What needs TLS is asked by our own stack, as Debian's SIPp has none.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, domainWith, listenerOf, openPhone, PASSWORD, type TestDomain } from '../support/doors.ts';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { startInbound } from '../support/inbound.ts';
import { ANSWER_SDP } from '../support/sip-peer.ts';
import { twilioClient } from '../support/twilio-client.ts';
import { allWentWell, hasSipp, startSipp } from './sipp.ts';
import { callerSteps, hear, hearCode, SIPP_SDP, scenario, send } from './sipp-caller.ts';

const SECURE_SDP = SIPP_SDP.replace('RTP/AVP', 'RTP/SAVP');

interface Refused {
  readonly domain: string;
  readonly status: number;
  /** The number that X-Twilio-Error begins with; none where missing. */
  readonly code?: number;
  /** Another header of the refusal, and what it says. */
  readonly says?: readonly [header: string, pattern: string];
  readonly method?: string;
  /** Of the Request-URI, in place of `sip:100@` and the domain. */
  readonly uri?: string;
  /** Of To, in place of the user and domain that are asked for. */
  readonly to?: string;
  readonly sdp?: string;
  /** Further ones, whole lines. */
  readonly headers?: string;
  readonly contact?: string;
  /** Sent when challenged. */
  readonly credentials?: readonly [username: string, password: string];
}

const ALICE = ['alice', PASSWORD] as const;
const MALLORY = ['alice', 'Wrong-horse-1'] as const;
const BOB = ['bob', PASSWORD] as const;
const OPEN = { domain: 'open.sip.twilio.com' };
/** Names of the domains that ask for a password, put in once there are any. */
const GUARDED = { domain: 'GUARDED' };
const SECURE = { domain: 'SECURE' };
const SUSPENDED = { domain: 'suspended.sip.twilio.com', credentials: ALICE };

const CALLS: readonly (readonly [why: string, asked: Refused])[] = [
  ['no such domain', { domain: 'nowhere.sip.twilio.com', status: 404, code: 32_002 }],
  ['an address that is nobody’s', { domain: '127.0.0.1', status: 403 }],
  ['a secure domain in the clear', { ...SECURE, status: 488, code: 32_209 }],
  ['a domain without lists', { domain: 'bare.sip.twilio.com', status: 403, code: 32_200 }],
  ['a source in no list', { domain: 'elsewhere.sip.twilio.com', status: 403, code: 32_201 }],
  [
    'no credentials',
    { ...GUARDED, status: 407, says: ['Proxy-Authenticate', 'Digest .*realm="sip.twilio.com"'] },
  ],
  ['a wrong password', { ...GUARDED, status: 403, code: 32_202, credentials: MALLORY }],
  ['an unknown user', { ...GUARDED, status: 403, code: 32_202, credentials: BOB }],
  ['an account that is suspended', { ...SUSPENDED, status: 403, code: 32_005 }],
  ['SRTP where it is not enabled', { ...OPEN, status: 488, code: 32_207, sdp: SECURE_SDP }],
  ['SRTP, with a password', { ...GUARDED, status: 488, code: 32_207, sdp: SECURE_SDP, credentials: ALICE }],
  ['no session description', { ...OPEN, status: 488, code: 32_103, sdp: '' }],
  ['a session description that is none', { ...OPEN, status: 400, code: 32_102, sdp: 'v=1\nhello\n' }],
  ['no codec in common', { ...OPEN, status: 488, sdp: SIPP_SDP.replace('RTP/AVP 0', 'RTP/AVP 18') }],
  ['Max-Forwards 0', { ...OPEN, status: 483, code: 32_006, headers: 'Max-Forwards: 0\n' }],
  ['nobody to ask what to do', { ...OPEN, status: 404 }],
  ['a scheme that is not SIP', { ...OPEN, status: 416, uri: 'mailto:100@open.sip.twilio.com' }],
  [
    'an extension that is required and not known',
    { ...OPEN, status: 420, headers: 'Require: precondition\n', says: ['Unsupported', 'precondition'] },
  ],
  [
    'a session interval that is too small',
    {
      ...OPEN,
      status: 422,
      headers: 'Supported: timer\nSession-Expires: 60\n',
      says: ['Min-SE', '[0-9]+'],
    },
  ],
  ['a header that cannot be read', { ...OPEN, status: 400, headers: 'To: <sip:bob@two.example>\n' }],
];

const REGISTER = { method: 'REGISTER', sdp: '', uri: 'sip:DOMAIN' } as const;
const registers = (asked: Omit<Refused, 'to'> & { readonly user?: string }): Refused => ({
  ...REGISTER,
  to: `${asked.user ?? 'alice'}@DOMAIN`,
  ...asked,
});
const CONTACTS = Array.from({ length: 11 }, (_, at) => `<sip:alice@10.0.0.${at + 1}>`).join(', ');

const REGISTRATIONS: readonly (readonly [why: string, asked: Refused])[] = [
  ['no such domain', registers({ domain: 'nowhere.sip.twilio.com', status: 404, code: 32_002 })],
  ['a domain that takes none', registers({ ...OPEN, status: 403, code: 32_210 })],
  [
    'a domain without a list for them',
    registers({ domain: 'listless.sip.twilio.com', status: 403, code: 32_212 }),
  ],
  ['a secure domain in the clear', registers({ ...SECURE, status: 488, code: 32_209 })],
  [
    'no credentials',
    registers({ ...GUARDED, status: 407, says: ['Proxy-Authenticate', 'Digest .*realm="sip.twilio.com"'] }),
  ],
  ['a wrong password', registers({ ...GUARDED, status: 403, code: 32_202, credentials: MALLORY })],
  ['an unknown user', registers({ ...GUARDED, status: 403, code: 32_202, credentials: BOB, user: 'bob' })],
  ['an account that is suspended', registers({ ...SUSPENDED, status: 403, code: 32_005 })],
  [
    'another domain in To',
    { ...REGISTER, ...GUARDED, to: 'alice@two.example', status: 404, credentials: ALICE },
  ],
  [
    'another user in To',
    registers({ ...GUARDED, user: 'carol', status: 403, code: 32_106, credentials: ALICE }),
  ],
  [
    'less than ten minutes',
    registers({
      ...GUARDED,
      status: 423,
      credentials: ALICE,
      headers: 'Expires: 599\n',
      says: ['Min-Expires', '600'],
    }),
  ],
  [
    'an eleventh contact',
    registers({ ...GUARDED, status: 403, code: 32_007, credentials: ALICE, contact: CONTACTS }),
  ],
  [
    'a Contact that cannot be read',
    registers({ ...GUARDED, status: 400, credentials: ALICE, contact: '<http://x>' }),
  ],
];

/** Neither of them. */
const OTHERS: readonly (readonly [why: string, asked: Refused])[] = [
  [
    'a method that is known and not taken',
    { ...OPEN, method: 'MESSAGE', sdp: '', status: 405, says: ['Allow', 'INVITE'] },
  ],
  [
    'a method that nobody knows',
    { ...OPEN, method: 'DANCE', sdp: '', status: 501, says: ['Allow', 'INVITE'] },
  ],
  [
    'a dialog that is not there',
    { ...OPEN, method: 'BYE', sdp: '', to: 'x@y.example>;tag=gone<', status: 481 },
  ],
];

function request(method: string, seq: number, asked: Refused, rest: string): string {
  const { domain, headers = '', uri = 'sip:100@DOMAIN', to = '100@DOMAIN' } = asked;
  const lines = [
    `${method} ${uri} SIP/2.0`,
    'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]',
    'From: <sip:sipp@pbx.example>;tag=[call_number]',
    `To: <sip:${to}>${method === 'ACK' ? '[peer_tag_param]' : ''}`,
    'Call-ID: [call_id]',
    `CSeq: ${seq} ${method}`,
    `Contact: ${asked.contact ?? '<sip:sipp@[local_ip]:[local_port]>'}`,
    ...(headers.includes('Max-Forwards') ? [] : ['Max-Forwards: 70']),
  ];
  return `${lines.join('\n').replaceAll('DOMAIN', domain).replace('<>', '')}\n${method === 'ACK' ? '' : headers}${rest}`;
}

const NO_BODY = 'Content-Length: 0\n';

function ask(seq: number, asked: Refused, authentication = ''): string {
  const { sdp = SIPP_SDP, method = 'INVITE' } = asked;
  const body = sdp === '' ? NO_BODY : `Content-Type: application/sdp\nContent-Length: [len]\n\n${sdp}`;
  return send(request(method, seq, asked, authentication + body), ' retrans="500"');
}

/** 100 does not come first: a stranger gets one answer. */
function refusal(asked: Refused): string {
  const { status, code, says, credentials, method = 'INVITE' } = asked;
  const look = (header: string, pattern: string, name: string): string =>
    `<ereg regexp="${pattern.replaceAll('"', '&quot;')}" search_in="hdr" header="${header}:" check_it="true" assign_to="${name}"/>`;
  const looks = [
    ...(code === undefined ? [] : [look('X-Twilio-Error', `^ *${code} [A-Z]`, 'code')]),
    ...(says ? [look(...says, 'says')] : []),
  ];
  const names = [...(code === undefined ? [] : ['code']), ...(says ? ['says'] : [])].join(',');
  const refused =
    `<recv response="${status}"><action>${looks.join('')}</action></recv>` +
    (names && `<Reference variables="${names}"/>`);
  const ack = (seq: number): string => (method === 'INVITE' ? send(request('ACK', seq, asked, NO_BODY)) : '');
  if (!credentials) return scenario(ask(1, asked), refused, ack(1));
  const [username, password] = credentials;
  const authentication = `[authentication username=${username} password=${password}]\n`;
  return scenario(
    ask(1, asked),
    '<recv response="407" auth="true"/>',
    ack(1),
    ask(2, asked, authentication),
    refused,
    ack(2),
  );
}

describe('what is refused', () => {
  let exchange: Exchange;
  let guarded: TestDomain;
  let secure: TestDomain;

  beforeAll(async () => {
    exchange = await startExchange();
    const { client } = exchange;
    const behind = async (address: string, domainName: string) => {
      const domain = await client.sip.domains.create({ domainName });
      const list = await client.sip.ipAccessControlLists.create({ friendlyName: domainName });
      await client.sip
        .ipAccessControlLists(list.sid)
        .ipAddresses.create({ friendlyName: 'here', ipAddress: address });
      const { auth } = client.sip.domains(domain.sid);
      await auth.calls.ipAccessControlListMappings.create({ ipAccessControlListSid: list.sid });
    };
    await behind('127.0.0.1', 'open.sip.twilio.com');
    await behind('203.0.113.9', 'elsewhere.sip.twilio.com');
    await client.sip.domains.create({ domainName: 'bare.sip.twilio.com' });
    await client.sip.domains.create({ domainName: 'listless.sip.twilio.com', sipRegistration: true });
    guarded = await domainWith(exchange, ['alice']);
    secure = await domainWith(exchange, ['alice'], { secure: true });
    await suspended(exchange);
  });
  afterAll(() => exchange.stop());

  const sipp = async (asked: Refused, transport: 'udp' | 'tcp') => {
    const domain = { GUARDED: guarded.name, SECURE: secure.name }[asked.domain] ?? asked.domain;
    const { address, port } = listenerOf(exchange, transport);
    const mode = transport === 'udp' ? 'u1' : 't1';
    const args = ['-t', mode, '-m', '1', `${address}:${port}`];
    const peer = await startSipp(args, 'nowhere', refusal({ ...asked, domain }));
    return { code: await peer.exit, output: peer.output().slice(-3000) };
  };

  describe.skipIf(!hasSipp).each(['udp', 'tcp'] as const)('over %s', (transport) => {
    it.each(CALLS)('a call, for %s', async (_why, asked) => {
      const { code, output } = await sipp(asked, transport);
      expect(code, output).toBe(0);
    });

    it.each([...REGISTRATIONS, ...OTHERS])('for %s', async (_why, asked) => {
      const { code, output } = await sipp(asked, transport);
      expect(code, output).toBe(0);
    });
  });

  it.skipIf(!hasSipp)('is not what SIPp takes for another: a wrong code fails its scenario', async () => {
    const { code } = await sipp({ domain: 'bare.sip.twilio.com', status: 403, code: 32_201 }, 'udp');
    expect(code).not.toBe(0);
  });

  it('for RTP without encryption, over TLS', async () => {
    const phone = await openPhone();
    const body = { contentType: 'application/sdp', content: ANSWER_SDP };
    const response = await call(phone, {
      uri: `sip:100@${secure.name}`,
      destination: listenerOf(exchange, 'tls'),
      credentials: { username: 'alice', password: PASSWORD },
      body,
    });
    expect([response.status, response.header('X-Twilio-Error')]).toEqual([
      488,
      '32208 SIP: Secure media required',
    ]);
  });
});

/** A domain with alice, of a subaccount that is suspended. */
async function suspended({ client, tandem }: Exchange): Promise<void> {
  const account = await client.api.v2010.accounts.create({ friendlyName: 'suspended' });
  const theirs = twilioClient(tandem.http, account.sid, account.authToken);
  const domain = await theirs.sip.domains.create({ domainName: SUSPENDED.domain, sipRegistration: true });
  const list = await theirs.sip.credentialLists.create({ friendlyName: 'phones' });
  await theirs.sip.credentialLists(list.sid).credentials.create({ username: 'alice', password: PASSWORD });
  const { calls, registrations } = theirs.sip.domains(domain.sid).auth;
  await calls.credentialListMappings.create({ credentialListSid: list.sid });
  await registrations.credentialListMappings.create({ credentialListSid: list.sid });
  await client.api.v2010.accounts(account.sid).update({ status: 'suspended' });
}

describe.skipIf(!hasSipp)('limits', () => {
  it.each([
    ['calls at a time', { TANDEM_MAX_CALLS: '1' }, 10_004],
    ['calls a second', { TANDEM_CALLS_PER_SECOND: '1' }, 32_013],
  ])('of %s: 503 for what is over', async (_name, settings, code) => {
    const inbound = await startInbound({ settings });
    try {
      inbound.twiml['/voice'] = '<Pause length="60"/>';
      const { client } = inbound.exchange;
      const list = await client.sip.ipAccessControlLists.create({ friendlyName: 'here' });
      await client.sip
        .ipAccessControlLists(list.sid)
        .ipAddresses.create({ friendlyName: 'here', ipAddress: '127.0.0.1' });
      const { auth } = client.sip.domains(inbound.domain.sid);
      for (const { sid } of await auth.calls.credentialListMappings.list())
        await auth.calls.credentialListMappings(sid).remove();
      await auth.calls.ipAccessControlListMappings.create({ ipAccessControlListSid: list.sid });
      const { invite, refused, cancel, acknowledged } = callerSteps({
        domain: inbound.domain.name,
        user: '1000',
        from: 'sipp@pbx.example',
      });
      // Each either rings and gives up, or is refused; of the twenty that come at once, most are.
      const steps = [
        invite(),
        '<recv response="100" optional="true"/>',
        hearCode(503, code, ' optional="true" next="refused"'),
        '<recv response="180"/><pause milliseconds="500"/>',
        cancel(5),
        hear(200),
        refused(487, undefined, { steps: 8 }),
        '<nop next="over"/><label id="refused"/>',
        acknowledged(10),
        '<label id="over"/>',
      ];
      const place = `127.0.0.1:${listenerOf(inbound.exchange, 'udp').port}`;
      await allWentWell([
        await startSipp([place, '-t', 'u1', '-m', '20', '-r', '200'], 'nowhere', scenario(...steps)),
      ]);
      const { body } = await inbound.exchange.ours(`RejectedCalls?ErrorCode=${code}`);
      const [row] = (body as { rejected_calls: { status: number; count: number }[] }).rejected_calls;
      expect(row?.status).toBe(503);
      expect(row?.count).toBeGreaterThan(5);
    } finally {
      await inbound.stop();
    }
  });
});
