// Between a row as its definition types it and the columns of its table.
import {
  type AnyResource,
  type ColumnKind,
  type FieldValue,
  parentField,
  propertyName,
  type Row,
} from '../resources/index.ts';
import { type Cipher, isSealed } from './cipher.ts';
import type { SqlRow, SqlValue } from './engine.ts';

/** Columns every table has, its primary key `position` left out. */
const BASE_KINDS: readonly (readonly [field: string, kind: ColumnKind])[] = [
  ['sid', 'text'],
  ['accountSid', 'text'],
  ['dateCreated', 'dateTime'],
  ['dateUpdated', 'dateTime'],
];

/** Every field of a definition's rows with the kind of its column, in the order of the columns. */
export function columnKinds(definition: AnyResource): ReadonlyMap<string, ColumnKind> {
  const parent = parentField(definition);
  return new Map([
    ...BASE_KINDS,
    ...(parent ? [[parent, 'text'] as const] : []),
    ...Object.entries(definition.fields).map(([name, field]) => [name, field.column] as const),
  ]);
}

export interface Codec {
  /** Only the fields that are given; unknown ones are left out. Keys are columns. */
  encode(definition: AnyResource, values: object): Record<string, SqlValue>;
  decode<R extends AnyResource>(definition: R, row: SqlRow): Row<R>;
  encodeValue(kind: ColumnKind, value: FieldValue): SqlValue;
  decodeValue(kind: ColumnKind, value: SqlValue): FieldValue;
}

const hasUserinfo = (url: string): boolean => /^[a-z]+:\/\/[^/?#]*@/i.test(url);

export function createCodec(cipher: Cipher): Codec {
  const columnsOf = memoize((definition: AnyResource) =>
    [...columnKinds(definition)].map(([field, kind]) => ({ field, kind, column: propertyName(field) })),
  );

  const encodeValue = (kind: ColumnKind, value: FieldValue): SqlValue => {
    if (value === null) return null;
    if (kind === 'list') return JSON.stringify(value);
    if (kind === 'boolean') return value ? 1 : 0;
    if (kind === 'secret' || (kind === 'url' && hasUserinfo(String(value))))
      return cipher.seal(String(value));
    return value as SqlValue;
  };

  const decodeValue = (kind: ColumnKind, value: SqlValue): FieldValue => {
    if (value === null) return null;
    if (kind === 'list') return JSON.parse(String(value)) as string[];
    if (kind === 'boolean') return Boolean(value);
    if (kind === 'secret' || (kind === 'url' && isSealed(String(value)))) return cipher.open(String(value));
    return value;
  };

  return {
    encodeValue,
    decodeValue,
    encode(definition, values) {
      const given = values as Record<string, FieldValue | undefined>;
      const columns: Record<string, SqlValue> = {};
      for (const { field, kind, column } of columnsOf(definition)) {
        const value = given[field];
        if (value !== undefined) columns[column] = encodeValue(kind, value);
      }
      return columns;
    },
    decode(definition, row) {
      const values: Record<string, FieldValue> = {};
      for (const { field, kind, column } of columnsOf(definition)) {
        values[field] = decodeValue(kind, row[column] ?? null);
      }
      return values as unknown as Row<typeof definition>;
    },
  };
}

function memoize<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}
