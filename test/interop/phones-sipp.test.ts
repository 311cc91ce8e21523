// SIPp calls SIP domains of a running exchange: each refusal as it reads on the wire, and each answer that TwiML gives.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { domainWith, listenerOf, PASSWORD } from '../support/doors.ts';
import { type Inbound, openDomain, startInbound } from '../support/inbound.ts';
import { hasSipp, startSipp } from './sipp.ts';

const SDP =
  'v=0\no=sipp 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio [media_port] RTP/AVP 0\n';
const SRTP = SDP.replace(
  'RTP/AVP 0\n',
  'RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\n',
);
const G729 = SDP.replace('RTP/AVP 0', 'RTP/AVP 18');

const send = (text: string, options = ''): string => `<send${options}><![CDATA[\n${text}\n]]></send>`;
const hear = (status: number): string => `<recv response="${status}"/>`;
const rings = '<recv response="100" optional="true"/><recv response="180"/>';

/** In the INVITE's transaction, which began so many steps before. */
const ofInvite = (request: string, steps: number): string =>
  request.replace('branch=[branch]', `branch=[branch-${steps}]`);

const describeCall = (domain: string) => {
  const request = (method: string, seq: number, rest: string): string =>
    `${method} sip:1000@${domain} SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n` +
    `From: <sip:alice@${domain}>;tag=[call_number]\nTo: <sip:1000@${domain}>[peer_tag_param]\nCall-ID: [call_id]\n` +
    `CSeq: ${seq} ${method}\nContact: <sip:sipp@[local_ip]:[local_port]>\n${rest}`;
  const empty = 'Max-Forwards: 70\nContent-Length: 0\n';
  return {
    invite: (body = SDP, headers = 'Max-Forwards: 70\n', seq = 1): string =>
      send(
        request(
          'INVITE',
          seq,
          `${headers}Content-Type: application/sdp\nContent-Length: [len]\n\n${body}`,
        ).replace('[peer_tag_param]', ''),
        ' retrans="500"',
      ),
    empty: (): string => send(request('INVITE', 1, empty).replace('[peer_tag_param]', ''), ' retrans="500"'),
    ack: (seq = 1): string => send(request('ACK', seq, empty)),
    /** Hears the refusal, with the code that explains it, and acknowledges. */
    refused: (status: number, code?: number, { seq = 1, steps = 2 } = {}): string =>
      (code === undefined
        ? hear(status)
        : `<recv response="${status}"><action><ereg regexp="^ *${code} " search_in="hdr" header="X-Twilio-Error:" check_it="true" assign_to="code"/></action></recv><Reference variables="code"/>`) +
      send(ofInvite(request('ACK', seq, empty), steps)),
    challenged: (): string => send(ofInvite(request('ACK', 1, empty), 2)),
    bye: (): string => send(request('BYE', 9, empty), ' retrans="500"') + hear(200),
    cancel: (): string =>
      send(ofInvite(request('CANCEL', 1, empty), 3).replace('[peer_tag_param]', ''), ' retrans="500"'),
    hungUp:
      '<recv request="BYE"/>' +
      send(
        'SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n',
      ),
  };
};

