// An Elastic SIP trunk: a PBX's way to the exchange (termination) and back (origination); and what may use it.
import { domainName, settleDomainName } from '../domain-name.ts';
import { boolean, enumeration, httpMethod, httpUrl, internalReference, text } from '../fields.ts';
import {
  EVERY_OPERATION,
  type Refusal,
  type RowSource,
  resource,
  type Surroundings,
  type Values,
} from '../resource.ts';
import { authTypes } from '../sip/auth-types.ts';
import { mapsCredentialList, mapsIpAccessControlList } from '../sip/list-mapping.ts';

export const RECORDING_MODES = [
  'do-not-record',
  'record-from-ringing',
  'record-from-answer',
  'record-from-ringing-dual',
  'record-from-answer-dual',
] as const;

export const RECORDING_TRIMS = ['trim-silence', 'do-not-trim'] as const;

export const trunk = resource({
  name: 'Trunk',
  sid: 'TK',
  table: 'trunks',
  api: 'v1',
  path: 'Trunks',
  key: 'trunks',
  kind: 'configuration',
  operations: EVERY_OPERATION,
  links: {
    origination_urls: 'OriginationUrls',
    credential_lists: 'CredentialLists',
    ip_access_control_lists: 'IpAccessControlLists',
    phone_numbers: 'PhoneNumbers',
  },
  limit: { count: 100, code: 21_244, message: 'An account can have no more than 100 trunks' },
  unique: [
    {
      fields: ['domainName'],
      code: 21_248,
      message: (row) => `Domain ${row.domainName} already exists.`,
    },
  ],
  indexes: [['domainName']],
  settle: settleTrunk,
  derived: {
    recording: (row) => recordingOf(row),
    symmetricRtpEnabled: () => false,
    authType: (row, rows) => trunkAuthTypes(row.sid, rows).join(),
    authTypeSet: (row, rows) => trunkAuthTypes(row.sid, rows),
  },
  fields: {
    // Twilio's page says 64; its API takes more.
    friendlyName: text({ max: 255 }),
    domainName: domainName(),
    disasterRecoveryUrl: httpUrl(),
    disasterRecoveryMethod: httpMethod().default('POST'),
    transferMode: enumeration(['disable-all', 'enable-all', 'sip-only']).default('disable-all'),
    transferCallerId: enumeration(['from-transferee', 'from-transferor']).default('from-transferee'),
    secure: boolean().default(false),
    cnamLookupEnabled: boolean().default(false),
    recordingMode: enumeration(RECORDING_MODES).default('do-not-record').internal(),
    recordingTrim: enumeration(RECORDING_TRIMS).default('do-not-trim').internal(),
    /** The trunk whose domain this one's is a subdomain of. */
    parentDomainName: internalReference('TK', { field: 'domainName', inUseCode: 21_247 }),
  },
});

/** A trunk's `recording`, which is also the whole of its child resource Recording. */
export const recordingOf = (row: { readonly [field: string]: unknown }) => ({
  mode: String(row.recordingMode),
  trim: String(row.recordingTrim),
});

function settleTrunk(given: Values, surroundings: Surroundings): Values | Refusal {
  return settleDomainName(given, surroundings, {
    kind: 'trunk',
    definition: trunk,
    invalidCode: 21_245,
    foreignCode: 21_245,
    orphanCode: 21_247,
  });
}

const MAPPING = {
  api: 'v1',
  parent: trunk,
  kind: 'configuration',
  operations: ['create', 'fetch', 'list', 'delete'],
} as const;

const MAPPED_TO = { parent: 'trunk', alreadyMapped: 21_245 } as const;

export const trunkCredentialList = resource({
  ...MAPPING,
  name: 'TrunkCredentialList',
  sid: 'MT',
  table: 'trunk_credential_lists',
  path: 'CredentialLists',
  key: 'credential_lists',
  ...mapsCredentialList(MAPPED_TO),
});

export const trunkIpAccessControlList = resource({
  ...MAPPING,
  name: 'TrunkIpAccessControlList',
  sid: 'MA',
  table: 'trunk_ip_access_control_lists',
  path: 'IpAccessControlLists',
  key: 'ip_access_control_lists',
  ...mapsIpAccessControlList(MAPPED_TO),
});

/** None means that the trunk takes no calls from the PBX. */
function trunkAuthTypes(sid: string, rows: RowSource): readonly string[] {
  return authTypes({
    IP_ACL: rows.children(trunkIpAccessControlList, sid),
    CREDENTIAL_LIST: rows.children(trunkCredentialList, sid),
  });
}
