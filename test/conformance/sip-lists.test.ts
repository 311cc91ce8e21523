// Credential lists, access control lists and IP records through the official client: every verb, every refusal.
import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { credential, digestOf } from '../../src/resources/index.ts';
import { OWNER, startApi } from '../support/api-server.ts';
import { codeOf, failed } from './failed.ts';

const NOWHERE = '0'.repeat(32);
const PASSWORD = 'Correct-horse-1';

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
    expect(await client.sip.credentialLists(list.sid).update({ friendlyName: 'a' })).toMatchObject({
      friendlyName: 'a',
    });
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
    const net = await ipAddresses.create({
      friendlyName: 'net',
      ipAddress: '192.0.2.0',
      cidrPrefixLength: 24,
    });
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
    expect(await ipAddresses(one.sid).update({ ipAddress: '192.0.2.7', cidrPrefixLength: 31 })).toMatchObject(
      {
        ipAddress: '192.0.2.7',
        cidrPrefixLength: 31,
      },
    );
    expect(await ipAddresses(one.sid).remove()).toBe(true);
    expect(await ipAddresses.list()).toHaveLength(1);
  });

  it('refuse what is no IPv4 address', async () => {
    const { client } = await startApi();
    const { sid } = await client.sip.ipAccessControlLists.create({ friendlyName: 'a' });
    const { ipAddresses } = client.sip.ipAccessControlLists(sid);
    for (const ipAddress of [
      '',
      '192.0.2',
      '192.0.2.256',
      '010.0.0.1',
      '192.0.2.1/24',
      '::1',
      '0x7f.1',
      'a',
    ]) {
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
    expect(await client.voice.v1.ipRecords(record.sid).update({ friendlyName: 'x' })).toMatchObject({
      friendlyName: 'x',
      cidrPrefixLength: 30,
    });
    const one = await client.sip.domains.create({ domainName: 'one.sip.twilio.com' });
    const two = await client.sip.domains.create({ domainName: 'two.sip.twilio.com' });
    const mappings = client.voice.v1.sourceIpMappings;
    const mapping = await mappings.create({ ipRecordSid: record.sid, sipDomainSid: one.sid });
    expect(
      (await client.voice.v1.sourceIpMappings(mapping.sid).update({ sipDomainSid: two.sid })).sipDomainSid,
    ).toBe(two.sid);
    expect(await codeOf(client.voice.v1.sourceIpMappings(mapping.sid).update({ sipDomainSid: '' }))).toBe(
      20001,
    );
    expect(await codeOf(mappings.create({ ipRecordSid: `IL${NOWHERE}`, sipDomainSid: one.sid }))).toBe(20001);
    expect(await codeOf(stranger.voice.v1.sourceIpMappings(mapping.sid).fetch())).toBe(20404);
    expect(await codeOf(client.voice.v1.ipRecords(record.sid).remove())).toBe(20001);
    expect(await codeOf(client.sip.domains(two.sid).remove())).toBe(20001);
    expect(await client.sip.domains(one.sid).remove()).toBe(true);
    expect(await client.voice.v1.sourceIpMappings(mapping.sid).remove()).toBe(true);
    expect(await client.voice.v1.ipRecords(record.sid).remove()).toBe(true);
  });
});
