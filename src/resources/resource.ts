// The definition of a REST resource: parameters, table, JSON and rules all follow from it.
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { DomainSuffixes } from './domain-suffixes.ts';
import type { Field, FieldValue, Shown } from './field.ts';
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

/** Fields that no two rows may have all equal. */
export interface Unique {
  readonly fields: readonly string[];
  /** Twilio's error code for the second one. */
  readonly code: number;
  message(row: AnyRow): string;
}

/** The configuration in memory, as far as a definition's own rules ask for it. */
export interface RowSource {
  find<R extends AnyResource>(definition: R, sid: string): Row<R> | undefined;
  /** The rows below a parent, oldest first. */
  children<R extends AnyResource>(definition: R, parentSid: string): readonly Row<R>[];
  /** The rows with these values, oldest first; the fields must be one of the definition's `indexes`. */
  findBy<R extends AnyResource>(definition: R, match: Match<R>): readonly Row<R>[];
}

export type Match<R extends AnyResource> = { readonly [K in keyof Row<R>]?: Row<R>[K] };

export interface Surroundings {
  /** Whose row it is, and the account above it (itself where there is none). */
  readonly account: { readonly sid: string; readonly accountSid: string };
  /** The row as it was; missing on create. */
  readonly current?: AnyRow;
  readonly rows: RowSource;
  readonly suffixes: DomainSuffixes;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export type Values = { readonly [field: string]: FieldValue };

/** Twilio's code and words for values that parse but may not be. */
export class Refusal {
  readonly code: number;
  readonly message: string;

  constructor(code: number, message: string) {
    this.code = code;
    this.message = message;
  }
}

export interface AnyResource {
  /** Singular, PascalCase: `ConnectionPolicy`. */
  readonly name: string;
  /** The two letters its SIDs begin with. */
  readonly sid: string;
  readonly table: string;
  readonly api: 'v1' | 'tandem/v1' | '2010-04-01';
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
  readonly unique?: readonly Unique[];
  /** Twilio's error code for a parameter at fault, where it has one for this resource. */
  readonly faultCode?: number;
  /** The same for single fields. */
  readonly faultCodes?: { readonly [field: string]: number };
  /** The rule that is no matter of one field: completes what was given, or refuses it. */
  readonly settle?: (given: Values, surroundings: Surroundings) => Values | Refusal;
  /** Properties that are worked out when the resource is shown. */
  readonly derived?: {
    readonly [name: string]: (row: AnyRow, rows: RowSource, baseUrl: string) => Shown;
  };
  /** JSON properties that resources of this API have, and this one has not. */
  readonly hidden?: readonly string[];
  /** JSON properties of a row by itself that lists leave out. */
  readonly notInLists?: readonly string[];
  /** A mapping's field that names the row it maps: that row's SID is shown as the mapping's own and addresses it. */
  readonly maps?: string;
  /** Fields, alone or together, that the directory finds rows by. */
  readonly indexes?: readonly (readonly string[])[];
  /** The resource whose rows these are, where this is another way to show them. */
  readonly viewOf?: AnyResource;
  /** What an API key may only read: with a key nobody can make keys, nor change accounts. */
  readonly tokenOnly?: boolean;
  /** Shown as `owner_account_sid` and not as `account_sid`: only accounts themselves. */
  readonly isAccount?: boolean;
  /** Addresses below the resource, or paths from the root: `links` in v1, `subresource_uris` in 2010-04-01. */
  readonly links?: { readonly [name: string]: string | ((row: AnyRow) => string) };
  /** Fields a list can be narrowed by; dates also by `<` and `>`. */
  readonly filters?: readonly string[];
  /**
   * Dates among them that stay as they are once they are set, each with an index: a list that is narrowed by one is in its
   * order, so that no page costs more for rows that come before or after it.
   */
  readonly orders?: readonly string[];
  /**
   * The field that is true of a row that was deleted and is kept for those who ask for it with `IncludeSoftDeleted`;
   * to everybody else it is gone.
   */
  readonly softDeletion?: string;
  /** Those of them that match in part, with `*` for any one character. */
  readonly partialFilters?: readonly string[];
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

/** The rows of another resource at another address, in another shape. */
export const view = (of: AnyResource, changes: Partial<AnyResource>): AnyResource =>
  Object.freeze({ ...of, ...changes, viewOf: of } as AnyResource);

/** The resource under which the rows are kept. */
export const storedAs = (definition: AnyResource): AnyResource => definition.viewOf ?? definition;

/** The SID a row is shown and addressed by. */
export const shownSid = (definition: AnyResource, row: AnyRow): string =>
  String(definition.maps === undefined ? row.sid : row[definition.maps]);

/** `connectionPolicySid`: the field that holds the parent's SID. */
export function parentField(definition: AnyResource): string | undefined {
  const name = definition.parent?.name;
  return name && `${name.charAt(0).toLowerCase()}${name.slice(1)}Sid`;
}

/** A complete row: a fresh SID, both dates now, and every field that is not given by its default. */
export function newRow<R extends AnyResource>(
  definition: R,
  values: NewRow<R>,
  world: { readonly clock: Clock; readonly random: Random },
): Row<R> {
  const now = world.clock.now();
  const initial = Object.entries(definition.fields).map(([name, field]) => [name, field.fresh(world.random)]);
  return {
    sid: newSid(definition.sid, world.random),
    dateCreated: now,
    dateUpdated: now,
    ...Object.fromEntries(initial),
    ...values,
  } as unknown as Row<R>;
}
