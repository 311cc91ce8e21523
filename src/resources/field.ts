// What one property of a resource is: how it is read from a form, kept, shown and described.

export type FieldValue = string | number | boolean | null | readonly string[];

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
 * `internal` neither.
 */
export type Access = 'open' | 'readOnly' | 'writeOnly' | 'internal';

export interface FieldSpec<T> {
  readonly column: ColumnKind;
  readonly schema: JsonSchema;
  /** Reads a parameter that is not empty; the reason completes the sentence "Weight …". */
  parse(text: string): Parsed<NonNullable<T>>;
  /** The JSON property, where it differs from the value; dates are the API dialect's affair. */
  show?(value: NonNullable<T>): FieldValue;
  /** SID prefix of the resource this must be one of; that resource cannot be deleted while it is. */
  readonly references?: string;
  readonly access?: Access;
  readonly required?: boolean;
  readonly initial?: NonNullable<T>;
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

  get references(): string | undefined {
    return this.#spec.references;
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

  get isParameter(): boolean {
    const access = this.#spec.access ?? 'open';
    return access === 'open' || access === 'writeOnly';
  }

  get isProperty(): boolean {
    const access = this.#spec.access ?? 'open';
    return access === 'open' || access === 'readOnly';
  }

  /** An empty parameter clears a nullable field to null and is refused for any other. */
  parse(text: string): Parsed<T | null> {
    if (text !== '') return this.#spec.parse(text);
    return this.nullable ? { value: null } : { reason: 'must not be empty' };
  }

  show(value: NonNullable<T>): FieldValue {
    return this.#spec.show ? this.#spec.show(value) : (value as FieldValue);
  }
}
