// Transfer: whom to call instead (Refer-To, RFC 3515), who asks for it (Referred-By, RFC 3892), and which dialog the new
// call takes the place of (Replaces, RFC 3891).

import { isToken, parseParams } from './grammar.ts';
import { formatAddress, type NameAddr, parseNameAddr } from './name-addr.ts';
import { SipSyntaxError } from './syntax-error.ts';
import { formatUri, parseUri } from './uri.ts';
import type { HeaderField, RequestView } from './view.ts';

/** A dialog, as who receives this header knows it: `toTag` is its own tag. */
export interface Replaces {
  readonly callId: string;
  readonly toTag: string;
  readonly fromTag: string;
  /** Only while the dialog is not confirmed. */
  readonly earlyOnly: boolean;
}

/** `word` of RFC 3261 §25.1, once or around an `@`. */
const CALL_ID = /^[\w\-.!%*+`'~()<>:\\"/[\]?{}]{1,255}(?:@[\w\-.!%*+`'~()<>:\\"/[\]?{}]{1,255})?$/;

const fail = (header: string, value: string): never => {
  throw new SipSyntaxError('header', `bad ${header} "${value.slice(0, 100)}"`);
};

/** How often a parameter stands there; which of two would count is anybody's guess. */
const occurrences = (value: string, name: string): number =>
  value.split(';').filter((part) => isNamed(part.split('=', 1)[0]?.trim() ?? '', name)).length;

const isNamed = (name: string, lower: string): boolean => name.toLowerCase() === lower;

/** @throws {SipSyntaxError} `header` without a Call-ID, or without just one of each tag; else `parameter`. */
export function parseReplaces(value: string): Replaces {
  const semicolon = value.indexOf(';');
  const callId = value.slice(0, Math.max(semicolon, 0)).trimEnd();
  const params = parseParams(value, callId === '' ? value.length : semicolon);
  const [toTag = '', fromTag = ''] = [params.get('to-tag'), params.get('from-tag')];
  const isOnce = ['to-tag', 'from-tag'].every((name) => occurrences(value, name) === 1);
  if (!isOnce || !CALL_ID.test(callId) || !isToken(toTag) || !isToken(fromTag)) fail('Replaces', value);
  return { callId, toTag, fromTag, earlyOnly: params.has('early-only') };
}

/** @throws {SipSyntaxError} `header` when a part is no Call-ID or tag. */
export function formatReplaces({ callId, toTag, fromTag, earlyOnly }: Replaces): string {
  if (!CALL_ID.test(callId) || !isToken(toTag) || !isToken(fromTag)) fail('Replaces', callId);
  return `${callId};to-tag=${toTag};from-tag=${fromTag}${earlyOnly ? ';early-only' : ''}`;
}

export interface ReferTarget {
  /** The URI to send the new request to, without what belongs to the request; of any scheme. */
  readonly uri: string;
  /** The method of the new request; INVITE unless the URI says otherwise. */
  readonly method: string;
  readonly replaces?: Replaces;
  /** X- headers that the URI wants in the new request. */
  readonly headers?: readonly HeaderField[];
}

/**
 * The value of Refer-To. Of the headers that its URI asks for only Replaces and X- headers are taken.
 * @throws {SipSyntaxError} when it, its SIP URI or the Replaces inside is malformed, or there are two of that.
 */
export function parseReferTo(value: string): ReferTarget {
  const { uri } = parseNameAddr(value);
  if (!/^sips?:/i.test(uri)) return { uri, method: 'INVITE' };
  const { params, headers, ...parts } = parseUri(uri);
  const { method = 'INVITE', ...kept } = Object.fromEntries(params);
  const [replaces, another] = headers.filter(([name]) => isNamed(name, 'replaces')).map(([, text]) => text);
  if (another !== undefined) fail('Refer-To', value);
  const extensions = headers.filter(([name]) => /^x-/i.test(name));
  return {
    uri: formatUri({ ...parts, params: new Map(Object.entries(kept)), headers: [] }),
    method,
    ...(replaces !== undefined && { replaces: parseReplaces(replaces) }),
    ...(extensions.length > 0 && { headers: extensions }),
  };
}

/** @throws {SipSyntaxError} when a part may not go on the wire. */
export function formatReferTo({ uri, method, replaces, headers = [] }: ReferTarget): string {
  if (!/^sips?:/i.test(uri)) return formatAddress({ uri });
  const { params, ...parts } = parseUri(uri);
  return formatAddress({
    uri: formatUri({
      ...parts,
      params: method === 'INVITE' ? params : new Map([...params, ['method', method]]),
      headers: [...(replaces ? [['Replaces', formatReplaces(replaces)] as const] : []), ...headers],
    }),
  });
}

/** Who asks for the transfer, by its own word alone; undefined without a well-formed Referred-By. */
export function referredBy(request: RequestView): NameAddr | undefined {
  const value = request.header('Referred-By');
  try {
    return value === undefined ? undefined : parseNameAddr(value);
  } catch (error) {
    if (error instanceof SipSyntaxError) return undefined;
    throw error;
  }
}
