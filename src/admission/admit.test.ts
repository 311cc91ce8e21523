import { beforeEach, describe, expect, it } from 'vitest';
import { OWNER, requestOf, SDP, World } from '../../test/support/doorstep.ts';
import { account } from '../resources/index.ts';
import { answerChallenge, formatAnswer, parseChallenge } from '../sip/auth/digest.ts';
import { type Endpoint, Nonces } from '../sip/index.ts';
import { admit } from './admit.ts';
import type { Admitted } from './admitted.ts';
import { type Domain, identify, type Place, type Trunk } from './identify.ts';
import type { Question } from './question.ts';
import type { Refusal } from './refusal.ts';

const SOURCE: Endpoint = { transport: 'udp', address: '203.0.113.9', port: 5060 };
const TLS: Endpoint = { ...SOURCE, transport: 'tls' };
const SAVP = SDP.replace('RTP/AVP', 'RTP/SAVP');

let world: World;
let nonces: Nonces;
beforeEach(() => {
  world = new World();
  nonces = new Nonces({ key: Buffer.alloc(32, 1), clock: world.clock, random: world.random });
});

interface Asked {
  readonly uri?: string;
  readonly received?: Endpoint;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly mayTry?: Question['mayTry'];
}

const NO_LIMITS = {
  numbers: { emergency: [], tollFraudPrefixes: [] },
  takeTurn: () => 'now',
} satisfies Partial<Question>;

function ask(place: Place, asked: Asked = {}) {
  const { uri = `sip:100@${place.host}`, received = SOURCE, headers = {}, body = SDP } = asked;
  return admit({
    request: requestOf('INVITE', uri, { headers, body }),
    received,
    place,
    directory: world.directory,
    digest: { nonces, algorithms: ['MD5'] },
    mayTry: asked.mayTry ?? (() => true),
    ...NO_LIMITS,
  });
}

function refused(place: Place, asked: Asked = {}): Refusal {
  const verdict = ask(place, asked);
  if (verdict.kind !== 'refused') throw new Error('it was let in');
  return verdict.refusal;
}

function admitted(place: Place, asked: Asked = {}): Admitted {
  const verdict = ask(place, asked);
  if (verdict.kind !== 'admitted') throw new Error(`it was refused: ${verdict.refusal.why}`);
  return verdict.admitted;
}

/** Status and code, and both as the response has them. */
const told = ({ status, errorCode, headers }: Refusal) => {
  const sent = headers.find(([name]) => name === 'X-Twilio-Error')?.[1];
  expect(sent === undefined ? undefined : Number.parseInt(sent, 10)).toBe(errorCode);
  return [status, errorCode];
};

const at = (domain: Domain): Place => ({ kind: 'domain', host: domain.domainName, domain, by: 'name' });
const over = (trunk: Trunk): Place => ({ kind: 'trunk', host: String(trunk.domainName), trunk });

function answer(refusal: Refusal, username: string, password: string): Readonly<Record<string, string>> {
  const challenge = parseChallenge(
    refusal.headers.find(([name]) => name === 'Proxy-Authenticate')?.[1] ?? '',
  );
  if (!challenge) throw new Error('no challenge');
  const request = { method: 'INVITE', uri: 'sip:h', cnonce: 'c', nc: 1 };
  return {
    'Proxy-Authorization': formatAnswer(answerChallenge(challenge, { username, password }, request)),
  };
}

