// SIP and SIPS URIs (RFC 3261 §19.1, §25.1), escapes decoded.
import { isIPv4, isIPv6 } from 'node:net';
import { codesOf, hasControl, isAllOf, NO_PARAMS, parseDigits } from './grammar.ts';
import { SipSyntaxError } from './syntax-error.ts';

export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  /** Decoded text. */
  readonly user?: string;
  readonly password?: string;
  /** Lower case; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port?: number;
  /** By lower-case name; decoded; empty for a parameter without a value. */
  readonly params: ReadonlyMap<string, string>;
  /** What follows `?`, decoded, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const USER = codesOf("-_.!~*'()&=+$,;?/%");
const PASSWORD = codesOf("-_.!~*'()&=+$,%");
const PARAM_OR_HEADER = codesOf("-_.!~*'()[]/:&+$?%");
/** The grammar knows no underscore, but names of containers and office machines have it. */
const LABEL = codesOf('-_');
const ALPHANUMERIC = codesOf('');
const DOT = 46;
const ESCAPED_IN_USER = /[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/gu;
const ESCAPED_IN_PASSWORD = /[^A-Za-z0-9\-_.!~*'()&=+$,]/gu;
const ESCAPED_IN_PARAM = /[^A-Za-z0-9\-_.!~*'()[\]/:&+$]/gu;
const ESCAPED_IN_HEADER = /[^A-Za-z0-9\-_.!~*'()[\]/?:+$]/gu;

const fail = (text: string, what: string): never => {
  throw new SipSyntaxError('uri', `${what} in URI "${text.slice(0, 100)}"`);
};

/**
 * @throws {SipSyntaxError} `scheme` for another scheme, `control-character` for an escaped one (`%0d`), else `uri`.
 */
export function parseUri(text: string): SipUri {
  const colon = text.indexOf(':');
  const scheme = text.slice(0, Math.max(colon, 0)).toLowerCase();
  if (scheme !== 'sip' && scheme !== 'sips')
    throw new SipSyntaxError('scheme', `not a SIP URI: "${text.slice(0, 100)}"`);
  const at = text.indexOf('@', colon);
  const uri: Draft = { scheme, host: '', params: NO_PARAMS, headers: NO_HEADERS };
  if (at >= 0) readUserinfo(text.slice(colon + 1, at), text, uri);
  const rest = at < 0 ? colon + 1 : at + 1;
  const question = text.indexOf('?', rest);
  const end = question < 0 ? text.length : question;
  const semicolon = text.indexOf(';', rest);
  const hostEnd = semicolon < 0 || semicolon > end ? end : semicolon;
  readHostport(text.slice(rest, hostEnd), text, uri);
  if (hostEnd < end) uri.params = parseUriParams(text.slice(hostEnd + 1, end).split(';'), text);
  if (end < text.length) {
    const headers = text.slice(end + 1).split('&');
    uri.headers = headers.map((header) => pair(header, text));
  }
  return uri;
}

/** What is being read. */
type Draft = { -readonly [Key in keyof SipUri]: SipUri[Key] };
const NO_HEADERS: SipUri['headers'] = [];

function readUserinfo(userinfo: string, text: string, uri: Draft): void {
  const colon = userinfo.indexOf(':');
  const user = colon < 0 ? userinfo : userinfo.slice(0, colon);
  const password = colon < 0 ? '' : userinfo.slice(colon + 1);
  if (user === '' || !isAllOf(user, USER) || !isAllOf(password, PASSWORD)) fail(text, 'bad user part');
  uri.user = decode(user, text);
  if (colon >= 0) uri.password = decode(password, text);
}

function readHostport(hostport: string, text: string, uri: Draft): void {
  const colon = hostport.indexOf(':', hostport.lastIndexOf(']') + 1);
  const host = colon < 0 ? hostport : hostport.slice(0, colon);
  const isLiteral = host.startsWith('[') && host.endsWith(']');
  const bare = isLiteral ? withoutThirdColon(host.slice(1, -1)) : host;
  if (isLiteral ? !isIPv6(bare) : !isHostName(bare) && !isIPv4(bare)) fail(text, 'bad host');
  uri.host = bare.toLowerCase();
  if (colon < 0) return;
  const port = hostport.length - colon > 6 ? -1 : parseDigits(hostport, colon + 1);
  if (port < 1 || port > 65_535) fail(text, 'bad port');
  uri.port = port;
}

/** RFC 3261's grammar puts a colon too many before an IPv4 part; it is to be suffered (RFC 5118 §4.10). */
export const withoutThirdColon = (address: string): string =>
  address.includes(':::') ? address.replace(/:::(?=\d+\.[\d.]+$)/, '::') : address;

/** `hostname` of RFC 3261 §25.1: no empty label, and the last one is no number. */
function isHostName(host: string): boolean {
  const end = host.endsWith('.') ? host.length - 1 : host.length;
  let start = 0;
  for (let at = 0; at < end; at++) {
    const code = host.charCodeAt(at);
    if (code === DOT) {
      if (!isLabel(host, start, at)) return false;
      start = at + 1;
    } else if (LABEL[code] !== 1) return false;
  }
  return isLabel(host, start, end) && !isDigit(host.charCodeAt(start));
}

/** Whether a label, which has no other characters than those of labels, begins and ends as it should. */
const isLabel = (host: string, start: number, end: number): boolean =>
  end > start && ALPHANUMERIC[host.charCodeAt(start)] === 1 && ALPHANUMERIC[host.charCodeAt(end - 1)] === 1;

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

function parseUriParams(parts: readonly string[], text: string): ReadonlyMap<string, string> {
  const params = new Map<string, string>();
  for (const part of parts) {
    const [name, value] = pair(part, text);
    const lower = name.toLowerCase();
    if (params.has(lower)) fail(text, 'a parameter twice');
    params.set(lower, value);
  }
  return params;
}

function pair(part: string, text: string): readonly [string, string] {
  const equals = part.indexOf('=');
  const name = equals < 0 ? part : part.slice(0, equals);
  const value = equals < 0 ? '' : part.slice(equals + 1);
  if (name === '' || !isAllOf(name, PARAM_OR_HEADER) || !isAllOf(value, PARAM_OR_HEADER))
    fail(text, 'bad parameter or header');
  return [decode(name, text), decode(value, text)];
}

function decode(part: string, text: string): string {
  if (!part.includes('%')) return part;
  let decoded: string;
  try {
    decoded = decodeURIComponent(part);
  } catch {
    return fail(text, 'bad escape');
  }
  // A decoded CR LF would become a header of its own in what is built from it.
  if (hasControl(decoded)) throw new SipSyntaxError('control-character', 'a control character in a URI');
  return decoded;
}

/** The URI as text, escaped where the grammar asks for it; `parseUri` reads it back the same. */
export function formatUri(uri: SipUri): string {
  let text = `${uri.scheme}:`;
  if (uri.user !== undefined) text += escape(uri.user, ESCAPED_IN_USER);
  if (uri.password !== undefined) text += `:${escape(uri.password, ESCAPED_IN_PASSWORD)}`;
  if (uri.user !== undefined) text += '@';
  text += bracketed(uri.host);
  if (uri.port !== undefined) text += `:${uri.port}`;
  for (const [name, value] of uri.params) text += `;${assign(name, value, ESCAPED_IN_PARAM)}`;
  uri.headers.forEach(([name, value], index) => {
    text += `${index ? '&' : '?'}${assign(name, value, ESCAPED_IN_HEADER, true)}`;
  });
  return text;
}

const assign = (name: string, value: string, escaped: RegExp, always = false): string =>
  escape(name, escaped) + (value || always ? `=${escape(value, escaped)}` : '');

const escape = (text: string, escaped: RegExp): string => {
  if (hasControl(text)) throw new SipSyntaxError('control-character', 'a control character in a URI');
  return text.toWellFormed().replace(escaped, encodeURIComponent);
};

/** An address as it stands in a URI or Via: IPv6 in brackets. */
export const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
