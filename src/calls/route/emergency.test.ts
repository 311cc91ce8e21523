import { beforeEach, describe, expect, it } from 'vitest';
import { OWNER, World } from '../../../test/support/doorstep.ts';
import { carrierRoute, domain, incomingPhoneNumber, newRow } from '../../resources/index.ts';
import { type EmergencyQuestion, judgeEmergency } from './emergency.ts';

const NUMBERS = ['112', '911'];
const CALL: EmergencyQuestion = { accountSid: OWNER, to: '911', from: '+14155550100', by: 'dial' };

let world: World;
beforeEach(() => {
  world = new World();
});

const judge = (question: Partial<EmergencyQuestion> = {}) =>
  judgeEmergency({ ...CALL, ...question }, NUMBERS, world.directory);

const whyNot = (question: Partial<EmergencyQuestion> = {}) => {
  const verdict = judge(question);
  return verdict.kind === 'refused' ? verdict.why : verdict.kind;
};

function route(prefix: string, byocTrunkSid: string, priority = 10, accountSid = OWNER): string {
  const row = newRow(carrierRoute, { accountSid, prefix, byocTrunkSid, priority }, world);
  world.directory.put(carrierRoute, row);
  return row.sid;
}

function ownNumber(phoneNumber: string, emergencyStatus: 'Active' | 'Inactive' = 'Inactive'): string {
  const row = newRow(incomingPhoneNumber, { accountSid: OWNER, phoneNumber, emergencyStatus }, world);
  world.directory.put(incomingPhoneNumber, row);
  return row.sid;
}

it.each(['+14155550100', '9112', '91', '+9111', 'sip:911@a', ''])('%s is no emergency', (to) => {
  expect(judge({ to })).toEqual({ kind: 'no-emergency' });
});

describe('over a domain', () => {
  it('is refused until the domain allows it and a route has that very prefix', () => {
    const home = world.domain('acme.sip.twilio.com');
    for (const prefix of ['', '+9', '+91', '+112']) route(prefix, 'BY1');
    expect(whyNot({ domainSid: home.sid })).toBe(
      'the emergency number 911 cannot be called: EmergencyCallingEnabled is off for acme.sip.twilio.com',
    );
    world.directory.put(domain, { ...home, emergencyCallingEnabled: true });
    expect(whyNot({ domainSid: home.sid })).toBe(
      'the emergency number 911 cannot be called: no CarrierRoute has the prefix +911',
    );
    route('+911', 'BY2', 10, `AC${'9'.repeat(32)}`);
    expect(judge({ domainSid: home.sid }).kind).toBe('refused');
    const routeSid = route('+911', 'BY3');
    expect(judge({ domainSid: home.sid })).toEqual({
      kind: 'allowed',
      to: '911',
      carrier: { routeSid, trunkSid: 'BY3' },
      callerId: '+14155550100',
    });
  });

  it('shows the emergency caller', () => {
    const emergencyCallerSid = ownNumber('+14155550111');
    const values = { emergencyCallingEnabled: true, emergencyCallerSid };
    const home = world.domain('acme.sip.twilio.com', values);
    route('+112', 'BY1', 20);
    const first = route('+112', 'BY2', 5);
    expect(judge({ to: '+112', domainSid: home.sid, from: 'alice' })).toEqual({
      kind: 'allowed',
      to: '112',
      carrier: { routeSid: first, trunkSid: 'BY2' },
      callerId: '+14155550111',
    });
  });
});

it.each([
  ['dial', 13_225],
  ['api', 21_216],
  ['trunk', 32_203],
] as const)('is refused in the words of who asks: %s', (by, code) => {
  expect(judge({ by })).toMatchObject({ kind: 'refused', code });
});

describe('over no domain', () => {
  beforeEach(() => void route('+911', 'BY1'));

  it('is refused unless the caller is a number that emergency calls may come from', () => {
    const why =
      'the emergency number 911 cannot be called: the caller +14155550100 is no number of the account with EmergencyStatus Active';
    expect(whyNot()).toBe(why);
    ownNumber('+14155550100');
    expect(whyNot()).toBe(why);
  });

  it('goes out as that number', () => {
    ownNumber('+14155550100', 'Active');
    expect(judge()).toMatchObject({ kind: 'allowed', callerId: '+14155550100' });
  });
});
