// Every REST resource that is served, each defined once. A new one is a file, a line here and a migration.
//
// resource.ts   what a definition says, and the row type that follows from it
// field.ts      what a field is; fields.ts the kinds there are
// parameters.ts form → typed values and errors
// names.ts      FriendlyName and friendly_name from friendlyName
// sid.ts        SIDs      domain-name.ts  host names of SIP domains and trunks
// voice/, trunking/, sip/, api2010/, tandem/  one file per resource, by product
import { account } from './api2010/account.ts';
import { application } from './api2010/application.ts';
import { call } from './api2010/call.ts';
import { callEvent } from './api2010/call-event.ts';
import { incomingPhoneNumber, trunkPhoneNumber } from './api2010/incoming-phone-number.ts';
import { key } from './api2010/key.ts';
import { callNotification, notification } from './api2010/notification.ts';
import { outgoingCallerId } from './api2010/outgoing-caller-id.ts';
import { callRecording, recording } from './api2010/recording.ts';
import type { AnyResource } from './resource.ts';
import { credential } from './sip/credential.ts';
import { credentialList } from './sip/credential-list.ts';
import {
  callsCredentialListMapping,
  callsIpAccessControlListMapping,
  domain,
  legacyCredentialListMapping,
  legacyIpAccessControlListMapping,
  registrationsCredentialListMapping,
} from './sip/domain.ts';
import { ipAccessControlList } from './sip/ip-access-control-list.ts';
import { ipAddress } from './sip/ip-address.ts';
import { auditEvent } from './tandem/audit-event.ts';
import { carrierRoute } from './tandem/carrier-route.ts';
import { insecureTarget } from './tandem/insecure-target.ts';
import { registration } from './tandem/registration.ts';
import { rejectedCall } from './tandem/rejected-call.ts';
import { webhook } from './tandem/webhook.ts';
import { originationUrl } from './trunking/origination-url.ts';
import { trunk, trunkCredentialList, trunkIpAccessControlList } from './trunking/trunk.ts';
import { byocTrunk } from './voice/byoc-trunk.ts';
import { connectionPolicy } from './voice/connection-policy.ts';
import { connectionPolicyTarget } from './voice/connection-policy-target.ts';
import { dialingPermissionsCountry, dialingPermissionsSettings } from './voice/dialing-permissions.ts';
import { ipRecord } from './voice/ip-record.ts';
import { sourceIpMapping } from './voice/source-ip-mapping.ts';

/** Whatever has a table of its own, parents before children. */
export const resources: readonly AnyResource[] = [
  account,
  key,
  connectionPolicy,
  connectionPolicyTarget,
  insecureTarget,
  byocTrunk,
  credentialList,
  credential,
  ipAccessControlList,
  ipAddress,
  application,
  trunk,
  originationUrl,
  trunkCredentialList,
  trunkIpAccessControlList,
  incomingPhoneNumber,
  outgoingCallerId,
  domain,
  callsCredentialListMapping,
  callsIpAccessControlListMapping,
  registrationsCredentialListMapping,
  ipRecord,
  sourceIpMapping,
  carrierRoute,
  dialingPermissionsCountry,
  dialingPermissionsSettings,
  call,
  callEvent,
  callNotification,
  recording,
  auditEvent,
  registration,
  rejectedCall,
  webhook,
];

/** Other addresses of the same rows. */
export const views: readonly AnyResource[] = [
  legacyCredentialListMapping,
  legacyIpAccessControlListMapping,
  trunkPhoneNumber,
  notification,
  callRecording,
];

/** The resource whose SIDs begin with `prefix`; PN names incoming numbers, though caller IDs have it too. */
export const resourceOfSid = (prefix: string): AnyResource | undefined =>
  resources.find((definition) => definition.sid === prefix);

export { account } from './api2010/account.ts';
export { application } from './api2010/application.ts';
export { CALL_DIRECTIONS, CALL_EVENTS, CALL_STATUSES, call } from './api2010/call.ts';
export { callEvent } from './api2010/call-event.ts';
export { incomingPhoneNumber, trunkPhoneNumber } from './api2010/incoming-phone-number.ts';
export { key } from './api2010/key.ts';
export { callNotification } from './api2010/notification.ts';
export { outgoingCallerId } from './api2010/outgoing-caller-id.ts';
export { callRecording, RECORDING_EVENTS, recording } from './api2010/recording.ts';
export { DEFAULT_SUFFIXES, type DomainSuffixes, isUnder } from './domain-suffixes.ts';
export { type ColumnKind, Field, type FieldValue, type JsonSchema, type Shown } from './field.ts';
export {
  BASE_FIELDS,
  boolean,
  enumeration,
  enumerationList,
  httpMethod,
  httpUrl,
  integer,
  maskUserinfo,
  phoneNumber,
  reference,
  text,
} from './fields.ts';
export { parameterName, propertyName } from './names.ts';
export { type FieldError, type Form, type ParsedForm, parseParameters } from './parameters.ts';
export {
  type AnyResource,
  type AnyRow,
  type BaseRow,
  type Limit,
  type Match,
  type NewRow,
  newRow,
  type Operation,
  parentField,
  Refusal,
  type Row,
  type RowSource,
  shownSid,
  storedAs,
  type Unique,
  type Values,
} from './resource.ts';
export { isSid, newSid } from './sid.ts';
export { credential } from './sip/credential.ts';
export { credentialList } from './sip/credential-list.ts';
export { DIGEST_REALM, type DigestAlgorithm, digestOf } from './sip/digest-secret.ts';
export {
  callsCredentialListMapping,
  callsIpAccessControlListMapping,
  domain,
  registrationsCredentialListMapping,
} from './sip/domain.ts';
export { ipAccessControlList } from './sip/ip-access-control-list.ts';
export { ipAddress } from './sip/ip-address.ts';
export { sipUriFault } from './sip-uri.ts';
export { AUDIT_ACTIONS, auditEvent } from './tandem/audit-event.ts';
export { carrierRoute } from './tandem/carrier-route.ts';
export { insecureTarget } from './tandem/insecure-target.ts';
export { registration } from './tandem/registration.ts';
export { rejectedCall } from './tandem/rejected-call.ts';
export { targetHealth } from './tandem/target-health.ts';
export { WEBHOOK_STATUSES, webhook } from './tandem/webhook.ts';
export { originationUrl } from './trunking/origination-url.ts';
export {
  RECORDING_MODES,
  RECORDING_TRIMS,
  recordingOf,
  trunk,
  trunkCredentialList,
  trunkIpAccessControlList,
} from './trunking/trunk.ts';
export { byocTrunk } from './voice/byoc-trunk.ts';
export { connectionPolicy } from './voice/connection-policy.ts';
export { connectionPolicyTarget } from './voice/connection-policy-target.ts';
export { dialingPermissionsCountry, dialingPermissionsSettings } from './voice/dialing-permissions.ts';
export { ipRecord } from './voice/ip-record.ts';
export { sourceIpMapping } from './voice/source-ip-mapping.ts';
