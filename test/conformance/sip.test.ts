// SIP domains, lists and mappings through the official client: every verb, every refusal.
import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { credential, digestOf, domain } from '../../src/resources/index.ts';
import { OWNER, STRANGER, startApi } from '../support/api-server.ts';
import { codeOf, failed } from './failed.ts';

const NOWHERE = '0'.repeat(32);
const PASSWORD = 'Correct-horse-1';

describe('SIP domains', () => {
  it('are created with all parameters, changed and cleared', async () => {
    const { client } = await startApi();
    const { sid: byocTrunkSid } = await client.voice.v1.byocTrunks.create();
    const { sid: emergencyCallerSid } = await client.incomingPhoneNumbers.create({
      phoneNumber: '+14155550100',
    });
    const values = {
      domainName: 'dunder-mifflin.sip.twilio.com',
      friendlyName: 'Scranton',
      voiceUrl: 'https://a.example/voice',
      voiceMethod: 'GET',
      voiceFallbackUrl: 'https://a.example/fallback',
      voiceFallbackMethod: 'GET',
      voiceStatusCallbackUrl: 'https://a.example/status',
      voiceStatusCallbackMethod: 'GET',
      sipRegistration: true,
      emergencyCallingEnabled: true,
      secure: true,
      byocTrunkSid,
      emergencyCallerSid,
    };
    const created = await client.sip.domains.create(values);
    expect(created).toMatchObject({ ...values, authType: '', apiVersion: '2010-04-01' });
    const context = client.sip.domains(created.sid);
    expect(
      await context.update({
        voiceUrl: '',
        byocTrunkSid: '',
        emergencyCallerSid: '',
        friendlyName: '',
        secure: false,
      }),
    ).toMatchObject({
      voiceUrl: null,
      byocTrunkSid: null,
      emergencyCallerSid: null,
      friendlyName: null,
      secure: false,
      voiceMethod: 'GET',
    });
    expect(await client.sip.domains.list()).toHaveLength(1);
    expect(await context.remove()).toBe(true);
    expect(await failed(context.fetch())).toMatchObject({ status: 404, code: 20404 });
  });

  it('have defaults', async () => {
    const { client } = await startApi();
    expect(await client.sip.domains.create({ domainName: 'A-1.SIP.twilio.com' })).toMatchObject({
      domainName: 'a-1.sip.twilio.com',
      friendlyName: null,
      voiceUrl: null,
      voiceMethod: 'POST',
      voiceFallbackUrl: null,
      voiceFallbackMethod: 'POST',
      voiceStatusCallbackUrl: null,
      voiceStatusCallbackMethod: 'POST',
      sipRegistration: false,
      emergencyCallingEnabled: false,
      secure: false,
      byocTrunkSid: null,
      emergencyCallerSid: null,
    });
  });

  const BAD_NAMES: readonly (readonly [name: string, code: number])[] = [
    ['example.com', 21231],
    ['sip.twilio.com', 21231],
    ['.sip.twilio.com', 21231],
    ['a_b.sip.twilio.com', 21231],
    ['-a.sip.twilio.com', 21231],
    ['a-.sip.twilio.com', 21231],
    ['ä.sip.twilio.com', 21231],
    ['a b.sip.twilio.com', 21231],
    [`${'a'.repeat(64)}.sip.twilio.com`, 21231],
    ['a.pstn.twilio.com', 21231],
    ['', 21231],
    ['a.b.sip.twilio.com', 21232],
    [`${STRANGER.sid}.sip.twilio.com`, 21232],
    [`x.${STRANGER.sid}.sip.twilio.com`, 21232],
  ];

  it('are not named just anything', async () => {
    const { client } = await startApi();
    for (const [domainName, code] of BAD_NAMES) {
      const { status, code: answered } = await failed(client.sip.domains.create({ domainName }));
      expect([domainName, status, answered]).toEqual([domainName, 400, code]);
    }
    expect(await client.sip.domains.list()).toEqual([]);
  });

  it('have names that are unique in either case, over all accounts', async () => {
    const { client, stranger } = await startApi();
    await client.sip.domains.create({ domainName: 'one.sip.twilio.com' });
    const other = await stranger.sip.domains.create({ domainName: 'two.sip.twilio.com' });
    const taken = { status: 400, code: 21232, message: 'Domain one.sip.twilio.com already exists.' };
    expect(await failed(client.sip.domains.create({ domainName: 'One.sip.twilio.com' }))).toEqual(taken);
    expect(await failed(stranger.sip.domains.create({ domainName: 'ONE.sip.twilio.com' }))).toEqual(taken);
    expect(
      await failed(stranger.sip.domains(other.sid).update({ domainName: 'one.sip.twilio.com' })),
    ).toEqual(taken);
    expect((await stranger.sip.domains(other.sid).update({ domainName: 'Two.sip.twilio.com' })).domainName).toBe('two.sip.twilio.com');
  });

  it('have subdomains, which keep them from going', async () => {
    const { client, stranger } = await startApi();
    const top = await client.sip.domains.create({ domainName: 'top.sip.twilio.com' });
    expect(await failed(stranger.sip.domains.create({ domainName: 'x.top.sip.twilio.com' }))).toEqual({
      status: 400,
      code: 21232,
      message: 'Cannot create subdomain because the parent domain does not exist',
    });
    const below = await client.sip.domains.create({ domainName: 'x.top.sip.twilio.com' });
    expect(await codeOf(client.sip.domains(top.sid).remove())).toBe(21233);
    expect(await codeOf(client.sip.domains(top.sid).update({ domainName: 'other.sip.twilio.com' }))).toBe(21233);
    expect((await client.sip.domains(top.sid).update({ friendlyName: 'x' })).friendlyName).toBe('x');
    await client.sip.domains(below.sid).update({ domainName: 'free.sip.twilio.com' });
    expect(await client.sip.domains(top.sid).remove()).toBe(true);
    await client.sip.domains.create({ domainName: `x.${OWNER.sid}.sip.twilio.com` });
  });

  it('live under the suffixes that are set', async () => {
    const { client } = await startApi({ suffixes: { sip: ['sip.example.com'], trunk: ['pstn.example.com'] } });
    expect(await codeOf(client.sip.domains.create({ domainName: 'a.sip.twilio.com' }))).toBe(21231);
    await client.sip.domains.create({ domainName: 'a.sip.example.com' });
  });

  it('refer to what is there, which stays as long as they do', async () => {
    const { client, stranger } = await startApi();
    const trunk = await client.voice.v1.byocTrunks.create();
    const theirs = await stranger.voice.v1.byocTrunks.create();
    for (const byocTrunkSid of [theirs.sid, `BY${NOWHERE}`, 'x']) {
      expect(
        await codeOf(client.sip.domains.create({ domainName: 'a.sip.twilio.com', byocTrunkSid })),
      ).toBe(byocTrunkSid === 'x' ? 21231 : 20001);
    }
    const { sid } = await client.sip.domains.create({
      domainName: 'a.sip.twilio.com',
      byocTrunkSid: trunk.sid,
    });
    expect(await failed(client.voice.v1.byocTrunks(trunk.sid).remove())).toMatchObject({
      status: 400,
      code: 20001,
      message: `ByocTrunk ${trunk.sid} cannot be deleted: Domain ${sid} refers to it by ByocTrunkSid`,
    });
    await client.voice.v1.byocTrunks(trunk.sid).update({ fromDomainSid: sid });
    expect(await codeOf(client.sip.domains(sid).remove())).toBe(20001);
    await client.sip.domains(sid).update({ byocTrunkSid: '' });
    expect(await client.voice.v1.byocTrunks(trunk.sid).remove()).toBe(true);
    expect(await client.sip.domains(sid).remove()).toBe(true);
  });

  it('are found by name', async () => {
    const { client, store } = await startApi();
    const { sid } = await client.sip.domains.create({ domainName: 'a.sip.twilio.com' });
    const named = (domainName: string) => store.directory.findBy(domain, { domainName })[0]?.sid;
    expect(named('a.sip.twilio.com')).toBe(sid);
    await client.sip.domains(sid).update({ domainName: 'b.sip.twilio.com' });
    expect([named('a.sip.twilio.com'), named('b.sip.twilio.com')]).toEqual([undefined, sid]);
    await client.sip.domains(sid).remove();
    expect(named('b.sip.twilio.com')).toBeUndefined();
  });
});

