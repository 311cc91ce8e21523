// Every refusal of a call to a SIP domain, checked by SIPp: its status, and the code of X-Twilio-Error. Those that need
// TLS are checked by our own stack, as Debian's SIPp has none.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, domainWith, listenerOf, openPhone, PASSWORD, type TestDomain } from '../support/doors.ts';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { ANSWER_SDP } from '../support/sip-peer.ts';
import { hasSipp, startSipp } from './sipp.ts';

const OFFER = [
  'v=0',
  'o=sipp 1 1 IN IP4 [local_ip]',
  's=-',
  'c=IN IP4 [local_ip]',
  't=0 0',
  'm=audio [media_port] RTP/AVP 0',
  '',
].join('\n');
const SECURE_OFFER = OFFER.replace('RTP/AVP', 'RTP/SAVP');

interface Refused {
  readonly domain: string;
  readonly status: number;
  /** The number that X-Twilio-Error begins with; none where missing. */
  readonly code?: number;
  readonly sdp?: string;
  readonly maxForwards?: number;
  /** Sent when challenged. */
  readonly credentials?: readonly [username: string, password: string];
}

const ALICE = ['alice', PASSWORD] as const;
const OPEN = { domain: 'open.sip.twilio.com' };
/** Names of the domains that ask for a password, put in once there are any. */
const GUARDED = { domain: 'GUARDED' };
const SECURE = { domain: 'SECURE' };

const CASES: readonly (readonly [why: string, asked: Refused])[] = [
  ['no such domain', { domain: 'nowhere.sip.twilio.com', status: 404, code: 32_002 }],
  ['an address that is nobody’s', { domain: '127.0.0.1', status: 403 }],
  ['a secure domain in the clear', { ...SECURE, status: 488, code: 32_209 }],
  ['a domain without lists', { domain: 'bare.sip.twilio.com', status: 403, code: 32_200 }],
  ['a source in no list', { domain: 'elsewhere.sip.twilio.com', status: 403, code: 32_201 }],
  ['no credentials', { ...GUARDED, status: 407 }],
  ['a wrong password', { ...GUARDED, status: 403, code: 32_202, credentials: ['alice', 'Wrong-horse-1'] }],
  ['an unknown user', { ...GUARDED, status: 403, code: 32_202, credentials: ['bob', PASSWORD] }],
  ['SRTP where it is not enabled', { ...OPEN, status: 488, code: 32_207, sdp: SECURE_OFFER }],
  ['SRTP, with a password', { ...GUARDED, status: 488, code: 32_207, sdp: SECURE_OFFER, credentials: ALICE }],
  ['no session description', { ...OPEN, status: 488, code: 32_103, sdp: '' }],
  ['a session description that is none', { ...OPEN, status: 400, code: 32_102, sdp: 'v=1\nhello\n' }],
  ['no codec in common', { ...OPEN, status: 488, sdp: OFFER.replace('RTP/AVP 0', 'RTP/AVP 18') }],
  ['Max-Forwards 0', { ...OPEN, status: 483, code: 32_006, maxForwards: 0 }],
];

function request(method: string, seq: number, asked: Refused, rest: string): string {
  const { domain, maxForwards = 70 } = asked;
  return [
    `${method} sip:100@${domain} SIP/2.0`,
    'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]',
    'From: <sip:sipp@pbx.example>;tag=[call_number]',
    `To: <sip:100@${domain}>${method === 'ACK' ? '[peer_tag_param]' : ''}`,
    'Call-ID: [call_id]',
    `CSeq: ${seq} ${method}`,
    `Contact: <sip:sipp@[local_ip]:[local_port]>`,
    `Max-Forwards: ${maxForwards}`,
    rest,
  ].join('\n');
}

const NO_BODY = 'Content-Length: 0\n';
const send = (text: string, options = ''): string => `<send${options}><![CDATA[\n${text}\n]]></send>`;
const invite = (seq: number, asked: Refused, authentication = ''): string => {
  const { sdp = OFFER } = asked;
  const body = sdp === '' ? NO_BODY : `Content-Type: application/sdp\nContent-Length: [len]\n\n${sdp}`;
  return send(request('INVITE', seq, asked, authentication + body), ' retrans="500"');
};
const ack = (seq: number, asked: Refused): string => send(request('ACK', seq, asked, NO_BODY));

/** 100 does not come first: a stranger gets one answer. */
function scenario(asked: Refused): string {
  const { status, code, credentials } = asked;
  const check =
    code === undefined
      ? ''
      : `<action><ereg regexp="^ *${code} [A-Z]" search_in="hdr" header="X-Twilio-Error:" check_it="true" assign_to="code"/></action>`;
  const refusal = `<recv response="${status}">${check}</recv>${check && '<Reference variables="code"/>'}`;
  const [username, password] = credentials ?? [];
  const steps = credentials
    ? [
        invite(1, asked),
        '<recv response="407" auth="true"/>',
        ack(1, asked),
        invite(2, asked, `[authentication username=${username} password=${password}]\n`),
        refusal,
        ack(2, asked),
      ]
    : [invite(1, asked), refusal, ack(1, asked)];
  return `<?xml version="1.0"?><scenario name="refusal">${steps.join('')}</scenario>`;
}

describe('a call that is refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-refusals-'));
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
    guarded = await domainWith(exchange, ['alice']);
    secure = await domainWith(exchange, ['alice'], { secure: true });
  });
  afterAll(async () => {
    await exchange.stop();
    rmSync(folder, { recursive: true });
  });

  const sipp = async (asked: Refused, transport: 'udp' | 'tcp') => {
    const file = join(folder, `${asked.status}-${asked.code}-${transport}.xml`);
    const domain = { GUARDED: guarded.name, SECURE: secure.name }[asked.domain] ?? asked.domain;
    writeFileSync(file, scenario({ ...asked, domain }));
    const { address, port } = listenerOf(exchange, transport);
    const mode = transport === 'udp' ? 'u1' : 't1';
    const peer = await startSipp(['-sf', file, '-t', mode, '-m', '1', `${address}:${port}`], 'nowhere');
    return { code: await peer.exit, output: peer.output().slice(-3000) };
  };

  describe.skipIf(!hasSipp).each(['udp', 'tcp'] as const)('over %s', (transport) => {
    it.each(CASES)('for %s', async (_why, asked) => {
      const { code, output } = await sipp(asked, transport);
      expect(code, output).toBe(0);
    });
  });

  it.skipIf(!hasSipp)('is not one that SIPp takes for another: a wrong code fails its scenario', async () => {
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
