// One row of every resource, made through the API: its address, what its creation needs, and how the API shows it.
import { expect } from 'vitest';
import { type ApiServer, OWNER } from '../support/api-server.ts';

export type Json = Record<string, unknown>;

export interface Made {
  /** Path of the collection, with its suffix. */
  readonly collection: string;
  /** Path of the row, with its suffix. */
  readonly instance: string;
  /** The form that created it: what is required and no more. */
  readonly form: Readonly<Record<string, string>>;
  /** The answer that created it. */
  readonly json: Json;
}

export const ACCOUNT_PATH = `/2010-04-01/Accounts/${OWNER.sid}`;
const PASSWORD = 'Correct-horse-1';

export type Ask = ApiServer['ask'];

export const post = (ask: Ask, path: string, form: Record<string, string> = {}): Promise<Response> =>
  ask(path, { method: 'POST', body: new URLSearchParams(form) });

export async function create(ask: Ask, collection: string, form: Record<string, string> = {}): Promise<Made> {
  const response = await post(ask, collection, form);
  const json = (await response.json()) as Json;
  expect([collection, response.status, json.message]).toEqual([
    collection,
    collection.includes('OutgoingCallerIds') ? 200 : 201,
    undefined,
  ]);
  const instance = collection.endsWith('.json')
    ? collection.replace('.json', `/${json.sid}.json`)
    : `${collection}/${json.sid}`;
  return { collection, instance, form, json };
}

async function first(ask: Ask, collection: string): Promise<Made> {
  const list = (await (await ask(collection)).json()) as Record<string, unknown>;
  const rows = Object.values(list).find((value) => Array.isArray(value)) as Json[];
  const json = rows[0] ?? {};
  const instance = collection.endsWith('.json')
    ? collection.replace('.json', `/${json.sid}.json`)
    : `${collection}/${json.sid}`;
  return { collection, instance, form: {}, json };
}

/** By the definition's name. */
export async function oneOfEach(ask: Ask): Promise<Readonly<Record<string, Made>>> {
  return { ...(await voice(ask)), ...(await sip(ask)), ...(await rest(ask)) };
}

async function voice(ask: Ask) {
  const policy = await create(ask, '/v1/ConnectionPolicies');
  const target = await create(ask, `${policy.instance}/Targets`, { Target: 'sip:a.example' });
  return {
    ConnectionPolicy: policy,
    ConnectionPolicyTarget: target,
    InsecureTarget: await create(ask, '/tandem/v1/InsecureTargets', { TargetSid: String(target.json.sid) }),
    ByocTrunk: await create(ask, '/v1/ByocTrunks'),
  };
}

async function sip(ask: Ask) {
  const under = (made: Made, path: string) => `${made.instance.replace('.json', '')}/${path}.json`;
  const domain = await create(ask, `${ACCOUNT_PATH}/SIP/Domains.json`, { DomainName: 'a.sip.twilio.com' });
  const credentials = await create(ask, `${ACCOUNT_PATH}/SIP/CredentialLists.json`, { FriendlyName: 'a' });
  const addresses = await create(ask, `${ACCOUNT_PATH}/SIP/IpAccessControlLists.json`, { FriendlyName: 'a' });
  const list = { CredentialListSid: String(credentials.json.sid) };
  const acl = { IpAccessControlListSid: String(addresses.json.sid) };
  const legacy = await create(ask, `${ACCOUNT_PATH}/SIP/Domains.json`, { DomainName: 'b.sip.twilio.com' });
  const trunk = await create(ask, '/v1/Trunks');
  const record = await create(ask, '/v1/IpRecords', { IpAddress: '192.0.2.1' });
  return {
    Domain: domain,
    CredentialList: credentials,
    IpAccessControlList: addresses,
    Credential: await create(ask, under(credentials, 'Credentials'), { Username: 'bob', Password: PASSWORD }),
    IpAddress: await create(ask, under(addresses, 'IpAddresses'), {
      FriendlyName: 'a',
      IpAddress: '192.0.2.1',
    }),
    AuthCallsCredentialListMapping: await create(
      ask,
      under(domain, 'Auth/Calls/CredentialListMappings'),
      list,
    ),
    AuthRegistrationsCredentialListMapping: await create(
      ask,
      under(domain, 'Auth/Registrations/CredentialListMappings'),
      list,
    ),
    AuthCallsIpAccessControlListMapping: await create(
      ask,
      under(domain, 'Auth/Calls/IpAccessControlListMappings'),
      acl,
    ),
    CredentialListMapping: await create(ask, under(legacy, 'CredentialListMappings'), list),
    IpAccessControlListMapping: await create(ask, under(legacy, 'IpAccessControlListMappings'), acl),
    Trunk: trunk,
    OriginationUrl: await create(ask, `${trunk.instance}/OriginationUrls`, {
      FriendlyName: 'a',
      SipUrl: 'sip:a.example',
      Priority: '1',
      Weight: '1',
      Enabled: 'true',
    }),
    TrunkCredentialList: await create(ask, `${trunk.instance}/CredentialLists`, list),
    TrunkIpAccessControlList: await create(ask, `${trunk.instance}/IpAccessControlLists`, acl),
    IpRecord: record,
    SourceIpMapping: await create(ask, '/v1/SourceIpMappings', {
      IpRecordSid: String(record.json.sid),
      SipDomainSid: String(domain.json.sid),
    }),
  };
}

async function rest(ask: Ask) {
  const number = await create(ask, `${ACCOUNT_PATH}/IncomingPhoneNumbers.json`, {
    PhoneNumber: '+14155550123',
  });
  const trunk = await create(ask, '/v1/Trunks');
  const byoc = await create(ask, '/v1/ByocTrunks');
  await create(ask, `${ACCOUNT_PATH}/OutgoingCallerIds.json`, { PhoneNumber: '+14155550199' });
  const calls = `${ACCOUNT_PATH}/Calls.json`;
  const call = await create(ask, calls, { To: 'sip:a.example', From: 'a', Twiml: '<Response/>' });
  const belowCall = (path: string) => first(ask, `${call.instance.replace('.json', '')}/${path}.json`);
  return {
    IncomingPhoneNumber: number,
    TrunkPhoneNumber: await create(ask, `${trunk.instance}/PhoneNumbers`, {
      PhoneNumberSid: String(number.json.sid),
    }),
    OutgoingCallerId: await first(ask, `${ACCOUNT_PATH}/OutgoingCallerIds.json`),
    Application: await create(ask, `${ACCOUNT_PATH}/Applications.json`),
    Key: await create(ask, `${ACCOUNT_PATH}/Keys.json`),
    Account: await create(ask, '/2010-04-01/Accounts.json'),
    Call: call,
    CallEvent: await belowCall('Events'),
    CallNotification: await belowCall('Notifications'),
    Notification: await first(ask, `${ACCOUNT_PATH}/Notifications.json`),
    Recording: await first(ask, `${ACCOUNT_PATH}/Recordings.json`),
    CallRecording: await belowCall('Recordings'),
    CarrierRoute: await create(ask, '/tandem/v1/CarrierRoutes', { ByocTrunkSid: String(byoc.json.sid) }),
    AuditEvent: await first(ask, '/tandem/v1/AuditEvents'),
    Registration: await first(ask, '/tandem/v1/Registrations'),
    RejectedCall: await first(ask, '/tandem/v1/RejectedCalls'),
    Webhook: await first(ask, '/tandem/v1/Webhooks'),
  };
}
