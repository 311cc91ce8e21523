// Explain of calls that arrive, held against what then happens to such a call.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { explainCall } from '../../src/cli/explain-call.ts';
import { readConfig } from '../../src/config.ts';
import { listOf, PASSWORD } from '../support/doors.ts';
import { openDomain } from '../support/inbound.ts';
import type { CallOptions } from '../support/softphone.ts';
import { NUMBER, OUTSIDE, requestOf, TrunkScene } from '../support/trunk-scene.ts';
import { twilioClient } from '../support/twilio-client.ts';

const HERE = '127.0.0.1';

let scene: TrunkScene;

beforeAll(async () => {
  scene = await TrunkScene.open();
  scene.hasRefused = true;
});
afterAll(() => scene.close(true));

interface Explained {
  readonly place: { readonly kind: string; readonly sid: string | null; readonly rule: string };
  readonly checks: readonly { readonly check: string; readonly verdict: string; readonly why: string }[];
  readonly rule: string;
  readonly app: { readonly method: string; readonly url: string } | null;
  readonly from: string;
  readonly targets: readonly {
    readonly target: string;
    readonly priority: number;
    readonly probability: number;
    readonly request_uri: string;
  }[];
  readonly verdict: string;
  readonly status: number | null;
  readonly error_code: number | null;
  readonly fix: string | null;
}

async function explained(form: Readonly<Record<string, string>>): Promise<Explained> {
  const { status, body } = await scene.exchange.ours('Explain', { From: OUTSIDE, SourceIp: HERE, ...form });
  expect(status, JSON.stringify(body)).toBe(200);
  return body as never;
}

const verdictOf = ({ checks }: Explained, name: string) =>
  checks.find(({ check }) => check === name)?.verdict;

/** A domain that lets this machine in, or, with other addresses, somebody else. */
async function domainFor(name: string, address = HERE, settings: { readonly secure?: boolean } = {}) {
  const { client } = scene.exchange;
  const domain = await client.sip.domains.create({ domainName: `${name}.sip.twilio.com`, ...settings });
  const list = await client.sip.ipAccessControlLists.create({ friendlyName: `of ${name}` });
  await client.sip
    .ipAccessControlLists(list.sid)
    .ipAddresses.create({ friendlyName: 'one', ipAddress: address });
  const { ipAccessControlListMappings } = client.sip.domains(domain.sid).auth.calls;
  await ipAccessControlListMappings.create({ ipAccessControlListSid: list.sid });
  return domain;
}

const overTrunk = (number: string): string => `sip:${number}@${scene.trunk.domainName}`;

/** What is asked, and the call that is then placed. */
interface Arrival {
  readonly to: string;
  readonly from?: string;
  readonly username?: string;
  readonly expected: readonly [number, number | null];
}

const REFUSED: Readonly<Record<string, () => Promise<Arrival>>> = {
  'a name that nobody has': async () => ({
    to: 'sip:1000@nobody.sip.twilio.com',
    expected: [404, 32_002],
  }),
  'a domain without a list': async () => {
    await scene.exchange.client.sip.domains.create({ domainName: 'bare.sip.twilio.com' });
    return { to: 'sip:1000@bare.sip.twilio.com', expected: [403, 32_200] };
  },
  'a domain for others': async () => {
    await domainFor('others', '203.0.113.12');
    return { to: 'sip:1000@others.sip.twilio.com', expected: [403, 32_201] };
  },
  'a secure domain by UDP': async () => {
    await domainFor('secure', HERE, { secure: true });
    return { to: 'sip:1000@secure.sip.twilio.com', expected: [488, 32_209] };
  },
  'a domain without an app': async () => {
    await domainFor('mute');
    return { to: 'sip:1000@mute.sip.twilio.com', expected: [404, null] };
  },
  'a trunk by an unknown user': async () => ({
    to: overTrunk(OUTSIDE),
    from: NUMBER,
    username: 'mallory',
    expected: [403, 32_202],
  }),
  'a trunk with no number': async () => ({
    to: overTrunk('1000'),
    from: NUMBER,
    username: 'pbx',
    expected: [400, 32_101],
  }),
  "a trunk as somebody else's number": async () => ({
    to: overTrunk(OUTSIDE),
    from: '+14155550177',
    username: 'pbx',
    expected: [403, 32_204],
  }),
  'a trunk to a country that is forbidden': async () => {
    const { bulkCountryUpdates } = scene.exchange.client.voice.v1.dialingPermissions;
    const update = [{ iso_code: 'FR', low_risk_numbers_enabled: 'false' }];
    await bulkCountryUpdates.create({ updateRequest: JSON.stringify(update) });
    return { to: overTrunk('+33123456789'), from: NUMBER, username: 'pbx', expected: [403, 32_205] };
  },
};

