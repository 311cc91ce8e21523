// Which BYOC trunk carries a call to a number: the longest prefix wins, then the lowest priority.
import { Field } from '../field.ts';
import { integer, reference } from '../fields.ts';
import { EVERY_OPERATION, resource } from '../resource.ts';

export const carrierRoute = resource({
  name: 'CarrierRoute',
  sid: 'RT',
  table: 'carrier_routes',
  api: 'tandem/v1',
  path: 'CarrierRoutes',
  key: 'carrier_routes',
  kind: 'configuration',
  operations: EVERY_OPERATION,
  unique: [
    {
      fields: ['accountSid', 'prefix', 'byocTrunkSid'],
      code: 20_001,
      message: (row) => `A route of ${row.prefix || 'every number'} to ${row.byocTrunkSid} already exists`,
    },
  ],
  indexes: [['accountSid', 'prefix']],
  fields: {
    prefix: numberPrefix(),
    byocTrunkSid: reference('BY').required(),
    priority: integer({ min: 0, max: 65_535 }).default(10),
  },
});

/** The first digits of numbers in E.164; empty for every number. */
function numberPrefix(): Field<string> {
  return new Field<string>({
    column: 'text',
    schema: { type: 'string', pattern: '^(\\+[0-9]{1,15})?$' },
    parse: (given) =>
      /^\+\d{1,15}$/.test(given)
        ? { value: given }
        : { reason: 'must be + and the first digits of a number, or empty for every number' },
    initial: '',
    cleared: '',
  });
}
