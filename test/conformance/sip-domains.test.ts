// SIP domains and their mappings through the official client: every verb, every refusal.
import { describe, expect, it } from 'vitest';
import { domain } from '../../src/resources/index.ts';
import { OWNER, STRANGER, startApi } from '../support/api-server.ts';
import { codeOf, failed } from './failed.ts';

const NOWHERE = '0'.repeat(32);

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
    expect(
      (await stranger.sip.domains(other.sid).update({ domainName: 'Two.sip.twilio.com' })).domainName,
    ).toBe('two.sip.twilio.com');
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
    expect(await codeOf(client.sip.domains(top.sid).update({ domainName: 'other.sip.twilio.com' }))).toBe(
      21233,
    );
    expect((await client.sip.domains(top.sid).update({ friendlyName: 'x' })).friendlyName).toBe('x');
    await client.sip.domains(below.sid).update({ domainName: 'free.sip.twilio.com' });
    expect(await client.sip.domains(top.sid).remove()).toBe(true);
    await client.sip.domains.create({ domainName: `x.${OWNER.sid}.sip.twilio.com` });
  });

  it('live under the suffixes that are set', async () => {
    const { client } = await startApi({
      suffixes: { sip: ['sip.example.com'], trunk: ['pstn.example.com'] },
    });
    expect(await codeOf(client.sip.domains.create({ domainName: 'a.sip.twilio.com' }))).toBe(21231);
    await client.sip.domains.create({ domainName: 'a.sip.example.com' });
  });

  it('refer to what is there, which stays as long as they do', async () => {
    const { client, stranger } = await startApi();
    const trunk = await client.voice.v1.byocTrunks.create();
    const theirs = await stranger.voice.v1.byocTrunks.create();
    for (const byocTrunkSid of [theirs.sid, `BY${NOWHERE}`, 'x']) {
      expect(await codeOf(client.sip.domains.create({ domainName: 'a.sip.twilio.com', byocTrunkSid }))).toBe(
        byocTrunkSid === 'x' ? 21231 : 20001,
      );
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
    const duplicate = {
      status: 400,
      code: 21231,
      message: 'CredentialList already associated with this domain',
    };
    const again = { credentialListSid: credentials.sid };
    expect(await failed(context.credentialListMappings.create(again))).toEqual(duplicate);
    expect(await failed(calls.credentialListMappings.create(again))).toEqual(duplicate);
    await context.ipAccessControlListMappings.create({ ipAccessControlListSid: addresses.sid });
    expect(
      await failed(calls.ipAccessControlListMappings.create({ ipAccessControlListSid: addresses.sid })),
    ).toEqual({
      status: 400,
      code: 21231,
      message: 'IpAccessControlList already associated with this domain',
    });
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
    expect(await codeOf(foreign.credentialListMappings.create({ credentialListSid: theirs.sid }))).toBe(
      20404,
    );
    expect(await codeOf(foreign.credentialListMappings.list())).toBe(20404);
    await calls.credentialListMappings.create({ credentialListSid: credentials.sid });
    expect(await codeOf(foreign.credentialListMappings(credentials.sid).fetch())).toBe(20404);
    const other = await client.sip.domains.create({ domainName: 'other.sip.twilio.com' });
    expect(
      await codeOf(client.sip.domains(other.sid).auth.calls.credentialListMappings(credentials.sid).fetch()),
    ).toBe(20404);
  });
});