describe('the checks of a domain, in order', () => {
  it('goes through all of them, each refusing before the next is asked', () => {
    const domain = world.domain('acme.sip.twilio.com', { secure: true });
    const bad: Asked = { headers: { 'Max-Forwards': '0', Contact: '<sip:a@127.0.0.1>' }, body: '' };
    expect(told(refused(at(domain), bad))).toEqual([488, 32_209]);
    expect(told(refused(at(domain), { ...bad, received: TLS }))).toEqual([403, 32_200]);
    const acl = world.accessList(domain, ['198.51.100.0', 24]);
    world.credentials(domain, { alice: 'secret' });
    expect(told(refused(at(domain), { ...bad, received: TLS }))).toEqual([403, 32_201]);
    const inside = { ...TLS, address: '198.51.100.77' };
    const challenge = refused(at(domain), { ...bad, received: inside });
    expect(told(challenge)).toEqual([407, undefined]);
    const authorized = (body: string, more = {}): Asked => ({
      received: inside,
      body,
      headers: {
        ...bad.headers,
        ...answer(refused(at(domain), { received: inside }), 'alice', 'secret'),
        ...more,
      },
    });
    expect(told(refused(at(domain), authorized('')))).toEqual([488, 32_103]);
    expect(told(refused(at(domain), authorized(SDP)))).toEqual([488, 32_208]);
    expect(told(refused(at(domain), authorized('v=1\r\n')))).toEqual([400, 32_102]);
    expect(acl).toMatch(/^AL/);
  });

  it.each([
    ['no description', '', 488, 32_103],
    ['SRTP', SAVP, 488, 32_207],
    [
      'SRTP after a stream that is off',
      `${SDP.split('m=')[0]}m=audio 0 RTP/AVP 0\r\nm=audio 9 RTP/SAVP 0\r\n`,
      488,
      32_207,
    ],
    ['what is no description', 'hello', 400, 32_102],
    ['codecs that we do not speak', SDP.replace('RTP/AVP 0 8 101', 'RTP/AVP 18'), 488, undefined],
    ['no audio', SDP.replace('m=audio', 'm=video'), 488, undefined],
  ])('%s offered to a domain that is not secure', (_what, body, status, code) => {
    const domain = world.domain('acme.sip.twilio.com');
    world.accessList(domain, ['203.0.113.0', 24]);
    expect(told(refused(at(domain), { body }))).toEqual([status, code]);
  });

  it.each([
    [{ 'Max-Forwards': '0' }, 483, 32_006],
    [{ Contact: '<sip:a@127.0.0.1>' }, 400, 32_105],
    [{ Contact: '"A" <sip:a@localhost:5062>' }, 400, 32_105],
    [{ Contact: '<sip:a@[::1]>' }, 400, 32_105],
  ])('%o', (headers, status, code) => {
    const domain = world.domain('acme.sip.twilio.com');
    world.accessList(domain, ['203.0.113.0', 24], ['127.0.0.1', 32]);
    expect(told(refused(at(domain), { headers }))).toEqual([status, code]);
  });

  it('a loopback Contact is fine where the caller is on this machine', () => {
    const domain = world.domain('acme.sip.twilio.com');
    world.accessList(domain, ['127.0.0.1', 32]);
    const received = { ...SOURCE, address: '127.0.0.1' };
    expect(admitted(at(domain), { received, headers: { Contact: '<sip:a@127.0.0.1>' } })).toMatchObject({
      kind: 'domain',
    });
  });
});

describe('the source', () => {
  it.each([
    ['203.0.113.9', true],
    ['203.0.113.11', true],
    ['203.0.113.12', false],
    ['203.0.113.7', false],
    ['198.51.100.1', true],
    ['2001:db8::1', false],
  ])('%s is in the lists: %s', (address, isIn) => {
    const domain = world.domain('acme.sip.twilio.com');
    world.accessList(domain, ['203.0.113.9', 30]);
    world.accessList(domain, ['198.51.100.1', 32]);
    expect(ask(at(domain), { received: { ...SOURCE, address } }).kind).toBe(isIn ? 'admitted' : 'refused');
  });

  it('that is in none is told the nearest, in plain words', () => {
    const domain = world.domain('acme.sip.twilio.com');
    world.accessList(domain, ['203.0.112.0', 25], ['203.0.114.0', 24]);
    const near = world.accessList(domain, ['203.0.113.12', 30]);
    const { why, fix } = refused(at(domain));
    expect(why).toBe(
      `source 203.0.113.9 is in no list of domain acme.sip.twilio.com; nearest: 203.0.113.12/30 in ${near} (office)`,
    );
    expect(fix).toContain(`add 203.0.113.9 to `);
    expect(fix).toContain(near);
  });

  it('that an IP record mapped needs no list, and a called address does', () => {
    const domain = world.domain('acme.sip.twilio.com');
    world.ipRecord('203.0.113.9', 32, domain);
    const premises = { directory: world.directory, suffixes: world.suffixes };
    const bySource = identify('192.0.2.7', SOURCE, premises) as Place;
    expect(admitted(bySource, { uri: 'sip:+14155550100@192.0.2.7' })).toMatchObject({ by: 'source-address' });
    world.accessList(domain, ['198.51.100.1', 32]);
    expect(admitted(bySource)).toMatchObject({ by: 'source-address' });
    world.credentials(domain, { alice: 'secret' });
    expect(told(refused(bySource))).toEqual([407, undefined]);

    world.ipRecord('192.0.2.7', 32, domain);
    const byCalled = identify('192.0.2.7', SOURCE, premises) as Place;
    expect(told(refused(byCalled))).toEqual([403, 32_201]);
  });
});

