// name-addr and addr-spec with header parameters: From, To, Contact, Route (RFC 3261 §20.10, §25.1).
import {
  checkParams,
  isSpaceCode,
  LEFT_ANGLE,
  parseParams,
  QUOTE,
  skipQuoted,
  skipSpace,
  skipToken,
} from './grammar.ts';
import { checked, fromOctets, toOctets } from './octets.ts';
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
function angleOf(text: string, start: number, end: number): number {
  if (text.charCodeAt(start) !== QUOTE) {
    const angle = text.indexOf('<', start);
    return angle < end ? angle : -1;
  }
  const after = skipQuoted(text, start);
  const angle = after < 0 ? end : skipSpace(text, after);
  return angle < end && text.charCodeAt(angle) === LEFT_ANGLE ? angle : fail(text.slice(start, end));
}

/**
 * Index after the address of a From, To, Contact or Route value, which stands in `text` from `start` to `end`: where
 * its parameters start.
 * @throws {SipSyntaxError} `name-addr`.
 */
export function addressEnd(text: string, start = 0, end = text.length): number {
  const angle = angleOf(text, start, end);
  if (angle >= 0) {
    const close = text.indexOf('>', angle);
    return close < 0 || close >= end ? fail(text.slice(start, end)) : close + 1;
  }
  const semicolon = text.indexOf(';', start);
  return semicolon < 0 || semicolon > end ? end : semicolon;
}

/**
 * One address of a From, To, Contact or Route header, as octets.
 * @throws {SipSyntaxError} `name-addr` or `parameter`.
 */
export function parseNameAddr(value: string): NameAddr {
  const angle = angleOf(value, 0, value.length);
  const end = addressEnd(value);
  const uri = shapedUri(value, angle, end);
  if (angle >= 0) checkDisplayName(value, angle);
  return { name: angle < 0 ? '' : displayName(value, angle), uri, params: parseParams(value, end) };
}

/**
 * Checks an address as `parseNameAddr` does, and gives its URI alone.
 * @throws {SipSyntaxError} `name-addr` or `parameter`.
 */
export function checkNameAddr(value: string): string {
  const angle = angleOf(value, 0, value.length);
  const end = addressEnd(value);
  const uri = shapedUri(value, angle, end);
  if (angle >= 0) checkDisplayName(value, angle);
  checkParams(value, end);
  return uri;
}

function shapedUri(value: string, angle: number, end: number): string {
  const uri = angle < 0 ? value.slice(0, end).trimEnd() : value.slice(angle + 1, end - 1);
  if (!isUriShaped(uri)) fail(value);
  // Without brackets a URI with `?` would be ambiguous (RFC 3261 §20.10).
  if (angle < 0 && uri.includes('?')) fail(value);
  return uri;
}

/** The URI of an address, as written. @throws {SipSyntaxError} `name-addr`. */
export function addressUri(value: string): string {
  const angle = angleOf(value, 0, value.length);
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

/** Unquoted, a display name is tokens and spaces only. */
function checkDisplayName(value: string, angle: number): void {
  if (value.charCodeAt(0) === QUOTE) return;
  for (let at = 0; at < angle; at++) {
    const next = skipToken(value, at);
    if (next < angle && !isSpaceCode(value.charCodeAt(next))) fail(value);
    at = next;
  }
}

function displayName(value: string, angle: number): string {
  if (value.charCodeAt(0) !== QUOTE) return value.slice(0, angle).trim();
  const quoted = value.slice(1, skipQuoted(value, 0) - 1);
  return fromOctets(quoted.replace(/\\(.)/gs, '$1'));
}

/** `"name" <uri>`; the name is text and may hold anything but control characters, which the serialiser refuses. */
export function formatNameAddr(uri: string, name?: string): string {
  if (!name) return `<${uri}>`;
  return `${quoted(name)} <${uri}>`;
}

/** Text as a quoted string. */
export const quoted = (text: string): string => `"${toOctets(text).replace(/["\\]/g, '\\$&')}"`;

/**
 * An address as the value of P-Asserted-Identity, P-Preferred-Identity, Referred-By, Diversion or the like, parameters as
 * they are to stand there; what `parseNameAddr` reads back.
 * @throws {SipSyntaxError} when a part would become another one, or may not go on the wire.
 */
export function formatAddress(address: {
  readonly uri: string;
  readonly name?: string;
  readonly params?: ReadonlyMap<string, string>;
}): string {
  const { uri, name, params = new Map<string, string>() } = address;
  let text = formatNameAddr(uri, name);
  for (const [param, value] of params) text += `;${param}${value && `=${value}`}`;
  const read = parseNameAddr(checked(text));
  const isSame = [...params].every(([param, value]) => read.params.get(param.toLowerCase()) === value);
  return read.uri === uri && isSame && read.params.size === params.size ? text : fail(text);
}

/** Whether a Route value names a loose router (RFC 3261 §16.12). */
export const isLooseRoute = (route: string): boolean => /;lr(?:[=;?]|$)/i.test(addressUri(route));
