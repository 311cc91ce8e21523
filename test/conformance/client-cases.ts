// How the official client reaches each resource, what it creates there, and what is refused: the table of
// official-client.test.ts.
import type twilio from 'twilio';

/** What all of the client's instances have in common; `accountSid` stands for all the others. */
export interface Instance {
  readonly sid: string;
  readonly [property: string]: unknown;
  fetch?(): Promise<Instance>;
  update?(values: object): Promise<Instance>;
  remove?(): Promise<boolean>;
}

export interface ClientPage {
  readonly instances: readonly Instance[];
  readonly nextPageUrl?: string;
  nextPage(): Promise<ClientPage> | undefined;
  previousPage(): Promise<ClientPage> | undefined;
}

/** What all of the client's lists have in common. */
export interface ClientList {
  (sid: string): Required<Pick<Instance, 'fetch' | 'remove'>> & Pick<Instance, 'update'>;
  create(values?: object): Promise<Instance>;
  list(options?: object): Promise<readonly Instance[]>;
  each(options: object, callback: (instance: Instance) => void): void;
  page(options?: object): Promise<ClientPage>;
  getPage(url: string): Promise<ClientPage>;
}

export interface Case {
  /** The client's list, which may need others to be created first. */
  readonly list: (client: twilio.Twilio) => Promise<unknown> | unknown;
  /** The parameters of the row with this number, 0 to 4; missing where rows are not created one by one. */
  readonly values: (client: twilio.Twilio, number: number) => Promise<object> | object;
  /** Where the client creates in another place than it lists. */
  readonly create?: (client: twilio.Twilio, values: object) => Promise<unknown>;
  /** What an update takes and what it shows; missing where rows cannot be changed. */
  readonly update?: object | ((client: twilio.Twilio) => Promise<object>);
  readonly updated?: object;
  /** A creation that is refused, and the code. */
  readonly refused: readonly [values: object, code: number];
}

const named = (friendlyName: string) => ({ update: { friendlyName }, updated: { friendlyName } });
const numbered = (name: string) => (_: twilio.Twilio, number: number) => ({
  [name]: `${name.toLowerCase()}${number}`,
});

const domainOf = async ({ sip }: twilio.Twilio, name = 'parent') =>
  sip.domains(
    (
      (await sip.domains.list()).find(({ domainName }) => domainName.startsWith(name)) ??
      (await sip.domains.create({ domainName: `${name}.sip.twilio.com` }))
    ).sid,
  );
const trunkOf = async ({ trunking }: twilio.Twilio) => {
  const { trunks } = trunking.v1;
  return trunks(((await trunks.list())[0] ?? (await trunks.create())).sid);
};
const credentialList = async ({ sip }: twilio.Twilio, number: number) => ({
  credentialListSid: (await sip.credentialLists.create({ friendlyName: `list${number}` })).sid,
});
const accessControlList = async ({ sip }: twilio.Twilio, number: number) => ({
  ipAccessControlListSid: (await sip.ipAccessControlLists.create({ friendlyName: `list${number}` })).sid,
});
const noCredentialList: Case['refused'] = [{ credentialListSid: `CL${'0'.repeat(32)}` }, 20404];
const noAccessControlList: Case['refused'] = [{ ipAccessControlListSid: `AL${'0'.repeat(32)}` }, 20404];

