// Digest access authentication (RFC 7616, RFC 8760, RFC 3261 §22): values only; both ends of a challenge.
import { hash, timingSafeEqual } from 'node:crypto';
import { isSpaceCode, skipQuoted, skipSpace, skipToken } from '../message/grammar.ts';

/** Node's names of the hashes (RFC 8760 §2.2). */
const HASHES = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' } as const;

export type DigestAlgorithm = keyof typeof HASHES;

export interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: DigestAlgorithm;
  /** Whether `qop=auth` is asked for; without it the digest is that of RFC 2069. */
  readonly qop: boolean;
  readonly opaque?: string;
  /** The user was right and the nonce too old. */
  readonly stale?: boolean;
}

/** What an Authorization or Proxy-Authorization header says. */
export interface DigestAnswer {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm: DigestAlgorithm;
  readonly opaque?: string;
  /** With `qop=auth` only. `nc` is the eight hex digits as sent. */
  readonly counted?: { readonly nc: string; readonly cnonce: string };
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

const digest = (algorithm: DigestAlgorithm, text: string): string => hash(HASHES[algorithm], text, 'hex');

/** H(user:realm:password), the one thing a server needs to keep; worth as much as the password. */
export const ha1Of = (
  algorithm: DigestAlgorithm,
  { username, password }: Credentials,
  realm: string,
): string => digest(algorithm, `${username}:${realm}:${password}`);

/** The `response` of an answer (RFC 7616 §3.4.1). */
export function digestResponse(
  { algorithm, nonce, uri, counted }: Pick<DigestAnswer, 'algorithm' | 'nonce' | 'uri' | 'counted'>,
  ha1: string,
  method: string,
): string {
  const middle = counted ? `${nonce}:${counted.nc}:${counted.cnonce}:auth` : nonce;
  return digest(algorithm, `${ha1}:${middle}:${digest(algorithm, `${method}:${uri}`)}`);
}

/** Whether `answer` was made by someone who knows `ha1`; takes the same time either way. */
export function isRightAnswer(answer: DigestAnswer, ha1: string, method: string): boolean {
  const right = Buffer.from(digestResponse(answer, ha1, method), 'latin1');
  const given = Buffer.from(answer.response.toLowerCase(), 'latin1');
  return given.length === right.length && timingSafeEqual(given, right);
}

/** The answer to a challenge. `nc` counts the uses of its nonce, from 1. */
export function answerChallenge(
  challenge: Challenge,
  credentials: Credentials,
  request: { readonly method: string; readonly uri: string; readonly cnonce: string; readonly nc: number },
): DigestAnswer {
  const { realm, nonce, algorithm, opaque, qop } = challenge;
  const counted = { nc: request.nc.toString(16).padStart(8, '0'), cnonce: request.cnonce };
  const unsigned = {
    username: credentials.username,
    realm,
    nonce,
    uri: request.uri,
    algorithm,
    ...(opaque !== undefined && { opaque }),
    ...(qop && { counted }),
  };
  const ha1 = ha1Of(algorithm, credentials, realm);
  return { ...unsigned, response: digestResponse(unsigned, ha1, request.method) };
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

export function formatChallenge({ realm, nonce, algorithm, qop, opaque, stale }: Challenge): string {
  const parts = [`realm=${quoted(realm)}`, `nonce=${quoted(nonce)}`];
  if (opaque !== undefined) parts.push(`opaque=${quoted(opaque)}`);
  if (stale) parts.push('stale=true');
  parts.push(`algorithm=${algorithm}`);
  if (qop) parts.push('qop="auth"');
  return `Digest ${parts.join(', ')}`;
}

export function formatAnswer(answer: DigestAnswer): string {
  const { username, realm, nonce, uri, response, algorithm, opaque, counted } = answer;
  const parts = [`username=${quoted(username)}`, `realm=${quoted(realm)}`, `nonce=${quoted(nonce)}`];
  parts.push(`uri=${quoted(uri)}`, `response="${response}"`, `algorithm=${algorithm}`);
  if (opaque !== undefined) parts.push(`opaque=${quoted(opaque)}`);
  if (counted) parts.push('qop=auth', `nc=${counted.nc}`, `cnonce=${quoted(counted.cnonce)}`);
  return `Digest ${parts.join(', ')}`;
}

/** The challenge in a WWW-Authenticate or Proxy-Authenticate value; undefined for one that is not understood. */
export function parseChallenge(value: string): Challenge | undefined {
  const params = parseDigestParams(value);
  const algorithm = algorithmOf(params?.get('algorithm'));
  const realm = params?.get('realm');
  const nonce = params?.get('nonce');
  if (!params || !algorithm || realm === undefined || nonce === undefined) return undefined;
  const offered = params.get('qop')?.split(',');
  const qop = offered?.some((one) => one.trim().toLowerCase() === 'auth') ?? false;
  // `auth-int` alone would need the body hashed: it is not spoken.
  if (offered && !qop) return undefined;
  const opaque = params.get('opaque');
  const stale = params.get('stale')?.toLowerCase() === 'true';
  return { realm, nonce, algorithm, qop, stale, ...(opaque !== undefined && { opaque }) };
}

/** The answer in an Authorization or Proxy-Authorization value; undefined for one that is not understood. */
export function parseAnswer(value: string): DigestAnswer | undefined {
  const params = parseDigestParams(value);
  const algorithm = algorithmOf(params?.get('algorithm'));
  if (!params || !algorithm) return undefined;
  const [username, realm, nonce, uri, response] = ['username', 'realm', 'nonce', 'uri', 'response'].map(
    (name) => params.get(name),
  );
  if (username === undefined || realm === undefined || nonce === undefined) return undefined;
  if (uri === undefined || response === undefined) return undefined;
  const counted = countedOf(params);
  if (counted === null) return undefined;
  const opaque = params.get('opaque');
  return {
    username,
    realm,
    nonce,
    uri,
    response,
    algorithm,
    ...(opaque !== undefined && { opaque }),
    ...(counted && { counted }),
  };
}

/** Undefined without a qop, null for one that cannot be checked. */
function countedOf(params: ReadonlyMap<string, string>): DigestAnswer['counted'] | null {
  const qop = params.get('qop')?.toLowerCase();
  if (qop === undefined) return undefined;
  const nc = params.get('nc') ?? '';
  const cnonce = params.get('cnonce') ?? '';
  return qop === 'auth' && /^[0-9a-f]{8}$/i.test(nc) && cnonce !== '' ? { nc, cnonce } : null;
}

/** A missing algorithm is MD5 (RFC 7616 §3.3); phones leave it out. */
function algorithmOf(name = 'MD5'): DigestAlgorithm | undefined {
  const upper = name.toUpperCase();
  return upper in HASHES ? (upper as DigestAlgorithm) : undefined;
}

const SCHEME = /^digest[ \t]+/i;
const COMMA = ',';

/** `name=value` pairs by lower-case name, quoted values unquoted; undefined for any other scheme or a malformed value. */
function parseDigestParams(value: string): ReadonlyMap<string, string> | undefined {
  const scheme = SCHEME.exec(value);
  if (!scheme) return undefined;
  const params = new Map<string, string>();
  let at = scheme[0].length;
  for (;;) {
    const start = skipSpace(value, at);
    const nameEnd = skipToken(value, start);
    const equals = skipSpace(value, nameEnd);
    if (nameEnd === start || value[equals] !== '=') return undefined;
    const from = skipSpace(value, equals + 1);
    const end = value[from] === '"' ? skipQuoted(value, from) : skipUnquoted(value, from);
    if (end <= from) return undefined;
    const name = value.slice(start, nameEnd).toLowerCase();
    if (params.has(name)) return undefined;
    params.set(name, unquoted(value.slice(from, end)));
    at = skipSpace(value, end);
    if (at >= value.length) return params;
    if (value[at] !== COMMA) return undefined;
    at++;
  }
}

/** Some senders leave the quotes of a nonce or URI out: all up to a comma or space is taken. */
function skipUnquoted(value: string, from: number): number {
  let at = from;
  while (at < value.length && value[at] !== COMMA && !isSpaceCode(value.charCodeAt(at))) at++;
  return at;
}

const unquoted = (text: string): string =>
  text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : text;
