// A number that is not the account's and may be its caller ID. Creating one is an action (api/caller-ids.ts).
import { phoneNumber, text } from '../fields.ts';
import { resource } from '../resource.ts';
import { formatEndpoint } from './call.ts';

export const outgoingCallerId = resource({
  name: 'OutgoingCallerId',
  sid: 'PN',
  table: 'outgoing_caller_ids',
  api: '2010-04-01',
  path: 'OutgoingCallerIds',
  key: 'outgoing_caller_ids',
  kind: 'configuration',
  operations: ['fetch', 'list', 'update', 'delete'],
  filters: ['phoneNumber', 'friendlyName'],
  faultCodes: { phoneNumber: 21_421 },
  unique: [
    {
      fields: ['accountSid', 'phoneNumber'],
      code: 21_450,
      message: (row) => `${row.phoneNumber} is validated for this account already`,
    },
  ],
  indexes: [['accountSid', 'phoneNumber']],
  settle: (given, { current }) => ({
    ...given,
    ...(!current && { friendlyName: given.friendlyName ?? formatEndpoint(String(given.phoneNumber)) }),
  }),
  fields: {
    phoneNumber: phoneNumber().required().fixed(),
    friendlyName: text({ max: 64 }),
  },
});
