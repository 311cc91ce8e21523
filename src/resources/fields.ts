// The kinds of field a resource is made of.
import { isIPv4 } from 'node:net';
import { Field, type FieldSpec, type Parsed, type Reference, type Shown } from './field.ts';
import { isSid } from './sid.ts';
import { sipUriFault } from './sip-uri.ts';

const MAX_URL_LENGTH = 4000;

/** Free text; lengths are counted in characters, not bytes. */
export function text(options: { max?: number } = {}): Field<string | null> {
  const { max = 65_535 } = options;
  return new Field<string | null>({
    column: 'text',
    schema: { type: 'string', maxLength: max },
    parse: (given) =>
      Array.from(given).length > max
        ? { reason: `must not be longer than ${max} characters` }
        : { value: given },
  });
}

/** A whole number in decimal digits; `asText` shows it as a JSON string, as Twilio does with durations. */
export function integer(
  options: { min?: number; max?: number; asText?: boolean } = {},
): Field<number | null> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER, asText = false } = options;
  return new Field<number | null>({
    column: 'integer',
    schema: asText ? { type: 'string' } : { type: 'integer', minimum: min, maximum: max },
    parse: (given) => {
      const value = /^[+-]?\d{1,16}$/.test(given) ? Number(given) : Number.NaN;
      return value >= min && value <= max
        ? { value }
        : { reason: `must be a whole number from ${min} to ${max}` };
    },
    ...(asText && { show: String }),
  });
}

const BOOLEANS = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

export function boolean(): Field<boolean | null> {
  return new Field<boolean | null>({
    column: 'boolean',
    schema: { type: 'boolean' },
    parse: (given) => found(BOOLEANS.get(given.toLowerCase()), 'must be true or false'),
  });
}

/** One of a few words, case-sensitive. */
export function enumeration<const V extends string>(values: readonly V[]): Field<V | null> {
  return new Field<V | null>({
    column: 'text',
    schema: { type: 'string', enum: values },
    parse: (given) =>
      found(
        values.find((value) => value === given),
        `must be ${inWords(values)}`,
      ),
  });
}

/** Several of a few words: the parameter is repeated, or its words are separated by spaces. Never null. */
export function enumerationList<const V extends string>(values: readonly V[]): Field<readonly V[]> {
  return new Field<readonly V[]>({
    column: 'list',
    schema: { type: 'array', items: { type: 'string', enum: values } },
    parse: (given) => {
      const words = given.split(/\s+/).filter((word) => word !== '');
      const chosen = values.filter((value) => words.includes(value));
      const known = words.every((word) => chosen.some((value) => value === word));
      return known ? { value: chosen } : { reason: `must be ${inWords(values)}` };
    },
  });
}

/** The verb a webhook is called with. */
export const httpMethod = (): Field<'GET' | 'POST' | null> => enumeration(['GET', 'POST']);

/** What stands for a URL's user and password wherever the URL is shown. */
const MASK = '****';

/** An absolute http(s) URL, kept as it was written since signatures cover it; its user and password are never shown. */
export function httpUrl(options: { underscores?: boolean } = {}): Field<string | null> {
  return new Field<string | null>({
    column: 'url',
    schema: { type: 'string', format: 'uri', maxLength: MAX_URL_LENGTH },
    parse: (given) => {
      const reason = urlFault(given, options.underscores ?? true);
      return reason === undefined ? { value: given } : { reason };
    },
    show: maskUserinfo,
  });
}