describe.skipIf(!hasSipp)('SIPp calls a SIP domain', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-sipp-'));
  let inbound: Inbound;
  /** By what is mapped to them; `open` takes everything from here. */
  let domains: Record<'users' | 'secure' | 'bare' | 'elsewhere' | 'open' | 'nobody', string>;
  let files = 0;

  beforeAll(async () => {
    inbound = await startInbound();
    const { exchange, app, domain } = inbound;
    const { client } = exchange;
    const secure = await domainWith(exchange, ['alice'], { secure: true });
    await client.sip.domains.create({ domainName: 'bare.sip.twilio.com' });
    const elsewhere = await client.sip.domains.create({ domainName: 'elsewhere.sip.twilio.com' });
    const list = await client.sip.ipAccessControlLists.create({ friendlyName: 'elsewhere' });
    await client.sip
      .ipAccessControlLists(list.sid)
      .ipAddresses.create({ friendlyName: 'office', ipAddress: '203.0.113.9' });
    await client.sip
      .domains(elsewhere.sid)
      .auth.calls.ipAccessControlListMappings.create({ ipAccessControlListSid: list.sid });
    domains = {
      users: domain.name,
      secure: secure.name,
      bare: 'bare.sip.twilio.com',
      elsewhere: 'elsewhere.sip.twilio.com',
      open: await openDomain(exchange, { voiceUrl: `${app.url}/voice` }),
      nobody: 'nobody.sip.twilio.com',
    };
  });
  afterAll(async () => {
    await inbound.stop();
    rmSync(folder, { recursive: true });
  });

  async function run(...steps: readonly string[]): Promise<void> {
    const file = join(folder, `${files++}.xml`);
    writeFileSync(file, `<?xml version="1.0"?><scenario name="call">${steps.join('')}</scenario>`);
    const place = `127.0.0.1:${listenerOf(inbound.exchange, 'udp').port}`;
    const sipp = await startSipp([place, '-sf', file, '-t', 'u1', '-m', '1'], 'nowhere');
    expect(await sipp.exit, sipp.output().slice(-3000)).toBe(0);
  }

  it.each([
    ['for a domain that is not there', 'nobody', 404, 32_002],
    ['that nothing guards', 'bare', 403, 32_200],
    ['whose lists do not hold the source', 'elsewhere', 403, 32_201],
    ['in the clear, for a secure domain', 'secure', 488, 32_209],
  ] as const)('%s', async (_name, name, status, code) => {
    const { invite, refused } = describeCall(domains[name]);
    await run(invite(), refused(status, code));
  });

  it.each([
    ['SRTP, for a domain that is not secure', SRTP, 488, 32_207],
    ['a codec that is not spoken', G729, 488, undefined],
    ['what is no session description', 'v=1\n', 400, 32_102],
  ] as const)('with %s', async (_name, sdp, status, code) => {
    const { invite, refused } = describeCall(domains.open);
    await run(invite(sdp), refused(status, code));
  });

  it('without a session description, and with no hop left', async () => {
    const { empty, invite, refused } = describeCall(domains.open);
    await run(empty(), refused(488, 32_103));
    await run(invite(SDP, 'Max-Forwards: 0\n'), refused(483, 32_006));
  });

  it('with a password, right and wrong', async () => {
    const { invite, ack, challenged, refused, hungUp } = describeCall(domains.users);
    inbound.twiml['/voice'] = '<Hangup/>';
    const asked = `<recv response="407" auth="true"/>${challenged()}`;
    const auth = (password: string): string =>
      invite(SDP, `Max-Forwards: 70\n[authentication username=alice password=${password}]\n`, 2);
    await run(invite(), asked, auth('wrong'), refused(403, 32_202, { seq: 2 }));
    await run(invite(), asked, auth(PASSWORD), rings, hear(200), ack(2), hungUp);
  });

  it('and is refused by TwiML: busy and rejected', async () => {
    const { invite, refused } = describeCall(domains.open);
    inbound.twiml['/voice'] = '<Reject reason="busy"/>';
    await run(invite(), rings, refused(486, undefined, { steps: 4 }));
    inbound.twiml['/voice'] = '<Redirect>/next</Redirect>';
    inbound.twiml['/next'] = '<Reject/>';
    await run(invite(), rings, refused(404, undefined, { steps: 4 }));
  });

  it('and gives up before the answer', async () => {
    const { invite, cancel, refused } = describeCall(domains.open);
    inbound.twiml['/voice'] = '<Pause length="60"/><Say>Too late.</Say>';
    await run(invite(), rings, cancel(), hear(200), refused(487, undefined, { steps: 6 }));
  });

  it('and hangs up after it', async () => {
    const { invite, ack, bye } = describeCall(domains.open);
    inbound.twiml['/voice'] = '<Say>Hello.</Say><Pause length="60"/>';
    await run(invite(), rings, hear(200), ack(), bye());
    await inbound.exchange.quiet();
    await expect
      .poll(() => inbound.exchange.counts())
      .toMatchObject({ calls: 0, dialogs: 0, mediaSessions: 0 });
  });
});
