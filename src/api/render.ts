// A row as the JSON its API shows.
import {
  type AnyResource,
  type AnyRow,
  type FieldValue,
  parentField,
  propertyName,
  type Row,
} from '../resources/index.ts';
import { dialectOf, pathOf } from './dialect.ts';
import type { Json, JsonObject } from './route.ts';

export function render<R extends AnyResource>(definition: R, row: Row<R>, baseUrl: string): JsonObject {
  const dialect = dialectOf(definition);
  const values = row as unknown as AnyRow;
  const parent = parentField(definition);
  return {
    sid: values.sid,
    [definition.isAccount ? 'owner_account_sid' : 'account_sid']: values.accountSid,
    ...(parent && { [propertyName(parent)]: values[parent] as string }),
    ...fieldProperties(definition, values),
    ...derivedProperties(definition, values),
    date_created: dialect.formatDate(values.dateCreated),
    date_updated: dialect.formatDate(values.dateUpdated),
    ...dialect.addresses(definition, pathOf(definition, values), baseUrl),
  };
}

function fieldProperties(definition: AnyResource, values: AnyRow): JsonObject {
  const { formatDate } = dialectOf(definition);
  const properties: Record<string, Json> = {};
  for (const [name, field] of Object.entries(definition.fields)) {
    if (!field.isProperty) continue;
    const value = values[name] ?? null;
    properties[propertyName(name)] =
      value !== null && field.column === 'dateTime' ? formatDate(Number(value)) : shown(value, field);
  }
  return properties;
}

const shown = (value: FieldValue, field: AnyResource['fields'][string]): Json =>
  value === null ? null : field.show(value);

function derivedProperties({ derived = {} }: AnyResource, values: AnyRow): JsonObject {
  return Object.fromEntries(
    Object.entries(derived).map(([name, derive]) => [propertyName(name), derive(values)]),
  );
}
