// One place a trunk's calls for the PBX go to: low priority first, weight as the share among equals.
import { boolean, integer, sipUri, text } from '../fields.ts';
import { EVERY_OPERATION, resource } from '../resource.ts';
import { trunk } from './trunk.ts';

export const originationUrl = resource({
  name: 'OriginationUrl',
  sid: 'OU',
  table: 'origination_urls',
  api: 'v1',
  parent: trunk,
  path: 'OriginationUrls',
  key: 'origination_urls',
  kind: 'configuration',
  operations: EVERY_OPERATION,
  indexes: [['accountSid']],
  limit: { count: 10, code: 21_249, message: 'A trunk can have no more than 10 origination URLs' },
  fields: {
    friendlyName: text({ max: 64 }).required(),
    sipUrl: sipUri({ schemes: ['sip', 'sips'], slashes: true }).required(),
    priority: integer({ min: 0, max: 65_535 }).required(),
    // Twilio's page says 1 and up; its API takes 0.
    weight: integer({ min: 0, max: 65_535 }).required(),
    enabled: boolean().required(),
  },
});
