// Addresses under one name, to be mapped to domains and trunks.
import { text } from '../fields.ts';
import { EVERY_OPERATION, resource } from '../resource.ts';

export const ipAccessControlList = resource({
  name: 'IpAccessControlList',
  sid: 'AL',
  table: 'ip_access_control_lists',
  api: '2010-04-01',
  path: 'SIP/IpAccessControlLists',
  key: 'ip_access_control_lists',
  kind: 'configuration',
  operations: EVERY_OPERATION,
  links: { ip_addresses: 'IpAddresses' },
  faultCode: 21_235,
  limit: {
    count: 1000,
    code: 21_255,
    message: 'An account can have no more than 1000 IP access control lists',
  },
  unique: [
    {
      fields: ['accountSid', 'friendlyName'],
      code: 21_235,
      message: ({ friendlyName }) => `An IP access control list named ${friendlyName} already exists`,
    },
  ],
  fields: {
    friendlyName: text({ max: 255 }).alwaysRequired(),
  },
});
