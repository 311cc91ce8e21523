// A customer's own carrier: calls leave by its connection policy, calls that arrive fetch TwiML from its VoiceUrl.
import { boolean, httpMethod, httpUrl, reference, text } from '../fields.ts';
import { EVERY_OPERATION, resource } from '../resource.ts';

export const byocTrunk = resource({
  name: 'ByocTrunk',
  sid: 'BY',
  table: 'byoc_trunks',
  api: 'v1',
  path: 'ByocTrunks',
  key: 'byoc_trunks',
  kind: 'configuration',
  operations: EVERY_OPERATION,
  fields: {
    friendlyName: text({ max: 255 }),
    voiceUrl: httpUrl(),
    voiceMethod: httpMethod().default('POST'),
    voiceFallbackUrl: httpUrl(),
    voiceFallbackMethod: httpMethod().default('POST'),
    statusCallbackUrl: httpUrl(),
    statusCallbackMethod: httpMethod().default('POST'),
    cnamLookupEnabled: boolean().default(false),
    connectionPolicySid: reference('NY'),
    fromDomainSid: reference('SD'),
  },
});
