// An address at which carriers reach a SIP domain by IP instead of by name.
import { integer, ipv4Address, text } from '../fields.ts';
import { EVERY_OPERATION, resource } from '../resource.ts';

export const ipRecord = resource({
  name: 'IpRecord',
  sid: 'IL',
  table: 'ip_records',
  api: 'v1',
  path: 'IpRecords',
  key: 'ip_records',
  kind: 'configuration',
  operations: EVERY_OPERATION,
  fields: {
    friendlyName: text({ max: 255 }),
    ipAddress: ipv4Address().required().fixed(),
    cidrPrefixLength: integer({ min: 1, max: 32 }).default(32).fixed(),
  },
});