export const CASES: Readonly<Record<string, Case>> = {
  ConnectionPolicy: {
    list: ({ voice }) => voice.v1.connectionPolicies,
    values: numbered('friendlyName'),
    ...named('x'),
    refused: [{ friendlyName: 'x'.repeat(256) }, 20001],
  },
  ConnectionPolicyTarget: {
    list: async ({ voice: { v1 } }) =>
      v1.connectionPolicies((await v1.connectionPolicies.create()).sid).targets,
    values: (_, number) => ({ target: `sip:carrier-${number}.example` }),
    update: { weight: 3, enabled: false },
    updated: { weight: 3, enabled: false },
    refused: [{ target: 'https://www.example.com' }, 20001],
  },
  ByocTrunk: {
    list: ({ voice }) => voice.v1.byocTrunks,
    values: numbered('friendlyName'),
    update: { voiceUrl: 'https://a.example/', voiceMethod: 'GET' },
    updated: { voiceUrl: 'https://a.example/', voiceMethod: 'GET' },
    refused: [{ connectionPolicySid: `NY${'0'.repeat(32)}` }, 20001],
  },
  IpRecord: {
    list: ({ voice }) => voice.v1.ipRecords,
    values: (_, number) => ({ ipAddress: `192.0.2.${number}` }),
    ...named('x'),
    refused: [{ ipAddress: 'x' }, 20001],
  },
  SourceIpMapping: {
    list: ({ voice }) => voice.v1.sourceIpMappings,
    values: async (client, number) => ({
      ipRecordSid: (await client.voice.v1.ipRecords.create({ ipAddress: `192.0.2.${number}` })).sid,
      sipDomainSid: (await client.sip.domains.create({ domainName: `d${number}.sip.twilio.com` })).sid,
    }),
    update: async ({ sip }) => ({ sipDomainSid: (await sip.domains.list())[0]?.sid }),
    updated: {},
    refused: [{ ipRecordSid: `IL${'0'.repeat(32)}`, sipDomainSid: `SD${'0'.repeat(32)}` }, 20001],
  },
  Trunk: {
    list: ({ trunking }) => trunking.v1.trunks,
    values: numbered('friendlyName'),
    update: { secure: true, transferMode: 'sip-only' },
    updated: { secure: true, transferMode: 'sip-only' },
    refused: [{ transferMode: 'x' }, 20001],
  },
  OriginationUrl: {
    list: async (client) => (await trunkOf(client)).originationUrls,
    values: (_, number) => ({
      friendlyName: 'a',
      sipUrl: `sip:${number}.example`,
      priority: 1,
      weight: 1,
      enabled: true,
    }),
    update: { sipUrl: 'sip:b.example', weight: 0 },
    updated: { sipUrl: 'sip:b.example', weight: 0 },
    refused: [{ friendlyName: 'a', sipUrl: 'x', priority: 1, weight: 1, enabled: true }, 20001],
  },
  TrunkCredentialList: {
    list: async (client) => (await trunkOf(client)).credentialsLists,
    values: credentialList,
    refused: noCredentialList,
  },
  TrunkIpAccessControlList: {
    list: async (client) => (await trunkOf(client)).ipAccessControlLists,
    values: accessControlList,
    refused: noAccessControlList,
  },
  TrunkPhoneNumber: {
    list: async (client) => (await trunkOf(client)).phoneNumbers,
    values: async (client, number) => ({
      phoneNumberSid: (await client.incomingPhoneNumbers.create({ phoneNumber: `+1415555010${number}` })).sid,
    }),
    refused: [{ phoneNumberSid: `PN${'0'.repeat(32)}` }, 20404],
  },
  Domain: {
    list: ({ sip }) => sip.domains,
    values: (_, number) => ({ domainName: `d${number}.sip.twilio.com` }),
    update: { friendlyName: 'x', sipRegistration: true },
    updated: { friendlyName: 'x', sipRegistration: true },
    refused: [{ domainName: 'a.example.com' }, 21231],
  },
  AuthCallsCredentialListMapping: {
    list: async (client) => (await domainOf(client)).auth.calls.credentialListMappings,
    values: credentialList,
    refused: noCredentialList,
  },
  AuthCallsIpAccessControlListMapping: {
    list: async (client) => (await domainOf(client)).auth.calls.ipAccessControlListMappings,
    values: accessControlList,
    refused: noAccessControlList,
  },
  AuthRegistrationsCredentialListMapping: {
    list: async (client) => (await domainOf(client)).auth.registrations.credentialListMappings,
    values: credentialList,
    refused: noCredentialList,
  },
  CredentialListMapping: {
    list: async (client) => (await domainOf(client)).credentialListMappings,
    values: credentialList,
    refused: noCredentialList,
  },
  IpAccessControlListMapping: {
    list: async (client) => (await domainOf(client)).ipAccessControlListMappings,
    values: accessControlList,
    refused: noAccessControlList,
  },
  CredentialList: {
    list: ({ sip }) => sip.credentialLists,
    values: numbered('friendlyName'),
    ...named('x'),
    refused: [{ friendlyName: '' }, 21240],
  },
  Credential: {
    list: async ({ sip }) =>
      sip.credentialLists((await sip.credentialLists.create({ friendlyName: 'a' })).sid).credentials,
    values: (_, number) => ({ username: `bob${number}`, password: 'Correct-horse-1' }),
    update: { password: 'Correct-horse-2' },
    updated: {},
    refused: [{ username: 'bob', password: 'short' }, 21243],
  },
  IpAccessControlList: {
    list: ({ sip }) => sip.ipAccessControlLists,
    values: numbered('friendlyName'),
    ...named('x'),
    refused: [{ friendlyName: '' }, 21235],
  },
  IpAddress: {
    list: async ({ sip }) =>
      sip.ipAccessControlLists((await sip.ipAccessControlLists.create({ friendlyName: 'a' })).sid)
        .ipAddresses,
    values: (_, number) => ({ friendlyName: `a${number}`, ipAddress: `192.0.2.${number}` }),
    update: { friendlyName: 'x', cidrPrefixLength: 31 },
    updated: { friendlyName: 'x', cidrPrefixLength: 31 },
    refused: [{ friendlyName: 'a', ipAddress: 'x' }, 21235],
  },
  IncomingPhoneNumber: {
    list: ({ incomingPhoneNumbers }) => incomingPhoneNumbers,
    values: (_, number) => ({ phoneNumber: `+1415555010${number}` }),
    ...named('x'),
    refused: [{ phoneNumber: 'x' }, 21421],
  },
  OutgoingCallerId: {
    list: ({ outgoingCallerIds }) => outgoingCallerIds,
    values: (_, number) => ({ phoneNumber: `+1415555010${number}` }),
    create: async ({ validationRequests, outgoingCallerIds }, values) => {
      const { phoneNumber } = await validationRequests.create(values as { phoneNumber: string });
      return (await outgoingCallerIds.list({ phoneNumber }))[0];
    },
    ...named('x'),
    refused: [{ phoneNumber: 'x' }, 21421],
  },
  Application: {
    list: ({ applications }) => applications,
    values: numbered('friendlyName'),
    ...named('x'),
    refused: [{ voiceUrl: 'x' }, 20001],
  },
  Key: {
    list: ({ keys }) => keys,
    values: numbered('friendlyName'),
    create: ({ newKeys }, values) => newKeys.create(values),
    ...named('x'),
    refused: [{ friendlyName: 'x'.repeat(65) }, 20001],
  },
  Account: {
    list: ({ api }) => api.v2010.accounts,
    values: numbered('friendlyName'),
    ...named('x'),
    refused: [{ friendlyName: 'x'.repeat(65) }, 20001],
  },
  Call: {
    list: ({ calls }) => calls,
    values: () => ({ to: 'sip:a.example', from: 'a', twiml: '<Response/>' }),
    refused: [{ to: 'x', from: 'a', twiml: '<Response/>' }, 21211],
  },
};
