// How the health of targets is listed: worked out while the exchange runs, so there is no table of it.
import { resource } from '../resource.ts';

export const targetHealth = resource({
  name: 'TargetHealth',
  sid: 'NE',
  table: 'connection_policy_targets',
  api: 'tandem/v1',
  path: 'TargetHealth',
  key: 'target_health',
  kind: 'record',
  operations: ['fetch', 'list'],
  fields: {},
});