function urlFault(given: string, underscores: boolean): string | undefined {
  // The URL parser drops line breaks and surrounding spaces without a word; what is kept must be what was meant.
  const url = /[\s\p{Cc}]/u.test(given) || given.length > MAX_URL_LENGTH ? null : URL.parse(given);
  if (!url || !/^https?:\/\//i.test(given)) return 'must be an absolute http or https URL';
  if (url.username === MASK) return `carries ${MASK} in place of its user and password; send the real ones`;
  if (!underscores && url.hostname.includes('_')) return 'must not have an underscore in its host name';
  return undefined;
}

/** `https://user:secret@host/` → `https://****@host/`. */
export const maskUserinfo = (url: string): string => url.replace(/^([a-z]+:\/\/)[^/?#]*@/i, `$1${MASK}@`);

/**
 * A SIP URI (RFC 3261 §19.1) with one of the given schemes; `slashes` takes `sip://host` too, and drops the slashes.
 */
export function sipUri(options: { schemes: readonly string[]; slashes?: boolean }): Field<string | null> {
  return new Field<string | null>({
    column: 'text',
    schema: { type: 'string', format: 'uri' },
    parse: (given) => {
      const uri = options.slashes ? given.replace(/^(sips?:)\/\//i, '$1') : given;
      const reason = sipUriFault(uri, options.schemes);
      return reason === undefined ? { value: uri } : { reason };
    },
  });
}

/** A phone number in E.164 (ITU-T E.164 §6: up to 15 digits), freed of its separators. */
export function phoneNumber(): Field<string | null> {
  return new Field<string | null>({
    column: 'text',
    schema: { type: 'string', pattern: '^\\+[1-9][0-9]{6,14}$' },
    parse: (given) => {
      const value = given.replaceAll(/[ ().-]/g, '');
      return found(
        /^\+[1-9]\d{6,14}$/.test(value) ? value : undefined,
        'must be a number in E.164 such as +14155550123',
      );
    },
  });
}

/** Dotted decimal; each octet has one spelling, so that `010.0.0.1` is nobody's surprise. */
export function ipv4Address(): Field<string | null> {
  return new Field<string | null>({
    column: 'text',
    schema: { type: 'string', format: 'ipv4' },
    parse: (given) => found(isIPv4(given) ? given : undefined, 'must be an IPv4 address such as 192.0.2.1'),
  });
}

/** Any SID of this prefix; what it names may be gone by now. */
export const sidOf = (prefix: string): Field<string | null> => new Field<string | null>(sidSpec(prefix));

/**
 * The SID of another resource of the account, which must exist. It stays as long as it is referred to, or with
 * `onDelete: 'clear'` is forgotten when it goes, with `'cascade'` its row goes too.
 */
export const reference = (
  prefix: string,
  { onDelete = 'restrict', inUseCode = 20_001 }: Partial<Reference> = {},
): Field<string | null> =>
  new Field<string | null>({ ...sidSpec(prefix), reference: { prefix, onDelete, inUseCode } });

/** What another row's `field` says, kept equal by the database; never seen outside. */
export const internalReference = (
  prefix: string,
  { field, inUseCode }: { field: string; inUseCode: number },
): Field<string | null> =>
  new Field<string | null>({
    column: 'text',
    schema: { type: 'string' },
    parse: (given) => ({ value: given }),
    reference: { prefix, field, onDelete: 'restrict', inUseCode },
    access: 'internal',
  });

const sidSpec = (prefix: string): FieldSpec<string> => ({
  column: 'text',
  schema: { type: 'string', pattern: `^${prefix}[0-9a-fA-F]{32}$` },
  parse: (given) =>
    isSid(given, prefix) ? { value: given } : { reason: `must be a SID such as ${prefix}…` },
});

/** A moment, in milliseconds since the epoch. */
export function dateTime(): Field<number | null> {
  return new Field<number | null>({
    column: 'dateTime',
    schema: { type: 'string', format: 'date-time' },
    parse: (given) => {
      const moment = Date.parse(given);
      return Number.isNaN(moment) ? { reason: 'must be a date such as 2026-01-31' } : { value: moment };
    },
  });
}

/** Fields of every row that lists may be narrowed by. */
export const BASE_FIELDS: { readonly [name: string]: Field<number | null> } = {
  dateCreated: dateTime(),
  dateUpdated: dateTime(),
};

/** A secret that is made up for each row: 32 hex digits, shown in the answer that created it and never again. */
export const shownOnceToken = (): Field<string> =>
  new Field<string | null>({
    column: 'secret',
    schema: { type: 'string', format: 'password' },
    parse: (given) => ({ value: given }),
    fresh: (random) => random.hex(16),
    access: 'shownOnce',
  }).required();

/** An object, kept as its JSON. */
export function json(): Field<string | null> {
  return new Field<string | null>({
    column: 'text',
    schema: { type: 'object' },
    parse: (given) => ({ value: given }),
    show: (value) => JSON.parse(value) as Shown,
  });
}

function found<T>(value: T | undefined, reason: string): Parsed<T> {
  return value === undefined ? { reason } : { value };
}

const inWords = (values: readonly string[]): string =>
  new Intl.ListFormat('en', { type: 'disjunction' }).format(values);
