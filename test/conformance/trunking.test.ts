// Elastic SIP trunks and what hangs on them, through the official client.
import { describe, expect, it } from 'vitest';
import { trunk as definition } from '../../src/resources/index.ts';
import { OWNER, STRANGER, startApi } from '../support/api-server.ts';
import { codeOf, failed } from './failed.ts';

const NOWHERE = '0'.repeat(32);

describe('trunks', () => {
  it('have defaults', async () => {
    const { client, url } = await startApi();
    const created = await client.trunking.v1.trunks.create();
    expect(created).toMatchObject({
      accountSid: OWNER.sid,
      friendlyName: null,
      domainName: null,
      disasterRecoveryUrl: null,
      disasterRecoveryMethod: 'POST',
      transferMode: 'disable-all',
      transferCallerId: 'from-transferee',
      secure: false,
      cnamLookupEnabled: false,
      symmetricRtpEnabled: false,
      recording: { mode: 'do-not-record', trim: 'do-not-trim' },
      authType: '',
      authTypeSet: [],
      links: { origination_urls: `${url}/v1/Trunks/${created.sid}/OriginationUrls` },
    });
    expect((await client.trunking.v1.trunks.create({ friendlyName: '' })).friendlyName).toBeNull();
  });

  it('are created with every parameter, changed and cleared', async () => {
    const { client, store } = await startApi();
    const values = {
      friendlyName: 'PBX',
      domainName: 'PBX.pstn.twilio.com',
      disasterRecoveryUrl: 'https://a.example/dr',
      disasterRecoveryMethod: 'GET',
      transferMode: 'sip-only' as const,
      transferCallerId: 'from-transferor' as const,
      secure: true,
      cnamLookupEnabled: true,
    };
    const { sid } = await client.trunking.v1.trunks.create(values);
    const context = client.trunking.v1.trunks(sid);
    expect(await context.fetch()).toMatchObject({ ...values, domainName: 'pbx.pstn.twilio.com' });
    const named = () => store.directory.findBy(definition, { domainName: 'pbx.pstn.twilio.com' });
    expect(named()[0]?.sid).toBe(sid);
    expect(await context.update({ domainName: '', disasterRecoveryUrl: '', secure: false })).toMatchObject({
      domainName: null,
      disasterRecoveryUrl: null,
      secure: false,
      transferMode: 'sip-only',
    });
    expect(named()).toEqual([]);
    expect(await context.remove()).toBe(true);
    expect(await codeOf(context.fetch())).toBe(20404);
  });

  it('refuse what Twilio refuses', async () => {
    const { client, stranger, ask } = await startApi();
    const { trunks } = client.trunking.v1;
    await stranger.trunking.v1.trunks.create({ domainName: 'taken.pstn.twilio.com' });
    const refused: readonly (readonly [Record<string, string>, number])[] = [
      [{ TransferMode: 'invalid' }, 20001],
      [{ TransferCallerId: 'invalid' }, 20001],
      [{ Secure: 'x' }, 20001],
      [{ DomainName: 'pbx.example.com' }, 21245],
      [{ DomainName: 'pbx.sip.twilio.com' }, 21245],
      [{ DomainName: 'p_bx.pstn.twilio.com' }, 21245],
      [{ DomainName: `${STRANGER.sid}.pstn.twilio.com` }, 21245],
      [{ DomainName: 'Taken.pstn.twilio.com' }, 21248],
      [{ DomainName: 'a.taken.pstn.twilio.com' }, 21247],
      [{ DomainName: 'a.none.pstn.twilio.com' }, 21247],
    ];
    for (const [form, code] of refused) {
      const response = await ask('/v1/Trunks', { method: 'POST', body: new URLSearchParams(form) });
      const answer = (await response.json()) as { code?: number };
      expect([form, response.status, answer.code]).toEqual([form, 400, code]);
    }
    expect(await trunks.list()).toEqual([]);
  });

  it('have subdomains, which keep them from going', async () => {
    const { client } = await startApi();
    const { trunks } = client.trunking.v1;
    const top = await trunks.create({ domainName: 'top.pstn.twilio.com' });
    const below = await trunks.create({ domainName: 'a.top.pstn.twilio.com' });
    expect(await codeOf(trunks(top.sid).remove())).toBe(21247);
    expect(await codeOf(trunks(top.sid).update({ domainName: 'x.pstn.twilio.com' }))).toBe(21247);
    expect(await codeOf(trunks(top.sid).update({ domainName: '' }))).toBe(21247);
    expect(await trunks(below.sid).remove()).toBe(true);
    expect(await trunks(top.sid).remove()).toBe(true);
  });

  it('are recorded by a resource of their own', async () => {
    const { client, ask, stranger } = await startApi();
    const { sid } = await client.trunking.v1.trunks.create();
    const recording = client.trunking.v1.trunks(sid).recordings();
    expect(await (await ask(`/v1/Trunks/${sid}/Recording`)).json()).toEqual({
      mode: 'do-not-record',
      trim: 'do-not-trim',
    });
    expect(await recording.update({ mode: 'record-from-answer-dual' })).toMatchObject({
      mode: 'record-from-answer-dual',
      trim: 'do-not-trim',
    });
    await recording.update({ trim: 'trim-silence' });
    expect((await client.trunking.v1.trunks(sid).fetch()).recording).toEqual({
      mode: 'record-from-answer-dual',
      trim: 'trim-silence',
    });
    const body = new URLSearchParams({ Mode: 'always' });
    expect((await ask(`/v1/Trunks/${sid}/Recording`, { method: 'POST', body })).status).toBe(400);
    expect(await codeOf(stranger.trunking.v1.trunks(sid).recordings().fetch())).toBe(20404);
  });
});

