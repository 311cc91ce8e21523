// An account: who calls the API, and whose token signs webhooks.
import { enumeration, secret, text } from '../fields.ts';
import { resource } from '../resource.ts';

export const account = resource({
  name: 'Account',
  sid: 'AC',
  table: 'accounts',
  api: '2010-04-01',
  path: 'Accounts',
  key: 'accounts',
  kind: 'configuration',
  operations: ['fetch', 'list', 'update'],
  isAccount: true,
  filters: ['friendlyName', 'status'],
  links: {
    addresses: 'Addresses',
    applications: 'Applications',
    authorized_connect_apps: 'AuthorizedConnectApps',
    available_phone_numbers: 'AvailablePhoneNumbers',
    balance: 'Balance',
    calls: 'Calls',
    conferences: 'Conferences',
    connect_apps: 'ConnectApps',
    incoming_phone_numbers: 'IncomingPhoneNumbers',
    keys: 'Keys',
    messages: 'Messages',
    notifications: 'Notifications',
    outgoing_caller_ids: 'OutgoingCallerIds',
    queues: 'Queues',
    recordings: 'Recordings',
    short_codes: 'SMS/ShortCodes',
    signing_keys: 'SigningKeys',
    sip: 'SIP',
    transcriptions: 'Transcriptions',
    usage: 'Usage',
  },
  // Tokens are never returned, not even to their owner; the property stays, as clients expect it.
  derived: { authToken: () => null },
  fields: {
    friendlyName: text({ max: 64 }).default(''),
    // `suspended` and `closed` are states of subaccounts, which are not served yet.
    status: enumeration(['active']).default('active'),
    type: enumeration(['Trial', 'Full']).default('Full').readOnly(),
    authToken: secret().required().internal(),
  },
});