describe('a call that would be refused', () => {
  it.each(Object.entries(REFUSED))('for %s, is', async (_name, set) => {
    const { to, from = OUTSIDE, username, expected } = await set();
    const told = await explained({
      To: to,
      From: from,
      ...(username !== undefined && { Username: username }),
    });
    expect([told.status, told.error_code]).toEqual(expected);
    const call = await scene.callsIn({ uri: to, from: `sip:${from}@pbx.example`, ...credentials(username) });
    expect((await call.final).status).toBe(told.status);
    const row = await rejection(to, told);
    expect(row).toMatchObject({ status: told.status, fix: told.fix, count: 1 });
    expect(told.verdict).toContain(row.reason);
  });

  it('says of every check what it finds', async () => {
    await scene.exchange.client.sip.domains.create({ domainName: 'wrong.sip.twilio.com', secure: true });
    const told = await explained({ To: 'sip:1000@wrong.sip.twilio.com', Transport: 'tcp' });
    expect(told.checks.map(({ check, verdict }) => `${check} ${verdict}`)).toEqual([
      'transport refuses',
      'lists refuses',
      'source passes',
      'password passes',
      'account passes',
      'media assumes',
      'hops assumes',
      'contact assumes',
      'turn passes',
    ]);
    const secure = await explained({ To: 'sip:1000@wrong.sip.twilio.com', Transport: 'tls' });
    expect([verdictOf(secure, 'transport'), secure.error_code]).toEqual(['passes', 32_200]);
  });
});

const credentials = (username: string | undefined): Partial<CallOptions> =>
  username === undefined ? {} : { credentials: { username, password: PASSWORD } };

/** As it is kept; a call that is only asked about would be counted with it. */
async function rejection(to: string, { error_code: code }: Explained): Promise<Record<string, unknown>> {
  const query = `?Domain=${to.replace(/^.*@/, '')}`;
  let row: Record<string, unknown> | undefined;
  const find = async () => {
    const rows = await listOf(scene.exchange, 'RejectedCalls', query);
    row = rows.find((each) => each.to === to && each.error_code === code);
    return row;
  };
  await expect.poll(find, { timeout: 10_000 }).toBeDefined();
  return row ?? {};
}

