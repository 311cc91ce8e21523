// How calls leave over a customer's own carriers: a policy is a list of targets.
import { text } from '../fields.ts';
import { EVERY_OPERATION, resource } from '../resource.ts';

export const connectionPolicy = resource({
  name: 'ConnectionPolicy',
  sid: 'NY',
  table: 'connection_policies',
  api: 'v1',
  path: 'ConnectionPolicies',
  key: 'connection_policies',
  kind: 'configuration',
  operations: EVERY_OPERATION,
  links: { targets: 'Targets' },
  limit: {
    count: 10_000,
    code: 21253,
    message: 'An account can have no more than 10000 connection policies',
  },
  fields: {
    friendlyName: text({ max: 255 }),
  },
});
