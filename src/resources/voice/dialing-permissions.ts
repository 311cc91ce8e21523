// Which countries an account may call: everything is allowed until it is forbidden. Served by api/dialing-permissions.ts.
import { boolean, text } from '../fields.ts';
import { resource } from '../resource.ts';

export const dialingPermissionsCountry = resource({
  name: 'DialingPermissionsCountry',
  sid: 'DP',
  table: 'dialing_permissions_countries',
  api: 'v1',
  path: 'DialingPermissions/Countries',
  key: 'content',
  kind: 'configuration',
  operations: [],
  unique: [
    { fields: ['accountSid', 'isoCode'], code: 20_409, message: (row) => `${row.isoCode} is set already` },
  ],
  indexes: [['accountSid', 'isoCode'], ['accountSid']],
  fields: {
    /** ISO 3166-1 alpha-2. */
    isoCode: text().required().readOnly(),
    lowRiskNumbersEnabled: boolean().default(true).readOnly(),
    highRiskSpecialNumbersEnabled: boolean().default(true).readOnly(),
    highRiskTollfraudNumbersEnabled: boolean().default(true).readOnly(),
  },
});

export const dialingPermissionsSettings = resource({
  name: 'DialingPermissionsSettings',
  sid: 'DS',
  table: 'dialing_permissions_settings',
  api: 'v1',
  path: 'Settings',
  key: 'content',
  kind: 'configuration',
  operations: [],
  unique: [{ fields: ['accountSid'], code: 20_409, message: () => 'The settings are there already' }],
  indexes: [['accountSid']],
  fields: {
    dialingPermissionsInheritance: boolean().default(true),
  },
});