describe('a call that would be let in', () => {
  it('is what the app of a domain is asked about, and Explain names that app', async () => {
    scene.twiml['/own'] = '<Reject/>';
    const domain = await openDomain(scene.exchange, { voiceUrl: `${scene.app.url}/own` });
    const to = `sip:1000@${domain}`;
    const told = await explained({ To: to });
    expect(told).toMatchObject({
      place: { kind: 'domain', rule: expect.stringContaining('is the name of domain') },
      app: { method: 'POST', url: `${scene.app.url}/own` },
      status: null,
      error_code: null,
      targets: [],
    });
    await (await scene.callsIn({ uri: to })).final;
    const asked = await scene.app.received(({ path }) => path === '/own');
    expect(asked.method).toBe(told.app?.method);
    expect((await scene.exchange.trace(await scene.sid())).rule).toBe(told.rule);
    expect(scene.app.requests).toHaveLength(1);
  });

  it('goes over a trunk to the carriers and as the caller that Explain names', async () => {
    const carrier = await scene.peer({ kind: 'refuse', status: 486 });
    const byoc = await scene.route('+1415', carrier.uri);
    const told = await explained({ To: overTrunk(OUTSIDE), From: NUMBER, Username: 'pbx' });
    expect(told).toMatchObject({
      place: { kind: 'trunk', sid: scene.trunk.sid },
      rule: expect.stringContaining(byoc),
      targets: [{ target: carrier.uri, probability: 1 }],
      status: null,
    });
    expect(verdictOf(told, 'password')).toBe('asks');
    expect(told.verdict).toMatch(/^With the right password: The call would be tried at 1 of 1 targets$/);
    expect((await (await scene.callsOut()).final).status).toBe(486);
    const request = requestOf(carrier);
    expect(request?.uri).toBe(told.targets[0]?.request_uri);
    expect(request?.header('From')).toContain(`<${told.from}>`);
    await scene.ended();
    expect((await scene.exchange.trace(await scene.sid())).rule).toBe(told.rule);
  });

  it('reaches the PBX of a number by the URLs that Explain names, and else disaster recovery', async () => {
    const { client } = scene.exchange;
    const trunk = client.trunking.v1.trunks(scene.trunk.sid);
    const to = `sip:${NUMBER}@${scene.domain}`;
    expect(await explained({ To: to })).toMatchObject({ error_code: 32_010, app: null });
    const pbx = await scene.peer({ kind: 'refuse', status: 486 });
    await scene.urls(pbx.uri, 'sip:127.0.0.9:1');
    const told = await explained({ To: to });
    const chances = told.targets.map(({ priority, probability }) => [priority, probability]);
    expect(chances).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect((await (await scene.callsIn()).final).status).toBe(486);
    expect(requestOf(pbx)?.uri).toBe(told.targets[0]?.request_uri);
    expect(requestOf(pbx)?.header('From')).toContain(`<${told.from}>`);
    await scene.ended();
    expect((await scene.exchange.trace(await scene.sid())).rule).toBe(told.rule);

    for (const { sid } of await trunk.originationUrls.list())
      await trunk.originationUrls(sid).update({ enabled: false });
    await trunk.update({ disasterRecoveryUrl: `${scene.app.url}/spare` });
    const spare = await explained({ To: to });
    expect(spare).toMatchObject({ error_code: null, app: { url: `${scene.app.url}/spare` } });
    expect(spare.verdict).toMatch(/^No origination URL can take the call: POST .*\/spare .*would be asked$/);
    scene.twiml['/spare'] = '<Reject/>';
    await (await scene.callsIn()).final;
    await scene.app.received(({ path }) => path === '/spare');
  });

  it('takes no turn by being asked about', async () => {
    const paced = await TrunkScene.open({ env: { TANDEM_CALLS_PER_SECOND: '1' } });
    const form = { To: `sip:${NUMBER}@${paced.domain}`, From: OUTSIDE, SourceIp: HERE };
    const asked = await Promise.all(Array.from({ length: 5 }, () => paced.exchange.ours('Explain', form)));
    const verdicts = asked.map(({ body }) => verdictOf(body as never, 'turn'));
    await paced.close(true);
    expect(verdicts).toEqual(Array.from({ length: 5 }, () => 'passes'));
  });
});

const TO = 'sip:1000@others.sip.twilio.com';