describe('origination URLs', () => {
  const VALUES = { friendlyName: 'a', sipUrl: 'sip:a.example', priority: 1, weight: 1, enabled: true };

  it('are taken with slashes, as sips, and with weight 0', async () => {
    const { client } = await startApi();
    const { sid } = await client.trunking.v1.trunks.create();
    const { originationUrls } = client.trunking.v1.trunks(sid);
    const url = await originationUrls.create({ ...VALUES, sipUrl: 'sip://sip-box.com:1234', weight: 0 });
    expect(url).toMatchObject({ sipUrl: 'sip:sip-box.com:1234', weight: 0, priority: 1, trunkSid: sid });
    expect(await originationUrls(url.sid).update({ sipUrl: 'sips:a.example', enabled: false })).toMatchObject(
      {
        sipUrl: 'sips:a.example',
        enabled: false,
        weight: 0,
      },
    );
    expect(await codeOf(originationUrls.create({ ...VALUES, sipUrl: 'http://a.example' }))).toBe(20001);
    expect(await codeOf(originationUrls.create({ ...VALUES, weight: 65_536 }))).toBe(20001);
    expect(await codeOf(originationUrls.create({ ...VALUES, friendlyName: 'x'.repeat(65) }))).toBe(20001);
    expect(await originationUrls(url.sid).remove()).toBe(true);
  });

  it('need every parameter', async () => {
    const { client, ask } = await startApi();
    const { sid } = await client.trunking.v1.trunks.create();
    const form = { FriendlyName: 'a', SipUrl: 'sip:a.example', Priority: '1', Weight: '1', Enabled: 'true' };
    for (const name of Object.keys(form)) {
      const body = new URLSearchParams(Object.entries(form).filter(([each]) => each !== name));
      const response = await ask(`/v1/Trunks/${sid}/OriginationUrls`, { method: 'POST', body });
      expect(await response.json()).toMatchObject({
        status: 400,
        code: 20001,
        message: `Missing required parameter ${name} in the post body`,
      });
    }
  });
});