describe('mappings', () => {
  async function world() {
    const api = await startApi();
    const { client } = api;
    const { sid } = await client.sip.domains.create({ domainName: 'a.sip.twilio.com' });
    const credentials = await client.sip.credentialLists.create({ friendlyName: 'phones' });
    const addresses = await client.sip.ipAccessControlLists.create({ friendlyName: 'gateways' });
    return { ...api, context: client.sip.domains(sid), sid, credentials, addresses };
  }

  it('let calls in, by two paths to the same rows', async () => {
    const { client, context, sid, credentials, addresses } = await world();
    const { calls } = context.auth;
    const mapped = await calls.credentialListMappings.create({ credentialListSid: credentials.sid });
    expect(mapped).toMatchObject({ sid: credentials.sid, friendlyName: 'phones', accountSid: OWNER.sid });
    expect((await context.fetch()).authType).toBe('CREDENTIAL_LIST');
    expect(await context.credentialListMappings(credentials.sid).fetch()).toMatchObject({
      sid: credentials.sid,
      domainSid: sid,
      friendlyName: 'phones',
    });
    const duplicate = { status: 400, code: 21231, message: 'CredentialList already associated with this domain' };
    const again = { credentialListSid: credentials.sid };
    expect(await failed(context.credentialListMappings.create(again))).toEqual(duplicate);
    expect(await failed(calls.credentialListMappings.create(again))).toEqual(duplicate);
    await context.ipAccessControlListMappings.create({ ipAccessControlListSid: addresses.sid });
    expect(
      await failed(
        calls.ipAccessControlListMappings.create({ ipAccessControlListSid: addresses.sid }),
      ),
    ).toEqual({ status: 400, code: 21231, message: 'IpAccessControlList already associated with this domain' });
    expect((await context.fetch()).authType).toBe('CREDENTIAL_LIST,IP_ACL');
    expect((await calls.ipAccessControlListMappings.list()).map((each) => each.sid)).toEqual([addresses.sid]);
    await client.sip.credentialLists(credentials.sid).update({ friendlyName: 'renamed' });
    expect((await calls.credentialListMappings(credentials.sid).fetch()).friendlyName).toBe('renamed');
    expect(await calls.credentialListMappings(credentials.sid).remove()).toBe(true);
    expect(await codeOf(context.credentialListMappings(credentials.sid).fetch())).toBe(20404);
    expect(await codeOf(context.credentialListMappings(credentials.sid).remove())).toBe(20404);
    expect((await context.fetch()).authType).toBe('IP_ACL');
  });

  it('let phones register, apart from calls', async () => {
    const { context, credentials } = await world();
    const { registrations, calls } = context.auth;
    await registrations.credentialListMappings.create({ credentialListSid: credentials.sid });
    expect((await context.fetch()).authType).toBe('');
    expect(await calls.credentialListMappings.list()).toEqual([]);
    await calls.credentialListMappings.create({ credentialListSid: credentials.sid });
    expect(await registrations.credentialListMappings(credentials.sid).remove()).toBe(true);
    expect(await calls.credentialListMappings.list()).toHaveLength(1);
  });

  it('hold the lists they map, and vanish with their domain', async () => {
    const { client, context, credentials, addresses } = await world();
    const { auth } = context;
    await auth.registrations.credentialListMappings.create({ credentialListSid: credentials.sid });
    await auth.calls.ipAccessControlListMappings.create({ ipAccessControlListSid: addresses.sid });
    expect(await codeOf(client.sip.credentialLists(credentials.sid).remove())).toBe(21241);
    expect(await codeOf(client.sip.ipAccessControlLists(addresses.sid).remove())).toBe(21236);
    expect(await context.remove()).toBe(true);
    expect(await client.sip.credentialLists(credentials.sid).remove()).toBe(true);
    expect(await client.sip.ipAccessControlLists(addresses.sid).remove()).toBe(true);
    expect(await client.sip.credentialLists.list()).toEqual([]);
  });

  it('map what is the account’s own', async () => {
    const { context, stranger, credentials, client } = await world();
    const { calls } = context.auth;
    const theirs = await stranger.sip.credentialLists.create({ friendlyName: 'theirs' });
    for (const credentialListSid of [theirs.sid, `CL${NOWHERE}`]) {
      expect(await failed(calls.credentialListMappings.create({ credentialListSid }))).toEqual({
        status: 404,
        code: 20404,
        message: `The requested resource /2010-04-01/Accounts/${OWNER.sid}/SIP/CredentialLists/${credentialListSid}.json was not found`,
      });
    }
    const foreign = stranger.sip.domains((await context.fetch()).sid).auth.calls;
    expect(await codeOf(foreign.credentialListMappings.create({ credentialListSid: theirs.sid }))).toBe(20404);
    expect(await codeOf(foreign.credentialListMappings.list())).toBe(20404);
    await calls.credentialListMappings.create({ credentialListSid: credentials.sid });
    expect(await codeOf(foreign.credentialListMappings(credentials.sid).fetch())).toBe(20404);
    const other = await client.sip.domains.create({ domainName: 'other.sip.twilio.com' });
    expect(
      await codeOf(client.sip.domains(other.sid).auth.calls.credentialListMappings(credentials.sid).fetch()),
    ).toBe(20404);
  });
});

