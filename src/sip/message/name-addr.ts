// name-addr and addr-spec with header parameters: From, To, Contact, Route (RFC 3261 §20.10, §25.1).
import { isSpaceCode, LEFT_ANGLE, parseParams, QUOTE, skipQuoted, skipSpace, skipToken } from './grammar.ts';
import { fromOctets, toOctets } from './octets.ts';
import { SipSyntaxError } from './syntax-error.ts';

export interface NameAddr {
  /** Display name as text: unquoted, UTF-8 decoded; empty without one. */
  readonly name: string;
  /** The URI as written, without brackets; of any scheme. */
  readonly uri: string;
  /** Header parameters by lower-case name, values as written. */
  readonly params: ReadonlyMap<string, string>;
}

const fail = (value: string): never => {
  throw new SipSyntaxError('name-addr', `bad address "${value.slice(0, 100)}"`);
};

/** Where the `<` of a name-addr stands, -1 in a bare addr-spec. */
function angleOf(value: string): number {
  if (value.charCodeAt(0) !== QUOTE) return value.indexOf('<');
  const after = skipQuoted(value, 0);
  if (after < 0) return fail(value);
  const angle = skipSpace(value, after);
  return value.charCodeAt(angle) === LEFT_ANGLE ? angle : fail(value);
}

/**
 * Index after the address of a From, To, Contact or Route value, where its parameters start.
 * @throws {SipSyntaxError} `name-addr`.
 */
export function addressEnd(value: string): number {
  const angle = angleOf(value);
  if (angle >= 0) {
    const close = value.indexOf('>', angle);
    return close < 0 ? fail(value) : close + 1;
  }
  const semicolon = value.indexOf(';');
  return semicolon < 0 ? value.length : semicolon;
}

/**
 * One address of a From, To, Contact or Route header, as octets.
 * @throws {SipSyntaxError} `name-addr` or `parameter`.
 */
export function parseNameAddr(value: string): NameAddr {
  const angle = angleOf(value);
  const end = addressEnd(value);
  const uri = angle < 0 ? value.slice(0, end).trimEnd() : value.slice(angle + 1, end - 1);
  if (!isUriShaped(uri)) fail(value);
  // Without brackets a URI with `?` would be ambiguous (RFC 3261 §20.10).
  if (angle < 0 && uri.includes('?')) fail(value);
  return { name: angle < 0 ? '' : displayName(value, angle), uri, params: parseParams(value, end) };
}

/** The URI of an address, as written. @throws {SipSyntaxError} `name-addr`. */
export function addressUri(value: string): string {
  const angle = angleOf(value);
  return angle < 0
    ? value.slice(0, addressEnd(value)).trimEnd()
    : value.slice(angle + 1, addressEnd(value) - 1);
}

function isUriShaped(uri: string): boolean {
  const colon = uri.indexOf(':');
  if (colon < 1 || colon === uri.length - 1) return false;
  for (let at = 0; at < uri.length; at++) {
    const code = uri.charCodeAt(at);
    if (code <= 32 || code >= 127 || code === QUOTE || code === LEFT_ANGLE) return false;
  }
  return true;
}

function displayName(value: string, angle: number): string {
  if (value.charCodeAt(0) === QUOTE) {
    const quoted = value.slice(1, skipQuoted(value, 0) - 1);
    return fromOctets(quoted.replace(/\\(.)/gs, '$1'));
  }
  // Unquoted, a display name is tokens and spaces only.
  for (let at = 0; at < angle; at++) {
    const next = skipToken(value, at);
    if (next < angle && !isSpaceCode(value.charCodeAt(next))) fail(value);
    at = next;
  }
  return value.slice(0, angle).trim();
}

/** `"name" <uri>`; the name is text and may hold anything but control characters, which the serialiser refuses. */
export function formatNameAddr(uri: string, name?: string): string {
  if (!name) return `<${uri}>`;
  return `"${toOctets(name).replace(/["\\]/g, '\\$&')}" <${uri}>`;
}

/** Whether a Route value names a loose router (RFC 3261 §16.12). */
export const isLooseRoute = (route: string): boolean => /;lr(?:[=;?]|$)/i.test(addressUri(route));
