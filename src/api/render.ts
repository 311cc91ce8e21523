// A row as the JSON its API shows.
import {
  type AnyResource,
  type AnyRow,
  parentField,
  propertyName,
  type Row,
  type RowSource,
  type Shown,
  shownSid,
} from '../resources/index.ts';
import { dialectOf } from './dialect.ts';
import type { JsonObject } from './route.ts';

interface Showing {
  readonly baseUrl: string;
  /** For what is worked out from other rows. */
  readonly rows: RowSource;
  /** Whether the row has just been created: secrets are shown this once. */
  readonly created?: boolean;
  /** Whether it is one of a list. */
  readonly listed?: boolean;
}

export function render<R extends AnyResource>(definition: R, row: Row<R>, showing: Showing): JsonObject {
  const dialect = dialectOf(definition);
  const values = row as unknown as AnyRow;
  const parent = parentField(definition);
  const all: JsonObject = {
    sid: shownSid(definition, values),
    [definition.isAccount ? 'owner_account_sid' : 'account_sid']: values.accountSid,
    ...(parent && { [propertyName(parent)]: values[parent] as string }),
    ...fieldProperties(definition, values),
    ...derivedProperties(definition, values, showing),
    ...(showing.created && onceProperties(definition, values)),
    date_created: dialect.formatDate(values.dateCreated),
    date_updated: dialect.formatDate(values.dateUpdated),
    ...dialect.addresses(definition, values, showing.baseUrl),
  };
  const hidden = showing.listed
    ? [...(definition.hidden ?? []), ...(definition.notInLists ?? [])]
    : (definition.hidden ?? []);
  return hidden.length > 0
    ? Object.fromEntries(Object.entries(all).filter(([name]) => !hidden.includes(name)))
    : all;
}

function fieldProperties(definition: AnyResource, values: AnyRow): JsonObject {
  const { formatDate } = dialectOf(definition);
  const properties: Record<string, Shown> = {};
  for (const [name, field] of Object.entries(definition.fields)) {
    if (!field.isProperty) continue;
    const value = values[name] ?? null;
    properties[propertyName(name)] =
      value !== null && field.column === 'dateTime' ? formatDate(Number(value)) : field.show(value);
  }
  return properties;
}

function derivedProperties(
  { derived = {} }: AnyResource,
  values: AnyRow,
  { rows, baseUrl }: Showing,
): JsonObject {
  return Object.fromEntries(
    Object.entries(derived).map(([name, derive]) => [propertyName(name), derive(values, rows, baseUrl)]),
  );
}

const onceProperties = ({ fields }: AnyResource, values: AnyRow): JsonObject =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) =>
      field.isShownOnce ? [[propertyName(name), values[name] ?? null]] : [],
    ),
  );
