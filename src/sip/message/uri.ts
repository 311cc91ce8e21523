// SIP and SIPS URIs (RFC 3261 §19.1, §25.1), escapes decoded.
import { isIPv4, isIPv6 } from 'node:net';
import { hasControl } from './grammar.ts';
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

const USER = /^[A-Za-z0-9\-_.!~*'()&=+$,;?/%]+$/;
const PASSWORD = /^[A-Za-z0-9\-_.!~*'()&=+$,%]*$/;
const PARAM_OR_HEADER = /^[A-Za-z0-9\-_.!~*'()[\]/:&+$?%]*$/;
/** The grammar knows no underscore, but names of containers and office machines have it. */
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9\-_]*[A-Za-z0-9])?$/;
const TOP_LABEL = /^[A-Za-z]/;
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
  const userinfo = at < 0 ? undefined : parseUserinfo(text.slice(colon + 1, at), text);
  const rest = text.slice(at < 0 ? colon + 1 : at + 1);
  const question = rest.indexOf('?');
  const [hostport = '', ...params] = (question < 0 ? rest : rest.slice(0, question)).split(';');
  return {
    scheme,
    ...userinfo,
    ...parseHostport(hostport, text),
    params: parseUriParams(params, text),
    headers:
      question < 0
        ? []
        : rest
            .slice(question + 1)
            .split('&')
            .map((header) => pair(header, text)),
  };
}

function parseUserinfo(userinfo: string, text: string): { user: string; password?: string } {
  const colon = userinfo.indexOf(':');
  const user = colon < 0 ? userinfo : userinfo.slice(0, colon);
  const password = colon < 0 ? undefined : userinfo.slice(colon + 1);
  if (!USER.test(user) || (password !== undefined && !PASSWORD.test(password))) fail(text, 'bad user part');
  return password === undefined
    ? { user: decode(user, text) }
    : { user: decode(user, text), password: decode(password, text) };
}

function parseHostport(hostport: string, text: string): { host: string; port?: number } {
  const colon = hostport.indexOf(':', hostport.lastIndexOf(']') + 1);
  const host = colon < 0 ? hostport : hostport.slice(0, colon);
  const isLiteral = host.startsWith('[') && host.endsWith(']');
  const bare = isLiteral ? host.slice(1, -1) : host;
  if (isLiteral ? !isIPv6(bare) : !isHostName(bare) && !isIPv4(bare)) fail(text, 'bad host');
  if (colon < 0) return { host: bare.toLowerCase() };
  const digits = hostport.slice(colon + 1);
  const port = Number(digits);
  if (!/^\d{1,5}$/.test(digits) || port < 1 || port > 65_535) fail(text, 'bad port');
  return { host: bare.toLowerCase(), port };
}

/** `hostname` of RFC 3261 §25.1: no empty label, and the last one is no number. */
function isHostName(host: string): boolean {
  const labels = (host.endsWith('.') ? host.slice(0, -1) : host).split('.');
  return labels.every((label) => LABEL.test(label)) && TOP_LABEL.test(labels.at(-1) as string);
}

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
  if (name === '' || !PARAM_OR_HEADER.test(name) || !PARAM_OR_HEADER.test(value))
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
