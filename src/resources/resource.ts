// The definition of a REST resource: parameters, table, JSON and rules all follow from it.
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { Field, FieldValue } from './field.ts';
import { newSid } from './sid.ts';

export type Operation = 'create' | 'fetch' | 'list' | 'update' | 'delete';

export const EVERY_OPERATION: readonly Operation[] = ['create', 'fetch', 'list', 'update', 'delete'];

/** How many of them an account may have, or a parent where there is one. */
export interface Limit {
  readonly count: number;
  /** Twilio's error code for one too many. */
  readonly code: number;
  readonly message: string;
}

/** What every row has. Dates are milliseconds since the epoch. */
export interface BaseRow {
  readonly sid: string;
  /** The account it belongs to; an account belongs to its owner. */
  readonly accountSid: string;
  readonly dateCreated: number;
  readonly dateUpdated: number;
}

/** A row of any resource, for code that goes by the definition. */
export type AnyRow = BaseRow & { readonly [field: string]: FieldValue };

export interface AnyResource {
  /** Singular, PascalCase: `ConnectionPolicy`. */
  readonly name: string;
  /** The two letters its SIDs begin with. */
  readonly sid: string;
  readonly table: string;
  readonly api: 'v1' | '2010-04-01';
  /** Under its parent, else under the root of its API. */
  readonly path: string;
  /** The property that holds the rows of a list. */
  readonly key: string;
  /** Rows die with their parent; they carry its SID as `connectionPolicySid`. */
  readonly parent?: AnyResource;
  readonly fields: { readonly [name: string]: Field<unknown> };
  /** What the generic routes offer. */
  readonly operations: readonly Operation[];
  /** Configuration is mirrored in memory for routing; records are not. */
  readonly kind: 'configuration' | 'record';
  readonly limit?: Limit;
  /** Properties that are worked out when the resource is shown. */
  readonly derived?: { readonly [name: string]: (row: AnyRow) => FieldValue };
  /** Shown as `owner_account_sid` and not as `account_sid`: only accounts themselves. */
  readonly isAccount?: boolean;
  /** Addresses below the resource: `links` in v1, `subresource_uris` in 2010-04-01. */
  readonly links?: { readonly [name: string]: string };
  /** Fields a list can be narrowed by; dates also by `<` and `>`. */
  readonly filters?: readonly string[];
}

type ValueOf<F> = F extends Field<infer T> ? T : never;

type ParentKey<R extends AnyResource> = R extends {
  readonly parent: { readonly name: infer N extends string };
}
  ? { readonly [K in `${Uncapitalize<N>}Sid`]: string }
  : unknown;

/** A row as its definition types it. */
export type Row<R extends AnyResource> = BaseRow &
  ParentKey<R> & { readonly [K in keyof R['fields']]: ValueOf<R['fields'][K]> };

/** What `newRow` is given: whose it is, and the fields that have no default. */
export type NewRow<R extends AnyResource> = {
  readonly accountSid: string;
  readonly sid?: string;
} & ParentKey<R> &
  Partial<Row<R>>;

export const resource = <const R extends AnyResource>(definition: R): R => Object.freeze(definition);

/** `connectionPolicySid`: the field that holds the parent's SID. */
export function parentField(definition: AnyResource): string | undefined {
  const name = definition.parent?.name;
  return name && `${name.charAt(0).toLowerCase()}${name.slice(1)}Sid`;
}

/** A complete row: a fresh SID, both dates now, and the default of every field that is not given. */
export function newRow<R extends AnyResource>(
  definition: R,
  values: NewRow<R>,
  world: { readonly clock: Clock; readonly random: Random },
): Row<R> {
  const now = world.clock.now();
  const initial = Object.entries(definition.fields).map(([name, field]) => [name, field.initial]);
  return {
    sid: newSid(definition.sid, world.random),
    dateCreated: now,
    dateUpdated: now,
    ...Object.fromEntries(initial),
    ...values,
  } as unknown as Row<R>;
}