it.each<[Readonly<Record<string, string>>, number, RegExp]>([
  [{ From: '', To: TO }, 21_213, /^Missing required parameter From/],
  [{ To: '' }, 21_201, /^Missing required parameter To/],
  [
    { To: NUMBER },
    21_211,
    /^Invalid Parameter: To must be the SIP URI that the caller asks for, such as sip:/,
  ],
  [{ To: TO, SourceIp: 'here' }, 20_001, /^Invalid Parameter: SourceIp must be the IP address/],
  [{ To: TO, SourceIp: '', Username: 'alice' }, 20_001, /^Missing required parameter SourceIp/],
  [{ To: TO, Transport: 'carrier-pigeon' }, 20_001, /^Invalid Parameter: Transport must be udp, tcp, or tls/],
  [{ To: TO, Byoc: 'BY1' }, 20_001, /^Invalid Parameter: Byoc is for calls that leave/],
])('refuses %j', async (form, code, message) => {
  const answer = await scene.exchange.ours('Explain', { From: OUTSIDE, SourceIp: HERE, ...form });
  expect(answer).toMatchObject({ status: 400, body: { code, message: expect.stringMatching(message) } });
});

it('tells nothing of the domains of another account', async () => {
  const { client, tandem } = scene.exchange;
  const other = await client.api.v2010.accounts.create({ friendlyName: 'other' });
  const theirs = twilioClient(tandem.http, other.sid, other.authToken);
  await theirs.sip.domains.create({ domainName: 'theirs.sip.twilio.com' });
  const form = { To: 'sip:1000@theirs.sip.twilio.com', From: OUTSIDE, SourceIp: HERE };
  expect(await scene.exchange.ours('Explain', form)).toMatchObject({
    status: 400,
    body: { code: 21_211, message: expect.stringMatching(/another account$/) },
  });
});

describe('tandem explain', () => {
  const run = async (to: string, options: object): Promise<string> => {
    const { accountSid, authToken } = scene.exchange.account;
    const { port } = new URL(scene.exchange.tandem.http);
    const settings = { TANDEM_HTTP_PORT: port, TANDEM_ACCOUNT_SID: accountSid, TANDEM_AUTH_TOKEN: authToken };
    let out = '';
    const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += text), true));
    await explainCall(readConfig(settings), { to, from: OUTSIDE, ...options }).finally(() =>
      stdout.mockRestore(),
    );
    return out.replaceAll(/\b([A-Z]{2})[0-9a-f]{32}\b/g, '$1…');
  };

  it('lists the checks, and what to mend', async () => {
    await domainFor('listed', '203.0.113.12');
    expect(await run('sip:1000@listed.sip.twilio.com', { sourceIp: '203.0.113.9' })).toMatchInlineSnapshot(`
      "listed.sip.twilio.com is the name of domain SD…. It asks, in this order:
        ✓ transport  domain listed.sip.twilio.com is not secure, so any transport will do
        ✓ lists      domain listed.sip.twilio.com has lists of who may call
        ✗ source     source 203.0.113.9 is in no list of domain listed.sip.twilio.com; nearest: 203.0.113.12/32 in AL… (of listed)
                     refused with 403, 32201; to mend it: add 203.0.113.9 to AL…
        ✓ password   no credential list is mapped, so none is asked for
        ✓ account    account AC… is active
        – media      taken for granted: its media is RTP without encryption (RTP/AVP), in PCMU or PCMA
        – hops       taken for granted: its Max-Forwards is above 0
        – contact    taken for granted: its Contact is no loopback address
        ✓ turn       there is room for one more call now
      The call would be refused with 403 (32201): source 203.0.113.9 is in no list of domain listed.sip.twilio.com; nearest: 203.0.113.12/32 in AL… (of listed).
      "
    `);
  });

  it('says who nobody is', async () => {
    expect(await run('sip:1000@nowhere.sip.twilio.com', { sourceIp: HERE })).toMatchInlineSnapshot(`
      "nobody here is called by nowhere.sip.twilio.com.
      The call would be refused with 404 (32002): no domain and no trunk is named nowhere.sip.twilio.com.
      To mend it: create the domain, or correct the host that the caller uses.
      "
    `);
  });

  it('asks for the source where only what goes with it is given', async () => {
    await expect(run(TO, { username: 'alice' })).rejects.toThrow(/give --source-ip/);
  });
});
