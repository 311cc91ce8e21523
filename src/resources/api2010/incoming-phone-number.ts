// A phone number of the account: brought by its user, so any may be added. It belongs to a trunk, to webhooks or to nobody.
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { boolean, enumeration, httpMethod, httpUrl, phoneNumber, reference, sidOf, text } from '../fields.ts';
import { EVERY_OPERATION, resource, type Values, view } from '../resource.ts';
import { trunk } from '../trunking/trunk.ts';
import { formatEndpoint } from './call.ts';

const CAPABILITIES = { voice: true, sms: false, mms: false, fax: false };

export const incomingPhoneNumber = resource({
  name: 'IncomingPhoneNumber',
  sid: 'PN',
  table: 'incoming_phone_numbers',
  api: '2010-04-01',
  path: 'IncomingPhoneNumbers',
  key: 'incoming_phone_numbers',
  kind: 'configuration',
  operations: EVERY_OPERATION,
  filters: ['beta', 'friendlyName', 'phoneNumber', 'origin'],
  partialFilters: ['phoneNumber'],
  faultCodes: { phoneNumber: 21_421 },
  unique: [
    {
      fields: ['accountSid', 'phoneNumber'],
      code: 21_422,
      message: (row) => `${row.phoneNumber} is one of the account's numbers already`,
    },
  ],
  indexes: [['phoneNumber'], ['accountSid', 'phoneNumber']],
  settle: (given, { current }) => ({
    ...given,
    ...(!current && { friendlyName: given.friendlyName ?? formatEndpoint(String(given.phoneNumber)) }),
    ...onlyOneOwner(given),
  }),
  derived: {
    capabilities: () => CAPABILITIES,
    addressRequirements: () => 'none',
    emergencyAddressStatus: () => 'unregistered',
    status: () => 'in-use',
    type: (row) => numberType(String(row.phoneNumber)),
  },
  fields: {
    phoneNumber: phoneNumber().required().fixed(),
    friendlyName: text({ max: 64 }),
    apiVersion: enumeration(['2010-04-01', '2008-08-01']).default('2010-04-01'),
    voiceUrl: httpUrl(),
    voiceMethod: httpMethod().default('POST'),
    voiceFallbackUrl: httpUrl(),
    voiceFallbackMethod: httpMethod().default('POST'),
    statusCallback: httpUrl().shownBlankAs(''),
    statusCallbackMethod: httpMethod().default('POST'),
    voiceCallerIdLookup: boolean().default(false),
    voiceApplicationSid: reference('AP', { onDelete: 'clear' }).shownBlankAs(''),
    trunkSid: reference('TK', { onDelete: 'clear' }),
    voiceReceiveMode: enumeration(['voice', 'fax']).default('voice'),
    smsUrl: httpUrl().shownBlankAs(''),
    smsMethod: httpMethod().default('POST'),
    smsFallbackUrl: httpUrl().shownBlankAs(''),
    smsFallbackMethod: httpMethod().default('POST'),
    smsApplicationSid: reference('AP', { onDelete: 'clear' }).shownBlankAs(''),
    emergencyStatus: enumeration(['Active', 'Inactive']).default('Inactive'),
    // Twilio keeps addresses, identities and bundles; here their SIDs are taken as they are given.
    emergencyAddressSid: sidOf('AD'),
    addressSid: sidOf('AD'),
    identitySid: sidOf('RI'),
    bundleSid: sidOf('BU'),
    beta: boolean().default(false).readOnly(),
    origin: enumeration(['twilio', 'hosted']).default('hosted').readOnly(),
  },
});

/** A trunk's number has no application, and the other way round: the one that was named last stays. */
function onlyOneOwner({ trunkSid, voiceApplicationSid }: Values): Values {
  if (typeof trunkSid === 'string') return { voiceApplicationSid: null };
  return typeof voiceApplicationSid === 'string' ? { trunkSid: null } : {};
}

function numberType(number: string): string {
  const type = parsePhoneNumberFromString(number)?.getType();
  if (type === 'TOLL_FREE') return 'toll-free';
  return type === 'MOBILE' ? 'mobile' : 'local';
}

/** The same numbers as a trunk shows them. Adding and removing there is an action of its own (api/trunk-numbers.ts). */
export const trunkPhoneNumber = view(incomingPhoneNumber, {
  name: 'TrunkPhoneNumber',
  api: 'v1',
  parent: trunk,
  path: 'PhoneNumbers',
  key: 'phone_numbers',
  operations: ['fetch', 'list'],
  filters: [],
  links: {
    phone_number: ({ accountSid, sid }) => `/2010-04-01/Accounts/${accountSid}/IncomingPhoneNumbers/${sid}`,
  },
  hidden: [
    'address_sid',
    'bundle_sid',
    'emergency_address_sid',
    'emergency_address_status',
    'emergency_status',
    'identity_sid',
    'origin',
    'status',
    'type',
    'voice_receive_mode',
  ],
});
