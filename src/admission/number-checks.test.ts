// Numbers and limits, as admission asks them: of a domain's calls and of a trunk's.
import { beforeEach, describe, expect, it } from 'vitest';
import { OWNER, requestOf, SDP, World } from '../../test/support/doorstep.ts';
import { dialingPermissionsCountry, newRow } from '../resources/index.ts';
import { Nonces } from '../sip/index.ts';
import { admit } from './admit.ts';
import type { Domain, Place, Trunk } from './identify.ts';
import { InboundPace } from './inbound-pace.ts';
import type { Question } from './question.ts';
import type { Refusal } from './refusal.ts';

let world: World;
beforeEach(() => {
  world = new World();
});

interface Asked {
  readonly uri?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly takeTurn?: Question['takeTurn'];
  readonly anyCallerId?: boolean;
}

function ask(
  place: Place,
  { uri = `sip:100@${place.host}`, takeTurn = () => 'now', anyCallerId = false, ...rest }: Asked,
) {
  const { directory, clock, random } = world;
  return admit({
    request: requestOf('INVITE', uri, { body: SDP, ...rest }),
    received: { transport: 'udp', address: '203.0.113.9', port: 5060 },
    place,
    directory,
    digest: { nonces: new Nonces({ key: Buffer.alloc(32, 1), clock, random }), algorithms: ['MD5'] },
    mayTry: () => true,
    numbers: { emergency: ['112', '911'], tollFraudPrefixes: ['+37163'], anyCallerId },
    takeTurn,
  });
}

function refused(place: Place, asked: Asked): Refusal {
  const verdict = ask(place, asked);
  if (verdict.kind !== 'refused') throw new Error('it was let in');
  return verdict.refusal;
}

function admitted(place: Place, asked: Asked) {
  const verdict = ask(place, asked);
  if (verdict.kind !== 'admitted') throw new Error(`it was refused: ${verdict.refusal.why}`);
  return verdict.admitted;
}

/** Status and code. */
const told = ({ status, headers }: Refusal) => [
  status,
  Number.parseInt(headers.find(([name]) => name === 'X-Twilio-Error')?.[1] ?? '', 10),
];

const at = (domain: Domain): Place => ({ kind: 'domain', host: domain.domainName, domain, by: 'name' });
const over = (trunk: Trunk): Place => ({ kind: 'trunk', host: String(trunk.domainName), trunk });

describe('limits', () => {
  const paced = (limits: ConstructorParameters<typeof InboundPace>[0], liveCalls = 0) => {
    const pace = new InboundPace(limits);
    return (place: Place): Question['takeTurn'] =>
      () =>
        pace.take(
          { accountSid: OWNER, ...(place.kind === 'trunk' && { trunkSid: place.trunk.sid }), liveCalls },
          0,
        );
  };

  it('of a domain are asked last: what is refused before takes no turn', () => {
    const domain = world.domain('acme.sip.twilio.com');
    world.accessList(domain, ['203.0.113.0', 24]);
    const takeTurn = paced({ perSecond: 1 })(at(domain));
    for (const body of ['', SDP.replace('RTP/AVP', 'RTP/SAVP')])
      expect(refused(at(domain), { body, takeTurn }).status).toBe(488);
    expect(admitted(at(domain), { takeTurn }).kind).toBe('domain');
    expect(told(refused(at(domain), { takeTurn }))).toEqual([503, 32_013]);
  });

  it('of a trunk are asked before the numbers, in words of its own', () => {
    const trunk = world.trunk('acme.pstn.twilio.com');
    world.accessList(trunk, ['203.0.113.0', 24]);
    const takeTurn = paced({ perSecond: 1 })(over(trunk));
    expect(told(refused(over(trunk), { uri: 'sip:x@y', takeTurn }))).toEqual([400, 32_101]);
    const late = refused(over(trunk), { uri: 'sip:x@y', takeTurn });
    expect([told(late), late.reason]).toEqual([[503, 32_001], 'Trunk CPS limit exceeded']);
    const pooled = refused(over(trunk), { takeTurn: () => 'account-too-fast' });
    expect(told(pooled)).toEqual([503, 32_012]);
  });

  it('of calls at a time', () => {
    const domain = world.domain('acme.sip.twilio.com');
    world.accessList(domain, ['203.0.113.0', 24]);
    expect(told(refused(at(domain), { takeTurn: paced({ maxCalls: 3 }, 3)(at(domain)) }))).toEqual([
      503, 10_004,
    ]);
    expect(admitted(at(domain), { takeTurn: paced({ maxCalls: 3 }, 2)(at(domain)) }).kind).toBe('domain');
  });

  it('stop no call to an emergency service, where those may be called', () => {
    const takeTurn: Question['takeTurn'] = () => 'too-many-calls';
    const open = world.domain('open.sip.twilio.com', { emergencyCallingEnabled: true });
    const shut = world.domain('shut.sip.twilio.com');
    for (const domain of [open, shut]) world.accessList(domain, ['203.0.113.0', 24]);
    const asked = (user: string): Asked => ({ uri: `sip:${user}@x`, takeTurn });
    expect(admitted(at(open), asked('911')).user).toBe('911');
    expect(admitted(at(open), asked('+112')).user).toBe('+112');
    expect(told(refused(at(open), asked('9112')))).toEqual([503, 10_004]);
    expect(told(refused(at(shut), asked('911')))).toEqual([503, 10_004]);
  });
});

