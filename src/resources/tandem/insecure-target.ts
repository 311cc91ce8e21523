// A target that is called over TLS whatever certificate it shows: the carrier's is self-signed, or for another name.
import { reference } from '../fields.ts';
import { resource } from '../resource.ts';

export const insecureTarget = resource({
  name: 'InsecureTarget',
  sid: 'TI',
  table: 'insecure_targets',
  api: 'tandem/v1',
  path: 'InsecureTargets',
  key: 'insecure_targets',
  kind: 'configuration',
  operations: ['create', 'fetch', 'list', 'delete'],
  unique: [
    { fields: ['targetSid'], code: 20_001, message: (row) => `Target ${row.targetSid} is insecure already` },
  ],
  filters: ['targetSid'],
  fields: { targetSid: reference('NE', { onDelete: 'cascade' }).required().fixed() },
});
