// SIPp calls SIP domains of a running exchange: each refusal as it reads on the wire, and each answer that TwiML gives.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { domainWith, listenerOf, PASSWORD } from '../support/doors.ts';
import { type Inbound, openDomain, startInbound } from '../support/inbound.ts';
import { hasSipp, startSipp } from './sipp.ts';
import { callerSteps, hear, SIPP_SDP, scenario } from './sipp-caller.ts';

const SRTP = SIPP_SDP.replace(
  'RTP/AVP 0\n',
  'RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\n',
);
const G729 = SIPP_SDP.replace('RTP/AVP 0', 'RTP/AVP 18');

const rings = '<recv response="100" optional="true"/><recv response="180"/>';

const describeCall = (domain: string) => callerSteps({ domain, user: '1000', from: `alice@${domain}` });

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
    writeFileSync(file, scenario(...steps));
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
    await run(invite(SIPP_SDP, 'Max-Forwards: 0\n'), refused(483, 32_006));
  });

  it('with a password, right and wrong', async () => {
    const { invite, ack, acknowledged, refused, hungUp } = describeCall(domains.users);
    inbound.twiml['/voice'] = '<Hangup/>';
    const asked = `<recv response="407" auth="true"/>${acknowledged()}`;
    const auth = (password: string): string =>
      invite(SIPP_SDP, `Max-Forwards: 70\n[authentication username=alice password=${password}]\n`, 2);
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