describe('credential lists', () => {
  it('have names of their own, in each account', async () => {
    const { client, stranger } = await startApi();
    const list = await client.sip.credentialLists.create({ friendlyName: 'a' });
    const other = await client.sip.credentialLists.create({ friendlyName: 'b' });
    await stranger.sip.credentialLists.create({ friendlyName: 'a' });
    expect(await codeOf(client.sip.credentialLists.create({ friendlyName: 'a' }))).toBe(21240);
    expect(await codeOf(client.sip.credentialLists(other.sid).update({ friendlyName: 'a' }))).toBe(21240);
    expect(await codeOf(client.sip.credentialLists.create({ friendlyName: '' }))).toBe(21240);
    expect(await codeOf(client.sip.credentialLists.create({ friendlyName: 'x'.repeat(65) }))).toBe(21240);
    expect(await client.sip.credentialLists(list.sid).update({ friendlyName: 'a' })).toMatchObject({ friendlyName: 'a' });
    expect(list.subresourceUris).toEqual({
      credentials: `/2010-04-01/Accounts/${OWNER.sid}/SIP/CredentialLists/${list.sid}/Credentials.json`,
    });
  });

  it('have credentials whose password is never seen again', async () => {
    const { client, store, ask } = await startApi();
    const { sid } = await client.sip.credentialLists.create({ friendlyName: 'a' });
    const { credentials } = client.sip.credentialLists(sid);
    const bob = await credentials.create({ username: 'bob', password: PASSWORD });
    expect(bob).toMatchObject({ username: 'bob', credentialListSid: sid });
    const kept = () => store.directory.findBy(credential, { credentialListSid: sid, username: 'bob' })[0];
    const digest = (algorithm: 'md5' | 'sha256', password: string) =>
      hash(algorithm, `bob:sip.twilio.com:${password}`);
    expect(digestOf(kept()?.password ?? '', 'md5')).toBe(digest('md5', PASSWORD));
    expect(digestOf(kept()?.password ?? '', 'sha256')).toBe(digest('sha256', PASSWORD));
    await credentials(bob.sid).update({ password: 'Another-horse-2' });
    expect(digestOf(kept()?.password ?? '', 'md5')).toBe(digest('md5', 'Another-horse-2'));
    await credentials(bob.sid).update();
    expect(digestOf(kept()?.password ?? '', 'md5')).toBe(digest('md5', 'Another-horse-2'));
    const audit = await (await ask('/tandem/v1/AuditEvents')).text();
    expect(audit).toContain('"username":"bob"');
    for (const secret of [PASSWORD, digest('md5', PASSWORD), digest('sha256', PASSWORD)]) {
      expect(audit).not.toContain(secret);
    }
  });

  it('refuse weak passwords and user names that no header can carry', async () => {
    const { client } = await startApi();
    const { sid } = await client.sip.credentialLists.create({ friendlyName: 'a' });
    const { credentials } = client.sip.credentialLists(sid);
    const weak = ['Short-1', 'correct-horse-1', 'CORRECT-HORSE-1', 'Correct-horse-x', ''];
    const bad = ['', 'b:ob', 'b\r\nob', 'x'.repeat(33)];
    for (const values of [
      ...weak.map((password) => ({ username: 'bob', password })),
      ...bad.map((username) => ({ username, password: PASSWORD })),
    ]) {
      const failure = await failed(credentials.create(values));
      expect([values, failure.status, failure.code]).toEqual([values, 400, 21243]);
      if (values.password) expect(failure.message).not.toContain(values.password);
    }
    expect(await credentials.list()).toEqual([]);
  });

  it('have each user once', async () => {
    const { client } = await startApi();
    const one = await client.sip.credentialLists.create({ friendlyName: 'a' });
    const two = await client.sip.credentialLists.create({ friendlyName: 'b' });
    const credentialsOf = ({ sid }: { sid: string }) => client.sip.credentialLists(sid).credentials;
    for (const list of [one, two]) {
      await credentialsOf(list).create({ username: 'bob', password: PASSWORD });
    }
    expect(await codeOf(credentialsOf(one).create({ username: 'bob', password: PASSWORD }))).toBe(21243);
    await credentialsOf(one).create({ username: 'Bob', password: PASSWORD });
    expect(await client.sip.credentialLists(one.sid).remove()).toBe(true);
    expect(await credentialsOf(two).list()).toHaveLength(1);
  });
});

