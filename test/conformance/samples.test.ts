// The Node samples of Twilio's pages for the ConnectionPolicy, ConnectionPolicyTarget, SIP Domain and Trunk resources,
// statement by statement: the client's host and the SIDs are ours, and one sample value, a Target that is an https URL,
// is a SIP URI, which its own page demands.
import { expect, it } from 'vitest';
import { OWNER, startApi } from '../support/api-server.ts';
import { failed } from './failed.ts';

const GONE = { status: 404, code: 20404 };

it('ConnectionPolicy', async () => {
  const { client, url } = await startApi();
  const connectionPolicy = await client.voice.v1.connectionPolicies.create();
  expect(connectionPolicy.accountSid).toBe(OWNER.sid);
  const { sid } = connectionPolicy;

  const fetched = await client.voice.v1.connectionPolicies(sid).fetch();
  expect(fetched).toMatchObject({ accountSid: OWNER.sid, url: `${url}/v1/ConnectionPolicies/${sid}` });
  expect(fetched.links).toEqual({ targets: `${url}/v1/ConnectionPolicies/${sid}/Targets` });

  const connectionPolicies = await client.voice.v1.connectionPolicies.list({ limit: 20 });
  const seen: string[] = [];
  connectionPolicies.forEach((c) => seen.push(c.accountSid));
  expect(seen).toEqual([OWNER.sid]);

  const updated = await client.voice.v1.connectionPolicies(sid).update({ friendlyName: 'FriendlyName' });
  expect(updated.friendlyName).toBe('FriendlyName');

  expect(await client.voice.v1.connectionPolicies(sid).remove()).toBe(true);
  expect(await failed(client.voice.v1.connectionPolicies(sid).fetch())).toMatchObject(GONE);
});

it('ConnectionPolicyTarget', async () => {
  const { client } = await startApi();
  const { sid } = await client.voice.v1.connectionPolicies.create();
  const connectionPolicyTarget = await client.voice.v1
    .connectionPolicies(sid)
    .targets.create({ target: 'sip:www.example.com' });
  expect(connectionPolicyTarget).toMatchObject({
    accountSid: OWNER.sid,
    connectionPolicySid: sid,
    target: 'sip:www.example.com',
    priority: 10,
    weight: 10,
    enabled: true,
  });
  const asOnThePage = client.voice.v1
    .connectionPolicies(sid)
    .targets.create({ target: 'https://www.example.com' });
  expect(await failed(asOnThePage)).toMatchObject({ status: 400, code: 20001 });
  const targetSid = connectionPolicyTarget.sid;

  const fetched = await client.voice.v1.connectionPolicies(sid).targets(targetSid).fetch();
  expect(fetched.accountSid).toBe(OWNER.sid);

  const targets = await client.voice.v1.connectionPolicies(sid).targets.list({ limit: 20 });
  const seen: string[] = [];
  targets.forEach((t) => seen.push(t.sid));
  expect(seen).toEqual([targetSid]);

  const updated = await client.voice.v1
    .connectionPolicies(sid)
    .targets(targetSid)
    .update({ friendlyName: 'FriendlyName' });
  expect(updated.friendlyName).toBe('FriendlyName');

  expect(await client.voice.v1.connectionPolicies(sid).targets(targetSid).remove()).toBe(true);
  expect(await client.voice.v1.connectionPolicies(sid).targets.list()).toEqual([]);
});

it('SIP Domain', async () => {
  const { client } = await startApi();
  const domain = await client.sip.domains.create({ domainName: 'domainname.sip.twilio.com' });
  expect(domain).toMatchObject({ accountSid: OWNER.sid, domainName: 'domainname.sip.twilio.com' });
  const { sid } = domain;

  expect((await client.sip.domains(sid).fetch()).accountSid).toBe(OWNER.sid);

  const domains = await client.sip.domains.list({ limit: 20 });
  const seen: string[] = [];
  domains.forEach((d) => seen.push(d.accountSid));
  expect(seen).toEqual([OWNER.sid]);

  const updated = await client.sip.domains(sid).update({ friendlyName: 'FriendlyName' });
  expect(updated.friendlyName).toBe('FriendlyName');

  expect(await client.sip.domains(sid).remove()).toBe(true);
  expect(await failed(client.sip.domains(sid).fetch())).toMatchObject(GONE);
});

it('Trunk', async () => {
  const { client } = await startApi();
  const trunk = await client.trunking.v1.trunks.create();
  expect(trunk.accountSid).toBe(OWNER.sid);
  const { sid } = trunk;

  expect((await client.trunking.v1.trunks(sid).fetch()).accountSid).toBe(OWNER.sid);

  const trunks = await client.trunking.v1.trunks.list({ limit: 20 });
  const seen: string[] = [];
  trunks.forEach((t) => seen.push(t.accountSid));
  expect(seen).toEqual([OWNER.sid]);

  const updated = await client.trunking.v1.trunks(sid).update({ friendlyName: 'FriendlyName' });
  expect(updated.friendlyName).toBe('FriendlyName');

  expect(await client.trunking.v1.trunks(sid).remove()).toBe(true);
  expect(await failed(client.trunking.v1.trunks(sid).fetch())).toMatchObject(GONE);
});
