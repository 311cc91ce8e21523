// An account: who calls the API, and whose token signs webhooks.
import { enumeration, shownOnceToken, text } from '../fields.ts';
import { Refusal, resource, type Surroundings, type Values } from '../resource.ts';

export const account = resource({
  name: 'Account',
  sid: 'AC',
  table: 'accounts',
  api: '2010-04-01',
  path: 'Accounts',
  key: 'accounts',
  kind: 'configuration',
  tokenOnly: true,
  operations: ['create', 'fetch', 'list', 'update'],
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
  // A subaccount's token is in the answer that creates it, or nobody could use it; it is returned nowhere else, not
  // even to its owner. The property stays, as clients expect it.
  derived: { authToken: () => null },
  settle: (given, surroundings) => refusal(given, surroundings) ?? named(given, surroundings),
  fields: {
    friendlyName: text({ max: 64 }).default(''),
    status: enumeration(['active', 'suspended', 'closed']).default('active').onUpdateOnly(),
    type: enumeration(['Trial', 'Full']).default('Full').readOnly(),
    authToken: shownOnceToken(),
  },
});

function refusal(given: Values, { account: owner, current }: Surroundings): Refusal | undefined {
  const refuse = (message: string) => new Refusal(20_001, message);
  if (!current) {
    const isSubaccount = owner.accountSid !== owner.sid;
    return isSubaccount ? refuse('A subaccount cannot have subaccounts') : undefined;
  }
  const { status = current.status } = given;
  if (status === current.status) return undefined;
  if (current.sid === current.accountSid) return refuse('Only subaccounts can be suspended or closed');
  if (owner.sid === current.sid) return refuse('A subaccount is suspended and closed by its owner');
  return current.status === 'closed' ? refuse('A closed account cannot be opened again') : undefined;
}

/** `SubAccount Created at 2026-01-31 04:05 pm`, Twilio's name for an account that was given none. */
function named(given: Values, { current, now }: Surroundings): Values {
  if (current || given.friendlyName !== '') return given;
  const [day = '', time = ''] = new Date(now).toISOString().split('T');
  const hour = Number(time.slice(0, 2));
  const clock = `${String(hour % 12 || 12).padStart(2, '0')}${time.slice(2, 5)}`;
  return { ...given, friendlyName: `SubAccount Created at ${day} ${clock} ${hour < 12 ? 'am' : 'pm'}` };
}
