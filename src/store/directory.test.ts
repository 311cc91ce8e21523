// The mirror's own work: finding by indexes, and doing after a delete what the database does.
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { seededRandom } from '../lib/random.ts';
import {
  call,
  connectionPolicy,
  connectionPolicyTarget,
  credential,
  domain,
  incomingPhoneNumber,
  insecureTarget,
  newRow,
  originationUrl,
  trunk,
} from '../resources/index.ts';
import { DirectoryMirror } from './directory.ts';

const world = { clock: new FakeClock(), random: seededRandom(1) };
const accountSid = 'AC1';
const named = (domainName: string) => newRow(domain, { accountSid, domainName }, world);

describe('finding', () => {
  it('goes by one field, and forgets what a row was before', () => {
    const directory = new DirectoryMirror();
    const row = named('a.sip.twilio.com');
    directory.put(domain, row);
    directory.put(domain, { ...row, domainName: 'b.sip.twilio.com' });
    expect(directory.findBy(domain, { domainName: 'a.sip.twilio.com' })).toEqual([]);
    expect(directory.findBy(domain, { domainName: 'b.sip.twilio.com' })).toMatchObject([{ sid: row.sid }]);
    directory.drop(domain, row.sid);
    expect(directory.findBy(domain, { domainName: 'b.sip.twilio.com' })).toEqual([]);
  });

  it('goes by several fields in any order, and tells what looks alike apart', () => {
    const directory = new DirectoryMirror();
    const put = (credentialListSid: string, username: string) =>
      directory.put(
        credential,
        newRow(credential, { accountSid, credentialListSid, username, password: 'x' }, world),
      );
    for (const [list, user] of [
      ['CL1', 'bob'],
      ['CL2', 'bob'],
      ['CL1', 'b'],
      ['CL1","b', 'ob'],
    ] as const) {
      put(list, user);
    }
    expect(directory.findBy(credential, { username: 'bob' })).toHaveLength(2);
    expect(directory.findBy(credential, { username: 'bob', credentialListSid: 'CL1' })).toHaveLength(1);
    expect(directory.findBy(credential, { credentialListSid: 'CL1', username: 'b' })).toHaveLength(1);
    expect(directory.children(credential, 'CL1').map(({ username }) => username)).toEqual(['bob', 'b']);
  });

  it('refuses to look through everything', () => {
    const directory = new DirectoryMirror();
    expect(() => directory.findBy(domain, { friendlyName: 'x' })).toThrow(
      'Domain has no index of friendlyName',
    );
    expect(() => directory.findBy(call, { to: '+1' })).toThrow(TypeError);
  });
});

describe('dropping a trunk', () => {
  it('drops its URLs and parts its numbers from it', () => {
    const directory = new DirectoryMirror();
    const row = newRow(trunk, { accountSid }, world);
    const other = newRow(trunk, { accountSid }, world);
    const url = (trunkSid: string) =>
      newRow(
        originationUrl,
        {
          accountSid,
          trunkSid,
          friendlyName: 'a',
          sipUrl: 'sip:a.example',
          priority: 1,
          weight: 1,
          enabled: true,
        },
        world,
      );
    const number = newRow(
      incomingPhoneNumber,
      { accountSid, phoneNumber: '+14155550123', trunkSid: row.sid },
      world,
    );
    directory.put(trunk, row);
    directory.put(trunk, other);
    directory.put(originationUrl, url(row.sid));
    directory.put(originationUrl, url(other.sid));
    directory.put(incomingPhoneNumber, number);
    directory.drop(trunk, row.sid);
    expect(directory.all(originationUrl).map(({ trunkSid }) => trunkSid)).toEqual([other.sid]);
    expect(directory.find(incomingPhoneNumber, number.sid)).toEqual({ ...number, trunkSid: null });
    expect(directory.findBy(incomingPhoneNumber, { trunkSid: row.sid })).toEqual([]);
    expect(directory.findBy(incomingPhoneNumber, { phoneNumber: '+14155550123' })).toHaveLength(1);
  });
});

describe('dropping a connection policy', () => {
  it('drops its targets, and what makes them insecure', () => {
    const directory = new DirectoryMirror();
    const [policy, other] = [0, 1].map(() => newRow(connectionPolicy, { accountSid }, world));
    const targetOf = (connectionPolicySid = '') =>
      newRow(connectionPolicyTarget, { accountSid, connectionPolicySid, target: 'sip:a.example' }, world);
    const [gone, kept] = [targetOf(policy?.sid), targetOf(other?.sid)];
    for (const row of [policy, other]) if (row) directory.put(connectionPolicy, row);
    for (const row of [gone, kept]) {
      directory.put(connectionPolicyTarget, row);
      directory.put(insecureTarget, newRow(insecureTarget, { accountSid, targetSid: row.sid }, world));
    }
    directory.drop(connectionPolicy, policy?.sid ?? '');
    expect(directory.all(connectionPolicyTarget)).toEqual([kept]);
    expect(directory.all(insecureTarget).map(({ targetSid }) => targetSid)).toEqual([kept.sid]);
    expect(directory.findBy(insecureTarget, { targetSid: gone.sid })).toEqual([]);
  });
});

describe('taking over a reading', () => {
  it('leaves alone what was written while it was read, and names it', async () => {
    const directory = new DirectoryMirror();
    const kept = named('kept.sip.twilio.com');
    const changed = named('changed.sip.twilio.com');
    const removed = named('removed.sip.twilio.com');
    const added = named('added.sip.twilio.com');
    for (const row of [kept, changed, removed, named('gone.sip.twilio.com')]) directory.put(domain, row);
    const left = await directory.takeOver(domain, async () => {
      directory.put(domain, { ...changed, secure: true });
      directory.drop(domain, removed.sid);
      directory.put(domain, added);
      return [{ ...kept, secure: true }, changed, removed];
    });
    expect(left.toSorted()).toEqual([changed.sid, removed.sid, added.sid].toSorted());
    expect(directory.all(domain)).toEqual([{ ...kept, secure: true }, { ...changed, secure: true }, added]);
    expect(await directory.takeOver(domain, async () => [kept])).toEqual([]);
    expect(directory.all(domain)).toHaveLength(1);
  });
});