describe('credentials', () => {
  let domain: Domain;
  beforeEach(() => {
    domain = world.domain('acme.sip.twilio.com');
    world.credentials(domain, { alice: 'secret', bob: 'old' });
    world.credentials(domain, { bob: 'new' });
  });

  it.each([
    ['alice', 'secret'],
    ['bob', 'old'],
    ['bob', 'new'],
  ])('of %s with "%s" are right, in whichever list', (username, password) => {
    const headers = answer(refused(at(domain)), username, password);
    expect(admitted(at(domain), { headers })).toMatchObject({ username, accountSid: OWNER });
    // A nonce count is good once; who knows the password gets a new nonce.
    const again = refused(at(domain), { headers });
    expect([told(again), again.headers[0]?.[1]]).toEqual([
      [407, undefined],
      expect.stringContaining('stale=true'),
    ]);
  });

  it('that are wrong say no more than those of somebody unknown', () => {
    const wrong = refused(at(domain), { headers: answer(refused(at(domain)), 'alice', 'guess') });
    const unknown = refused(at(domain), { headers: answer(refused(at(domain)), 'mallory', 'guess') });
    const onTheWire = ({ status, reason, headers }: Refusal) => ({ status, reason, headers });
    expect(onTheWire(wrong)).toEqual(onTheWire(unknown));
    expect(told(wrong)).toEqual([403, 32_202]);
    expect([wrong.why, unknown.why]).toEqual([
      'the password of user alice is wrong',
      'there is no user mallory',
    ]);
  });

  it('for a nonce of another domain are none', () => {
    const other = world.domain('other.sip.twilio.com');
    world.credentials(other, { alice: 'secret' });
    const headers = answer(refused(at(other)), 'alice', 'secret');
    expect(refused(at(domain), { headers })).toMatchObject({ status: 407, challenge: true });
  });

  it('are taken from Authorization as well', () => {
    const { 'Proxy-Authorization': value = '' } = answer(refused(at(domain)), 'alice', 'secret');
    expect(admitted(at(domain), { headers: { Authorization: value } })).toMatchObject({ username: 'alice' });
  });

  it('are not looked at while their user is backed off', () => {
    const headers = answer(refused(at(domain)), 'alice', 'secret');
    expect(refused(at(domain), { headers, mayTry: (user) => user !== 'alice' })).toMatchObject({
      silent: true,
    });
    expect(admitted(at(domain), { headers })).toMatchObject({ username: 'alice' });
  });

  it('can be answered with SHA-256 where that is asked for', () => {
    const digest = { nonces, algorithms: ['SHA-256'] } as const;
    const question = (headers = {}): Question => ({
      request: requestOf('INVITE', 'sip:1@acme.sip.twilio.com', { headers, body: SDP }),
      received: SOURCE,
      place: at(domain),
      directory: world.directory,
      digest,
      mayTry: () => true,
      ...NO_LIMITS,
    });
    const challenge = admit(question());
    if (challenge.kind !== 'refused') throw new Error('it was let in');
    expect(challenge.refusal.headers[0]?.[1]).toContain('algorithm=SHA-256');
    expect(admit(question(answer(challenge.refusal, 'bob', 'new'))).kind).toBe('admitted');
    expect(admit(question(answer(challenge.refusal, 'bob', 'newer'))).kind).toBe('refused');
  });
});

it.each([
  ['suspended', OWNER, 403],
  ['closed', `AC${'2'.repeat(32)}`, 403],
  ['active', OWNER, undefined],
] as const)('an account that is %s (%s)', (status, sid, expected) => {
  const sub = `AC${'2'.repeat(32)}`;
  world.account(sub, OWNER);
  const row = world.directory.find(account, sid);
  if (row) world.directory.put(account, { ...row, status });
  const domain = world.domain('sub.sip.twilio.com', { accountSid: sub });
  world.accessList(domain, ['203.0.113.0', 24]);
  const verdict = ask(at(domain));
  expect(verdict.kind === 'refused' ? verdict.refusal : {}).toMatchObject(
    expected ? { status: expected, errorCode: 32_005 } : {},
  );
});

