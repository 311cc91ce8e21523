// What a resource looks like in JSON and takes as a form, as JSON Schema 2020-12, from its definition alone.
import {
  type AnyResource,
  type Field,
  type FieldValue,
  type JsonSchema,
  parameterName,
  parentField,
  propertyName,
} from '../resources/index.ts';
import { dialectOf } from './dialect.ts';
import type { Json, JsonObject } from './route.ts';

const STRING = { type: 'string' } as const;

export const sidSchema = (prefix: string): JsonObject => ({
  ...STRING,
  pattern: `^${prefix}[0-9a-fA-F]{32}$`,
});

/** ISO 8601 in the v1 style, RFC 2822 in 2010-04-01's. */
const dateSchema = (definition: AnyResource): JsonObject =>
  dialectOf(definition).suffix === ''
    ? { ...STRING, format: 'date-time' }
    : { ...STRING, pattern: ' \\+0000$' };

/** A resource as it is shown; what only some answers show is not required. */
export function resourceSchema(definition: AnyResource): JsonObject {
  const { fields, derived = {}, hidden = [], notInLists = [], links, isAccount } = definition;
  const parent = parentField(definition);
  const shown = Object.entries(fields).filter(([, field]) => field.isProperty);
  const properties: Record<string, Json> = {
    sid: STRING,
    [isAccount ? 'owner_account_sid' : 'account_sid']: sidSchema('AC'),
    ...(parent && { [propertyName(parent)]: sidSchema(definition.parent?.sid ?? '') }),
    ...Object.fromEntries(
      shown.map(([name, field]) => [propertyName(name), propertySchema(definition, field)]),
    ),
    ...Object.fromEntries(Object.keys(derived).map((name) => [propertyName(name), {}])),
    date_created: dateSchema(definition),
    date_updated: dateSchema(definition),
    ...addressSchemas(definition, links !== undefined),
  };
  for (const name of hidden) delete properties[name];
  const required = Object.keys(properties).filter((name) => !notInLists.includes(name));
  for (const [name, field] of Object.entries(fields)) {
    const shownLater = propertyName(name) in properties;
    if (field.isShownOnce)
      properties[propertyName(name)] = shownLater ? { type: ['string', 'null'] } : STRING;
  }
  return { type: 'object', properties, required };
}

function addressSchemas(definition: AnyResource, hasLinks: boolean): JsonObject {
  const links = { type: 'object', additionalProperties: STRING };
  return dialectOf(definition).suffix === ''
    ? { url: { ...STRING, format: 'uri' }, ...(hasLinks && { links }) }
    : { uri: STRING, ...(hasLinks && { subresource_uris: links }) };
}

function propertySchema(definition: AnyResource, field: Field<unknown>): JsonObject {
  const schema = field.column === 'dateTime' ? dateSchema(definition) : plain(field.schema);
  if (!field.nullable) return schema;
  const blank = field.show(null) as FieldValue;
  return { anyOf: [schema, blank === null ? { type: 'null' } : { const: blank }] };
}

/** OpenAPI 3.1 has no `nullable`: a null is a type of its own. */
function plain(schema: JsonSchema): JsonObject {
  const { nullable: _, ...rest } = schema;
  return rest as JsonObject;
}

/** The form of a create or an update. */
export function formSchema(
  { fields }: Pick<AnyResource, 'fields'>,
  operation: 'create' | 'update',
): JsonObject {
  const taken = Object.entries(fields).filter(([, field]) => field.isParameterOf(operation));
  const required = taken.filter(([, field]) => field.isRequiredOn(operation));
  return {
    type: 'object',
    properties: Object.fromEntries(
      taken.map(([name, field]) => [parameterName(name), parameterSchema(field)]),
    ),
    ...(required.length > 0 && { required: required.map(([name]) => parameterName(name)) }),
  };
}

/** An empty parameter clears what may be null. */
const parameterSchema = (field: Field<unknown>): JsonObject =>
  field.nullable ? { anyOf: [plain(field.schema), { const: '' }] } : plain(field.schema);

/** A page of a list. */
export function pageSchema(definition: AnyResource, items: JsonObject): JsonObject {
  const link = { type: ['string', 'null'] };
  const number = { type: 'integer', minimum: 0 };
  const rows = { [definition.key]: { type: 'array', items } };
  const envelope: JsonObject =
    dialectOf(definition).suffix === ''
      ? {
          meta: {
            type: 'object',
            properties: {
              key: { const: definition.key },
              page: number,
              page_size: number,
              url: STRING,
              first_page_url: STRING,
              previous_page_url: link,
              next_page_url: link,
            },
            required: [
              'key',
              'page',
              'page_size',
              'url',
              'first_page_url',
              'previous_page_url',
              'next_page_url',
            ],
          },
        }
      : {
          uri: STRING,
          first_page_uri: STRING,
          previous_page_uri: link,
          next_page_uri: link,
          page: number,
          page_size: number,
          start: number,
          end: number,
        };
  const properties = { ...envelope, ...rows };
  return { type: 'object', properties, required: Object.keys(properties) };
}
