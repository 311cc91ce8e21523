// Webhooks under one name, for numbers and calls to share.
import { boolean, enumeration, httpMethod, httpUrl, text } from '../fields.ts';
import { EVERY_OPERATION, resource } from '../resource.ts';

export const application = resource({
  name: 'Application',
  sid: 'AP',
  table: 'applications',
  api: '2010-04-01',
  path: 'Applications',
  key: 'applications',
  kind: 'configuration',
  operations: EVERY_OPERATION,
  filters: ['friendlyName'],
  fields: {
    friendlyName: text({ max: 64 }),
    apiVersion: enumeration(['2010-04-01', '2008-08-01']).default('2010-04-01'),
    voiceUrl: httpUrl(),
    voiceMethod: httpMethod().default('POST'),
    voiceFallbackUrl: httpUrl(),
    voiceFallbackMethod: httpMethod().default('POST'),
    statusCallback: httpUrl(),
    statusCallbackMethod: httpMethod().default('POST'),
    voiceCallerIdLookup: boolean().default(false),
    smsUrl: httpUrl(),
    smsMethod: httpMethod().default('POST'),
    smsFallbackUrl: httpUrl(),
    smsFallbackMethod: httpMethod().default('POST'),
    smsStatusCallback: httpUrl(),
    messageStatusCallback: httpUrl(),
    publicApplicationConnectEnabled: boolean().default(false),
  },
});
