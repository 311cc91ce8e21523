// Every REST resource that is served, each defined once. A new one is a file, a line here and a migration.
//
// resource.ts   what a definition says, and the row type that follows from it
// field.ts      what a field is; fields.ts the kinds there are
// parameters.ts form → typed values and errors
// names.ts      FriendlyName and friendly_name from friendlyName
// sid.ts        SIDs
// voice/, api2010/  one file per resource, by product
import { account } from './api2010/account.ts';
import { call } from './api2010/call.ts';
import type { AnyResource } from './resource.ts';
import { byocTrunk } from './voice/byoc-trunk.ts';
import { connectionPolicy } from './voice/connection-policy.ts';
import { connectionPolicyTarget } from './voice/connection-policy-target.ts';

/** Parents before children, referenced before referencing: the order in which tables can be loaded. */
export const resources: readonly AnyResource[] = [
  account,
  connectionPolicy,
  connectionPolicyTarget,
  byocTrunk,
  call,
];

/** The resource whose SIDs begin with `prefix`. */
export const resourceOfSid = (prefix: string): AnyResource | undefined =>
  resources.find((definition) => definition.sid === prefix);

export { account } from './api2010/account.ts';
export { CALL_EVENTS, CALL_STATUSES, call } from './api2010/call.ts';
export { type ColumnKind, Field, type FieldValue, type JsonSchema } from './field.ts';
export {
  enumeration,
  enumerationList,
  httpMethod,
  httpUrl,
  integer,
  maskUserinfo,
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
  type NewRow,
  newRow,
  type Operation,
  parentField,
  type Row,
} from './resource.ts';
export { isSid, newSid } from './sid.ts';
export { sipUriFault } from './sip-uri.ts';
export { byocTrunk } from './voice/byoc-trunk.ts';
export { connectionPolicy } from './voice/connection-policy.ts';
export { connectionPolicyTarget } from './voice/connection-policy-target.ts';