describe('a trunk’s lists', () => {
  it('are mapped, and say how the PBX authenticates', async () => {
    const { client } = await startApi();
    const { sid } = await client.trunking.v1.trunks.create();
    const trunk = client.trunking.v1.trunks(sid);
    const list = await client.sip.credentialLists.create({ friendlyName: 'phones' });
    const acl = await client.sip.ipAccessControlLists.create({ friendlyName: 'gateways' });
    expect(await trunk.credentialsLists.create({ credentialListSid: list.sid })).toMatchObject({
      sid: list.sid,
      trunkSid: sid,
      friendlyName: 'phones',
    });
    await trunk.ipAccessControlLists.create({ ipAccessControlListSid: acl.sid });
    expect(await trunk.fetch()).toMatchObject({
      authType: 'CREDENTIAL_LIST,IP_ACL',
      authTypeSet: ['CREDENTIAL_LIST', 'IP_ACL'],
    });
    expect(await failed(trunk.credentialsLists.create({ credentialListSid: list.sid }))).toEqual({
      status: 400,
      code: 21245,
      message: 'CredentialList already associated with this trunk',
    });
    expect(await codeOf(trunk.ipAccessControlLists.create({ ipAccessControlListSid: acl.sid }))).toBe(21245);
    const nowhere = { credentialListSid: `CL${NOWHERE}` };
    expect(await codeOf(trunk.credentialsLists.create(nowhere))).toBe(20404);
    expect(await codeOf(client.sip.credentialLists(list.sid).remove())).toBe(21241);
    expect(await codeOf(client.sip.ipAccessControlLists(acl.sid).remove())).toBe(21236);
    expect(await trunk.credentialsLists(list.sid).remove()).toBe(true);
    expect((await trunk.fetch()).authType).toBe('IP_ACL');
    expect((await trunk.ipAccessControlLists.list()).map((each) => each.sid)).toEqual([acl.sid]);
    expect(await trunk.remove()).toBe(true);
    expect(await client.sip.ipAccessControlLists(acl.sid).remove()).toBe(true);
  });
});

describe('a trunk’s numbers', () => {
  it('are seen from both sides, move, and stay when the trunk goes', async () => {
    const { client, stranger } = await startApi();
    const one = await client.trunking.v1.trunks.create();
    const two = await client.trunking.v1.trunks.create();
    const app = await client.applications.create({ friendlyName: 'a' });
    const { sid } = await client.incomingPhoneNumbers.create({
      phoneNumber: '+14158675309',
      voiceApplicationSid: app.sid,
    });
    const phoneNumbers = (trunk: { sid: string }) => client.trunking.v1.trunks(trunk.sid).phoneNumbers;
    const number = client.incomingPhoneNumbers(sid);
    expect(await phoneNumbers(one).create({ phoneNumberSid: sid })).toMatchObject({
      sid,
      trunkSid: one.sid,
      phoneNumber: '+14158675309',
      friendlyName: '(415) 867-5309',
      voiceApplicationSid: '',
    });
    expect(await number.fetch()).toMatchObject({ trunkSid: one.sid, voiceApplicationSid: '' });
    await phoneNumbers(two).create({ phoneNumberSid: sid });
    expect(await phoneNumbers(one).list()).toEqual([]);
    expect((await phoneNumbers(two).list()).map((each) => each.sid)).toEqual([sid]);
    expect(await codeOf(phoneNumbers(one)(sid).fetch())).toBe(20404);
    expect(await phoneNumbers(two)(sid).remove()).toBe(true);
    expect(await codeOf(phoneNumbers(two)(sid).remove())).toBe(20404);
    expect((await number.fetch()).trunkSid).toBeNull();
    await number.update({ trunkSid: one.sid });
    expect(await phoneNumbers(one).list()).toHaveLength(1);
    expect(await number.update({ voiceApplicationSid: app.sid })).toMatchObject({
      trunkSid: null,
      voiceApplicationSid: app.sid,
    });
    await number.update({ trunkSid: one.sid });
    expect(await client.trunking.v1.trunks(one.sid).remove()).toBe(true);
    expect((await number.fetch()).trunkSid).toBeNull();
    const theirs = stranger.trunking.v1.trunks((await stranger.trunking.v1.trunks.create()).sid);
    expect(await codeOf(theirs.phoneNumbers.create({ phoneNumberSid: sid }))).toBe(20404);
    expect(await codeOf(phoneNumbers(two).create({ phoneNumberSid: `PN${NOWHERE}` }))).toBe(20404);
    expect(await codeOf(phoneNumbers(two).create({ phoneNumberSid: '' }))).toBe(20001);
  });
});
