// One address, or one network, of an access control list.
import { integer, ipv4Address, text } from '../fields.ts';
import { EVERY_OPERATION, resource } from '../resource.ts';
import { ipAccessControlList } from './ip-access-control-list.ts';

export const ipAddress = resource({
  name: 'IpAddress',
  sid: 'IP',
  table: 'ip_addresses',
  api: '2010-04-01',
  parent: ipAccessControlList,
  path: 'IpAddresses',
  key: 'ip_addresses',
  kind: 'configuration',
  operations: EVERY_OPERATION,
  faultCode: 21_235,
  limit: {
    count: 100,
    code: 21_237,
    message: 'An IP access control list can have no more than 100 addresses',
  },
  unique: [
    {
      fields: ['ipAccessControlListSid', 'friendlyName'],
      code: 21_235,
      message: ({ friendlyName }) => `The list has an address named ${friendlyName} already`,
    },
    {
      fields: ['ipAccessControlListSid', 'ipAddress', 'cidrPrefixLength'],
      code: 21_235,
      message: (row) => `The list has the address ${row.ipAddress}/${row.cidrPrefixLength} already`,
    },
  ],
  fields: {
    friendlyName: text({ max: 255 }).required(),
    ipAddress: ipv4Address().required(),
    cidrPrefixLength: integer({ min: 1, max: 32 }).default(32),
  },
});
