// The health of a target as it is shown: no definition says it, as it is kept in no table.
import { HEALTH_STATES } from '../routing/index.ts';
import { sidSchema } from './openapi-schemas.ts';
import type { JsonObject } from './route.ts';

const STRING = { type: 'string' };
const MOMENT = { type: ['string', 'null'], format: 'date-time' };
const COUNT = { type: 'integer', minimum: 0 };
const STATE = { enum: HEALTH_STATES };
const orNull = (schema: JsonObject): JsonObject => ({ anyOf: [schema, { type: 'null' }] });

const properties = {
  target_sid: { anyOf: [sidSchema('NE'), sidSchema('OU')] },
  account_sid: sidSchema('AC'),
  connection_policy_sid: orNull(sidSchema('NY')),
  trunk_sid: orNull(sidSchema('TK')),
  target: STRING,
  enabled: { type: 'boolean' },
  insecure: { type: 'boolean' },
  state: STATE,
  since: MOMENT,
  why: STRING,
  checked_at: MOMENT,
  failed_calls: COUNT,
  failed_checks: COUNT,
  history: {
    type: 'array',
    items: {
      type: 'object',
      properties: { at: MOMENT, state: STATE, why: STRING },
      required: ['at', 'state', 'why'],
    },
  },
  url: { ...STRING, format: 'uri' },
};

export const TARGET_HEALTH: JsonObject = {
  type: 'object',
  properties,
  required: Object.keys(properties),
};
