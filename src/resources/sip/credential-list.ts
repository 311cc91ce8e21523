// User names and passwords under one name, to be mapped to domains and trunks.
import { text } from '../fields.ts';
import { EVERY_OPERATION, resource } from '../resource.ts';

export const credentialList = resource({
  name: 'CredentialList',
  sid: 'CL',
  table: 'credential_lists',
  api: '2010-04-01',
  path: 'SIP/CredentialLists',
  key: 'credential_lists',
  kind: 'configuration',
  operations: EVERY_OPERATION,
  links: { credentials: 'Credentials' },
  faultCode: 21_240,
  limit: { count: 100, code: 21_239, message: 'An account can have no more than 100 credential lists' },
  unique: [
    {
      fields: ['accountSid', 'friendlyName'],
      code: 21_240,
      message: ({ friendlyName }) => `A credential list named ${friendlyName} already exists`,
    },
  ],
  fields: {
    friendlyName: text({ max: 64 }).alwaysRequired(),
  },
});