describe('IP access control lists', () => {
  it('have addresses, each once', async () => {
    const { client } = await startApi();
    const list = await client.sip.ipAccessControlLists.create({ friendlyName: 'a' });
    expect(await codeOf(client.sip.ipAccessControlLists.create({ friendlyName: 'a' }))).toBe(21235);
    const { ipAddresses } = client.sip.ipAccessControlLists(list.sid);
    const one = await ipAddresses.create({ friendlyName: 'one', ipAddress: '192.0.2.1' });
    expect(one).toMatchObject({ ipAddress: '192.0.2.1', cidrPrefixLength: 32, friendlyName: 'one' });
    const net = await ipAddresses.create({ friendlyName: 'net', ipAddress: '192.0.2.0', cidrPrefixLength: 24 });
    expect(net.cidrPrefixLength).toBe(24);
    expect(await failed(ipAddresses.create({ friendlyName: 'one', ipAddress: '192.0.2.9' }))).toEqual({
      status: 400,
      code: 21235,
      message: 'The list has an address named one already',
    });
    expect(await failed(ipAddresses.create({ friendlyName: 'two', ipAddress: '192.0.2.1' }))).toEqual({
      status: 400,
      code: 21235,
      message: 'The list has the address 192.0.2.1/32 already',
    });
    expect(await codeOf(ipAddresses(one.sid).update({ friendlyName: 'net' }))).toBe(21235);
    expect(await ipAddresses(one.sid).update({ ipAddress: '192.0.2.7', cidrPrefixLength: 31 })).toMatchObject({
      ipAddress: '192.0.2.7',
      cidrPrefixLength: 31,
    });
    expect(await ipAddresses(one.sid).remove()).toBe(true);
    expect(await ipAddresses.list()).toHaveLength(1);
  });

  it('refuse what is no IPv4 address', async () => {
    const { client } = await startApi();
    const { sid } = await client.sip.ipAccessControlLists.create({ friendlyName: 'a' });
    const { ipAddresses } = client.sip.ipAccessControlLists(sid);
    for (const ipAddress of ['', '192.0.2', '192.0.2.256', '010.0.0.1', '192.0.2.1/24', '::1', '0x7f.1', 'a']) {
      const codes = [
        await codeOf(ipAddresses.create({ friendlyName: 'a', ipAddress })),
        await codeOf(client.voice.v1.ipRecords.create({ ipAddress })),
      ];
      expect([ipAddress, codes]).toEqual([ipAddress, [21235, 20001]]);
    }
  });
});

