// A SIP domain: a host name at which phones and PBXs reach the exchange; and what may call and register there.
import { domainName, settleDomainName } from '../domain-name.ts';
import { boolean, httpMethod, httpUrl, internalReference, reference, text } from '../fields.ts';
import {
  EVERY_OPERATION,
  type Refusal,
  type RowSource,
  resource,
  type Surroundings,
  type Values,
  view,
} from '../resource.ts';
import { authTypes } from './auth-types.ts';
import { mapsCredentialList, mapsIpAccessControlList } from './list-mapping.ts';

export const domain = resource({
  name: 'Domain',
  sid: 'SD',
  table: 'sip_domains',
  api: '2010-04-01',
  path: 'SIP/Domains',
  key: 'domains',
  kind: 'configuration',
  operations: EVERY_OPERATION,
  links: {
    credential_list_mappings: 'CredentialListMappings',
    ip_access_control_list_mappings: 'IpAccessControlListMappings',
  },
  faultCode: 21_231,
  limit: { count: 100, code: 21_230, message: 'An account can have no more than 100 SIP domains' },
  unique: [
    {
      fields: ['domainName'],
      code: 21_232,
      message: (row) => `Domain ${row.domainName} already exists.`,
    },
  ],
  indexes: [['domainName'], ['byocTrunkSid']],
  settle: settleDomain,
  derived: {
    apiVersion: () => '2010-04-01',
    authType: (row, rows) => callAuthTypes(row.sid, rows).join(),
  },
  fields: {
    domainName: domainName().required(),
    friendlyName: text({ max: 64 }),
    voiceUrl: httpUrl(),
    voiceMethod: httpMethod().default('POST'),
    voiceFallbackUrl: httpUrl(),
    voiceFallbackMethod: httpMethod().default('POST'),
    voiceStatusCallbackUrl: httpUrl(),
    voiceStatusCallbackMethod: httpMethod().default('POST'),
    sipRegistration: boolean().default(false),
    emergencyCallingEnabled: boolean().default(false),
    secure: boolean().default(false),
    byocTrunkSid: reference('BY'),
    emergencyCallerSid: reference('PN'),
    /** The domain this is a subdomain of. */
    parentDomainName: internalReference('SD', { field: 'domainName', inUseCode: 21_233 }),
  },
});

function settleDomain(given: Values, surroundings: Surroundings): Values | Refusal {
  return settleDomainName(given, surroundings, {
    kind: 'sip',
    definition: domain,
    invalidCode: 21_231,
    foreignCode: 21_232,
    orphanCode: 21_232,
  });
}

const MAPPING = {
  api: '2010-04-01',
  parent: domain,
  kind: 'configuration',
  operations: ['create', 'fetch', 'list', 'delete'],
  key: 'contents',
  // The legacy addresses of the same rows show these.
  hidden: ['domain_sid', 'uri'],
} as const;

const MAPPED_TO = { parent: 'domain', alreadyMapped: 21_231 } as const;

export const callsCredentialListMapping = resource({
  ...MAPPING,
  name: 'AuthCallsCredentialListMapping',
  sid: 'MC',
  table: 'domain_calls_credential_list_mappings',
  path: 'Auth/Calls/CredentialListMappings',
  limit: {
    count: 100,
    code: MAPPED_TO.alreadyMapped,
    message: 'A domain can have no more than 100 credential lists',
  },
  ...mapsCredentialList(MAPPED_TO),
});

export const registrationsCredentialListMapping = resource({
  ...callsCredentialListMapping,
  name: 'AuthRegistrationsCredentialListMapping',
  sid: 'MR',
  table: 'domain_registrations_credential_list_mappings',
  path: 'Auth/Registrations/CredentialListMappings',
});

export const callsIpAccessControlListMapping = resource({
  ...MAPPING,
  name: 'AuthCallsIpAccessControlListMapping',
  sid: 'MI',
  table: 'domain_calls_ip_access_control_list_mappings',
  path: 'Auth/Calls/IpAccessControlListMappings',
  ...mapsIpAccessControlList(MAPPED_TO),
});

export const legacyCredentialListMapping = view(callsCredentialListMapping, {
  name: 'CredentialListMapping',
  path: 'CredentialListMappings',
  key: 'credential_list_mappings',
  hidden: [],
});

export const legacyIpAccessControlListMapping = view(callsIpAccessControlListMapping, {
  name: 'IpAccessControlListMapping',
  path: 'IpAccessControlListMappings',
  key: 'ip_access_control_list_mappings',
  hidden: [],
});

/** What may authenticate a call, in the order it was mapped; registration does not count. */
function callAuthTypes(sid: string, rows: RowSource): readonly string[] {
  return authTypes({
    IP_ACL: rows.children(callsIpAccessControlListMapping, sid),
    CREDENTIAL_LIST: rows.children(callsCredentialListMapping, sid),
  });
}