it('as whom a PBX may call is not asked where it may call as anybody', () => {
  const trunk = world.trunk('acme.pstn.twilio.com');
  world.accessList(trunk, ['203.0.113.0', 24]);
  const headers = { From: '<sip:+14155559999@pbx.example>;tag=1' };
  const call = { uri: 'sip:+14155550123@acme.pstn.twilio.com', headers };
  expect(told(refused(over(trunk), call))).toEqual([403, 32_204]);
  expect(admitted(over(trunk), { ...call, anyCallerId: true })).toMatchObject({ callerId: '+14155559999' });
});

it.each([
  // An extension is no number that others could call back.
  [{ From: '<sip:100@pbx.example>;tag=1', 'P-Asserted-Identity': '<sip:+14155550100@pbx.example>' }],
  [
    {
      From: '<sip:100@pbx.example>;tag=1',
      'Remote-Party-ID': '<sip:+14155550100@pbx.example>;party=calling',
    },
  ],
  [{ From: '<sip:anonymous@anonymous.invalid>;tag=1', 'P-Asserted-Identity': '<tel:+1-415-555-0100>' }],
  [{ From: '<sip:14155550100@pbx.example>;tag=1', 'P-Asserted-Identity': '<sip:+14155559999@pbx.example>' }],
  [{ From: '<tel:+1(415)555-0100>;tag=1' }],
])('a PBX calls as the first number that it shows: %o', (headers) => {
  const trunk = world.trunk('acme.pstn.twilio.com');
  world.accessList(trunk, ['203.0.113.0', 24]);
  world.number('+14155550100');
  const call = { uri: 'sip:+14155550123@acme.pstn.twilio.com', headers };
  expect(admitted(over(trunk), call)).toMatchObject({ callerId: '+14155550100' });
});

it.each(['100', '+0123456789', '00441632960000', 'reception', '+1415555010012345678'])(
  'a PBX that shows "%s" alone shows no number',
  (user) => {
    const trunk = world.trunk('acme.pstn.twilio.com');
    world.accessList(trunk, ['203.0.113.0', 24]);
    const headers = { From: `<sip:${user}@pbx.example>;tag=1` };
    const call = { uri: 'sip:+14155550123@acme.pstn.twilio.com', headers, anyCallerId: true };
    expect(told(refused(over(trunk), call))).toEqual([403, 32_206]);
  },
);

describe('dialing permissions of a trunk', () => {
  const closed = (isoCode: string, values: object) => {
    const row = newRow(dialingPermissionsCountry, { accountSid: OWNER, isoCode, ...values }, world);
    world.directory.put(dialingPermissionsCountry, row);
  };
  const calling = (number: string): Asked => ({ uri: `sip:${number}@acme.pstn.twilio.com` });
  let trunk: Trunk;
  beforeEach(() => {
    trunk = world.trunk('acme.pstn.twilio.com');
    world.accessList(trunk, ['203.0.113.0', 24]);
    world.number('+14155550100');
  });

  it('are asked after the numbers, before the media', () => {
    closed('GB', { lowRiskNumbersEnabled: false });
    const refusal = refused(over(trunk), { ...calling('+442079460000'), body: '' });
    expect(told(refusal)).toEqual([403, 32_205]);
    expect([refusal.why, refusal.fix]).toEqual([
      '+442079460000 may not be called: LowRiskNumbersEnabled is off for GB',
      'set it for GB under DialingPermissions',
    ]);
    const foreign = { From: '<sip:+14155559999@pbx.example>;tag=1' };
    expect(told(refused(over(trunk), { ...calling('+442079460000'), headers: foreign }))).toEqual([
      403, 32_204,
    ]);
    expect(admitted(over(trunk), calling('+33123456789')).kind).toBe('trunk');
  });

  it('know numbers of toll fraud by their prefixes', () => {
    closed('LV', { highRiskTollfraudNumbersEnabled: false });
    expect(told(refused(over(trunk), calling('+37163123456')))).toEqual([403, 32_205]);
    expect(admitted(over(trunk), calling('+37167123456')).kind).toBe('trunk');
  });

  it('do not stop a call to an emergency service, which needs no E.164', () => {
    closed('US', { lowRiskNumbersEnabled: false });
    expect(admitted(over(trunk), calling('911'))).toMatchObject({ to: '911', callerId: '+14155550100' });
    expect(told(refused(over(trunk), calling('933')))).toEqual([400, 32_101]);
  });
});
