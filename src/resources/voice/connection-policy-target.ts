// One place a policy sends calls to: low priority first, weight as the share among equals.
import { boolean, integer, sipUri, text } from '../fields.ts';
import { EVERY_OPERATION, resource } from '../resource.ts';
import { connectionPolicy } from './connection-policy.ts';

export const connectionPolicyTarget = resource({
  name: 'ConnectionPolicyTarget',
  sid: 'NE',
  table: 'connection_policy_targets',
  api: 'v1',
  parent: connectionPolicy,
  path: 'Targets',
  key: 'targets',
  kind: 'configuration',
  operations: EVERY_OPERATION,
  indexes: [['accountSid']],
  limit: { count: 10, code: 21254, message: 'A connection policy can have no more than 10 targets' },
  fields: {
    target: sipUri({ schemes: ['sip'] }).required(),
    friendlyName: text({ max: 255 }),
    priority: integer({ min: 0, max: 65_535 }).default(10),
    weight: integer({ min: 1, max: 65_535 }).default(10),
    enabled: boolean().default(true),
  },
});
