// What Explain is told of the checks. That they agree with what happens to a call: test/e2e/explain-arrivals.test.ts.
import { beforeEach, describe, expect, it } from 'vitest';
import { World } from '../../test/support/doorstep.ts';
import { Nonces } from '../sip/index.ts';
import { type Examined, type ExaminedQuestion, examine, inviteOf, type Visit } from './examine.ts';
import { identify } from './identify.ts';

const SOURCE = { transport: 'udp', address: '203.0.113.9', port: 0 } as const;

let world: World;
beforeEach(() => {
  world = new World();
});

function ask(visit: Partial<Visit> & { readonly uri: string }, more: Partial<ExaminedQuestion> = {}) {
  const { uri, from = 'sip:+14155550100@pbx.example', received = SOURCE, username } = visit;
  const request = inviteOf({ uri, from, received });
  const place = identify(uri.replace(/^.*@/, ''), received, world);
  if (place.kind === 'unknown') throw new Error('nobody is called');
  return examine({
    request,
    received,
    place,
    directory: world.directory,
    digest: { nonces: new Nonces({ key: Buffer.alloc(32, 1), ...world }), algorithms: ['MD5'] },
    mayTry: () => true,
    numbers: { emergency: ['112'], tollFraudPrefixes: [] },
    takeTurn: () => 'now',
    ...(username !== undefined && { username }),
    ...more,
  });
}

const told = (checks: readonly Examined[], name: string) => {
  const { verdict, why, errorCode } = checks.find(({ check }) => check === name) ?? {};
  return [verdict, errorCode, why];
};

describe('the password', () => {
  const uri = 'sip:100@acme.sip.twilio.com';

  it.each<[string, { readonly user?: string; readonly heard?: boolean }, [string, number | null, RegExp]]>([
    ['no user is named', {}, ['asks', null, /^a user of the credential lists CL\w+ would be asked for/]],
    [
      'the user is known',
      { user: 'alice' },
      ['asks', null, /^that of alice, who is in the credential lists CL/],
    ],
    ['the user is unknown', { user: 'bob' }, ['refuses', 32_202, /^there is no user bob$/]],
    [
      'the user failed too often',
      { user: 'alice', heard: false },
      ['refuses', 32_202, /not listened to for a while$/],
    ],
  ])('where %s', (_name, { user, heard = true }, [verdict, code, why]) => {
    world.credentials(world.domain('acme.sip.twilio.com'), { alice: 'secret' });
    const visit = { uri, ...(user !== undefined && { username: user }) };
    const { checks } = ask(visit, { mayTry: () => heard });
    expect(told(checks, 'password')).toEqual([verdict, code, expect.stringMatching(why)]);
  });

  it('is asked for by nobody without a list', () => {
    world.accessList(world.domain('acme.sip.twilio.com'), ['203.0.113.0', 24]);
    const { checks, admitted } = ask({ uri });
    expect(told(checks, 'password')[0]).toBe('passes');
    expect(told(checks, 'source')[2]).toMatch(
      /^203\.0\.113\.9 is in 203\.0\.113\.0\/24 in AL\w+ \(office\)$/,
    );
    expect(admitted).toMatchObject({ kind: 'domain', user: '100' });
  });
});

it('takes the word of an IpRecord that holds the source', () => {
  world.ipRecord('203.0.113.9', 32, world.domain('acme.sip.twilio.com'));
  const { checks } = ask({ uri: 'sip:100@198.51.100.1' });
  expect([told(checks, 'lists'), told(checks, 'source')]).toEqual([
    ['passes', null, 'the IpRecord says who calls'],
    ['passes', null, 'the IpRecord holds it'],
  ]);
});

it('goes on after a refusal, whose first one counts', () => {
  world.trunk('pbx.pstn.twilio.com');
  const found = ask({ uri: 'sip:100@pbx.pstn.twilio.com', from: 'sip:alice@pbx.example' });
  expect(found.checks.filter(({ verdict }) => verdict === 'refuses').map(({ check }) => check)).toEqual([
    'lists',
    'number',
    'caller',
  ]);
  expect(found.refusal?.errorCode).toBe(32_200);
  expect(found.admitted).toBeUndefined();
});

it('knows whom a trunk may call, and as whom', () => {
  world.accessList(world.trunk('pbx.pstn.twilio.com'), ['203.0.113.0', 24]);
  world.number('+14155550100');
  const { admitted, checks } = ask({ uri: 'sip:112@pbx.pstn.twilio.com' });
  expect(admitted).toMatchObject({ kind: 'trunk', to: '112', callerId: '+14155550100' });
  expect(told(checks, 'number')[2]).toBe('112 is an emergency number');
});