describe('IP records', () => {
  it('lead to SIP domains by source mappings', async () => {
    const { client, stranger } = await startApi();
    const record = await client.voice.v1.ipRecords.create({ ipAddress: '192.0.2.1', cidrPrefixLength: 30 });
    expect(record).toMatchObject({ ipAddress: '192.0.2.1', cidrPrefixLength: 30, friendlyName: null });
    expect(await client.voice.v1.ipRecords(record.sid).update({ friendlyName: 'x' })).toMatchObject({ friendlyName: 'x', cidrPrefixLength: 30 });
    const one = await client.sip.domains.create({ domainName: 'one.sip.twilio.com' });
    const two = await client.sip.domains.create({ domainName: 'two.sip.twilio.com' });
    const mappings = client.voice.v1.sourceIpMappings;
    const mapping = await mappings.create({ ipRecordSid: record.sid, sipDomainSid: one.sid });
    expect((await client.voice.v1.sourceIpMappings(mapping.sid).update({ sipDomainSid: two.sid })).sipDomainSid).toBe(two.sid);
    expect(await codeOf(client.voice.v1.sourceIpMappings(mapping.sid).update({ sipDomainSid: '' }))).toBe(20001);
    expect(await codeOf(mappings.create({ ipRecordSid: `IL${NOWHERE}`, sipDomainSid: one.sid }))).toBe(20001);
    expect(await codeOf(stranger.voice.v1.sourceIpMappings(mapping.sid).fetch())).toBe(20404);
    expect(await codeOf(client.voice.v1.ipRecords(record.sid).remove())).toBe(20001);
    expect(await codeOf(client.sip.domains(two.sid).remove())).toBe(20001);
    expect(await client.sip.domains(one.sid).remove()).toBe(true);
    expect(await client.voice.v1.sourceIpMappings(mapping.sid).remove()).toBe(true);
    expect(await client.voice.v1.ipRecords(record.sid).remove()).toBe(true);
  });
});
