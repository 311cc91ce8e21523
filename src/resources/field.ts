// What one property of a resource is: how it is read from a form, kept, shown and described.
import type { Random } from '../lib/random.ts';

export type FieldValue = string | number | boolean | null | readonly string[];

/** What a property shows: a value, or an object of them. */
export type Shown = FieldValue | { readonly [name: string]: Shown };

/** The part of JSON Schema that OpenAPI needs of a field. */
export type JsonSchema = { readonly [keyword: string]: string | number | boolean | object };

export type Parsed<T> = { readonly value: T } | { readonly reason: string };

/**
 * How a column holds the value. `dateTime` is milliseconds since the epoch, `list` a JSON array of strings,
 * `secret` is encrypted, `url` is encrypted where it carries a user or password.
 */
export type ColumnKind = 'text' | 'integer' | 'boolean' | 'dateTime' | 'list' | 'secret' | 'url';

/**
 * Who sees it: `open` is a parameter and a property, `readOnly` only a property, `writeOnly` only a parameter,
 * `internal` neither; `shownOnce` is a property of the answer that created the row, and of no other.
 */
export type Access = 'open' | 'readOnly' | 'writeOnly' | 'internal' | 'shownOnce';

/** How one row refers to another. */
export interface Reference {
  /** SID prefix of the resource referred to. */
  readonly prefix: string;
  /** The field whose value is kept, where it is not the SID. */
  readonly field?: string;
  /** Deleting the row referred to is refused, clears the reference, or deletes the row that refers. */
  readonly onDelete: 'restrict' | 'clear' | 'cascade';
  /** Twilio's error code for the refusal. */
  readonly inUseCode: number;
}

export interface FieldSpec<T> {
  readonly column: ColumnKind;
  readonly schema: JsonSchema;
  /** Reads a parameter that is not empty; the reason completes the sentence "Weight …". */
  parse(text: string): Parsed<NonNullable<T>>;
  /** The JSON property, where it differs from the value; dates are the API dialect's affair. */
  show?(value: NonNullable<T>): Shown;
  /** The resource whose row this must name. */
  readonly reference?: Reference;
  readonly access?: Access;
  readonly required?: boolean;
  /** Must be given on every update too. */
  readonly requiredOnUpdate?: boolean;
  /** The only operation it is a parameter of. */
  readonly only?: 'create' | 'update';
  /** What an empty parameter means, where it is not null. */
  readonly cleared?: NonNullable<T>;
  /** What null is shown as. */
  readonly blank?: FieldValue;
  readonly initial?: NonNullable<T>;
  /** What a new row gets that was not given one: fresh for each. */
  readonly fresh?: (random: Random) => NonNullable<T>;
}

/** Fields are values: every method below gives a new one. A field is nullable until required or defaulted. */
export class Field<T> {
  readonly #spec: FieldSpec<T>;

  constructor(spec: FieldSpec<T>) {
    this.#spec = spec;
  }

  /** Must be given on create, and is never null. */
  required(): Field<NonNullable<T>> {
    return new Field<NonNullable<T>>({ ...this.#spec, required: true });
  }

  /** What it is when not given on create; it is never null then. */
  default(initial: NonNullable<T>): Field<NonNullable<T>> {
    return new Field<NonNullable<T>>({ ...this.#spec, initial });
  }

  /** Must be given on create and on every update. */
  alwaysRequired(): Field<NonNullable<T>> {
    return new Field<NonNullable<T>>({ ...this.#spec, required: true, requiredOnUpdate: true });
  }

  /** Cannot be changed once it is created. */
  fixed(): Field<T> {
    return new Field({ ...this.#spec, only: 'create' });
  }

  /** Has its default until it is changed. */
  onUpdateOnly(): Field<T> {
    return new Field({ ...this.#spec, only: 'update' });
  }

  /** Is shown as `blank` where it is null, as Twilio does here and there. */
  shownBlankAs(blank: FieldValue): Field<T> {
    return new Field({ ...this.#spec, blank });
  }

  readOnly(): Field<T> {
    return new Field({ ...this.#spec, access: 'readOnly' });
  }

  writeOnly(): Field<T> {
    return new Field({ ...this.#spec, access: 'writeOnly' });
  }

  internal(): Field<T> {
    return new Field({ ...this.#spec, access: 'internal' });
  }

  get column(): ColumnKind {
    return this.#spec.column;
  }

  get schema(): JsonSchema {
    return this.nullable ? { ...this.#spec.schema, nullable: true } : this.#spec.schema;
  }

  get reference(): Reference | undefined {
    return this.#spec.reference;
  }

  /** SID prefix of the resource referred to. */
  get references(): string | undefined {
    return this.#spec.reference?.prefix;
  }

  get isRequired(): boolean {
    return this.#spec.required === true;
  }

  get nullable(): boolean {
    return !this.isRequired && this.#spec.initial === undefined;
  }

  /** The value of a row that was not given one. */
  get initial(): T | null {
    return this.#spec.initial ?? null;
  }

  /** The value of a new row that was not given one. */
  fresh(random: Random): T | null {
    return this.#spec.fresh ? this.#spec.fresh(random) : this.initial;
  }

  isRequiredOn(operation: 'create' | 'update'): boolean {
    return operation === 'create' ? this.isRequired : this.#spec.requiredOnUpdate === true;
  }

  isParameterOf(operation: 'create' | 'update'): boolean {
    return this.isParameter && (this.#spec.only ?? operation) === operation;
  }

  get isParameter(): boolean {
    const access = this.#spec.access ?? 'open';
    return access === 'open' || access === 'writeOnly';
  }

  get isProperty(): boolean {
    const access = this.#spec.access ?? 'open';
    return access === 'open' || access === 'readOnly';
  }

  get isShownOnce(): boolean {
    return this.#spec.access === 'shownOnce';
  }

  /** An empty parameter clears a nullable field to null and is refused for any other, but for one that may be empty. */
  parse(text: string): Parsed<T | null> {
    if (text !== '') return this.#spec.parse(text);
    if (this.#spec.cleared !== undefined) return { value: this.#spec.cleared };
    return this.nullable ? { value: null } : { reason: 'must not be empty' };
  }

  show(value: T): Shown {
    if (value === null || value === undefined) return this.#spec.blank ?? null;
    return this.#spec.show ? this.#spec.show(value) : (value as Shown);
  }
}