describe('a call that is let in', () => {
  it('says by whom, from where and with how many hops left', () => {
    const domain = world.domain('acme.sip.twilio.com');
    world.accessList(domain, ['203.0.113.0', 24]);
    world.number('+14155550199');
    const call = admitted(at(domain), {
      uri: 'sip:+14155550199@acme.sip.twilio.com;user=phone',
      headers: { 'Max-Forwards': '12' },
    });
    expect(call).toMatchObject({
      user: '+14155550199',
      hopsLeft: 11,
      received: SOURCE,
      host: 'acme.sip.twilio.com',
    });
    expect(call).toMatchObject({ number: { phoneNumber: '+14155550199' }, offer: { address: '192.0.2.1' } });
  });

  it('looks a number up in its own family only', () => {
    const [sub, sibling, stranger] = ['2', '3', '4'].map((digit) => `AC${digit.repeat(32)}`) as [
      string,
      string,
      string,
    ];
    world.account(sub, OWNER);
    world.account(sibling, OWNER);
    world.account(stranger, stranger);
    world.number('+14155550001', OWNER);
    world.number('+14155550002', sub);
    world.number('+14155550003', sibling);
    world.number('+14155550004', stranger);
    const owned = (accountSid: string) => {
      const domain = world.domain(`${accountSid.toLowerCase()}.sip.twilio.com`, { accountSid });
      world.accessList(domain, ['203.0.113.0', 24]);
      return ['1', '2', '3', '4'].filter((digit) => {
        const call = admitted(at(domain), { uri: `sip:+1415555000${digit}@x` });
        return call.kind === 'domain' && call.number;
      });
    };
    expect(owned(OWNER)).toEqual(['1', '2', '3']);
    expect(owned(sub)).toEqual(['1', '2']);
    expect(owned(stranger)).toEqual(['4']);
  });
});

describe('a trunk', () => {
  let trunk: Trunk;
  beforeEach(() => {
    trunk = world.trunk('acme.pstn.twilio.com');
    world.accessList(trunk, ['203.0.113.0', 24]);
    world.number('+14155550100');
  });

  it('takes a call to a number from a number of its account', () => {
    world.callerId('+14155550101');
    const uri = 'sip:+442071838750@acme.pstn.twilio.com';
    expect(admitted(over(trunk), { uri })).toMatchObject({
      kind: 'trunk',
      accountSid: OWNER,
      to: '+442071838750',
      callerId: '+14155550100',
    });
    const asserted = {
      From: '<sip:anonymous@anonymous.invalid>;tag=1',
      'P-Asserted-Identity': '<sip:14155550101@pbx.example>',
    };
    expect(admitted(over(trunk), { uri, headers: asserted })).toMatchObject({ callerId: '+14155550101' });
  });

  it('asks in its own order', () => {
    const uri = 'sip:+442071838750@acme.pstn.twilio.com';
    const foreign = { From: '<sip:+14155559999@pbx.example>;tag=1' };
    const nobody = { From: '<sip:pbx@pbx.example>;tag=1' };
    const everything = { headers: { ...foreign, 'Max-Forwards': '0' }, body: '', uri: 'sip:442071838750@x' };
    const away = { ...SOURCE, address: '198.51.100.1' };
    expect(told(refused(over(trunk), { ...everything, received: away }))).toEqual([403, 32_201]);
    expect(told(refused(over(trunk), everything))).toEqual([400, 32_101]);
    expect(told(refused(over(trunk), { ...everything, uri }))).toEqual([403, 32_204]);
    expect(told(refused(over(trunk), { ...everything, uri, headers: nobody }))).toEqual([403, 32_206]);
    expect(told(refused(over(trunk), { uri, body: '' }))).toEqual([488, 32_103]);
    expect(told(refused(over(trunk), { uri, headers: { 'Max-Forwards': '0' } }))).toEqual([483, 32_006]);
  });

  it('with both kinds of list asks for an address of one and a password of the other', () => {
    world.credentials(trunk, { pbx: 'one' });
    world.credentials(trunk, { pbx: 'two' });
    const uri = 'sip:+442071838750@acme.pstn.twilio.com';
    const shows = (password: string) => answer(refused(over(trunk), { uri }), 'pbx', password);
    expect(told(refused(over(trunk), { uri }))).toEqual([407, undefined]);
    expect(told(refused(over(trunk), { uri, headers: shows('three') }))).toEqual([403, 32_202]);
    const away = { ...SOURCE, address: '198.51.100.1' };
    expect(told(refused(over(trunk), { uri, headers: shows('one'), received: away }))).toEqual([403, 32_201]);
    for (const password of ['one', 'two'])
      expect(admitted(over(trunk), { uri, headers: shows(password) })).toMatchObject({ username: 'pbx' });
  });

  it('of an account that is suspended takes nothing, before it looks at a number', () => {
    const row = world.directory.find(account, OWNER);
    if (row) world.directory.put(account, { ...row, status: 'suspended' });
    expect(told(refused(over(trunk), { uri: 'sip:x@y' }))).toEqual([403, 32_005]);
  });

  it('that is secure takes TLS only, and one without any list nobody', () => {
    const secure = world.trunk('safe.pstn.twilio.com', { secure: true });
    expect(told(refused(over(secure)))).toEqual([488, 32_209]);
    expect(told(refused(over(secure), { received: TLS }))).toEqual([403, 32_200]);
  });
});
