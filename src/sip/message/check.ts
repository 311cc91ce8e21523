// What is wrong with a request before anyone looks at what it wants, as the status that says so (RFC 3261 §8.2).

import { parseDigits, skipToken } from './grammar.ts';
import { HEADER } from './headers.ts';
import type { SipMessage } from './message.ts';
import { checkNameAddr } from './name-addr.ts';
import { SipSyntaxError } from './syntax-error.ts';
import { parseUri } from './uri.ts';
import type { HeaderField } from './view.ts';

/** What is taken without a word of the layer above. */
export const ALLOWED_METHODS = 'INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK';
/** Extensions that may be required of us: RFC 3262, RFC 4028, RFC 3891, RFC 4488. */
export const SUPPORTED = '100rel, timer, replaces, norefersub';
/** Methods that are known and not taken: 405; any other is 501 (RFC 3261 §21.5.2). */
const OTHER_METHODS = new Set(['REGISTER', 'SUBSCRIBE', 'NOTIFY', 'PUBLISH', 'MESSAGE', 'REFER', 'INFO']);
const SUPPORTED_TAGS = new Set(SUPPORTED.split(', '));

export interface Refusal {
  readonly status: number;
  /** In place of the status' own phrase. */
  readonly reason?: string;
  readonly headers?: readonly HeaderField[];
}

/** Headers that a request has once at most; without all but the last it can't be served. */
const ONCE = [
  ['From', HEADER.from],
  ['To', HEADER.to],
  ['Call-ID', HEADER.callId],
  ['CSeq', HEADER.cseq],
  ['Max-Forwards', HEADER.maxForwards],
] as const;

const badRequest = (reason: string): Refusal => ({ status: 400, reason: `Bad Request: ${reason}` });

/** Why a request is refused whoever sent it, or undefined. Methods inside a dialog are the dialog's matter. */
export function refusalOf(request: SipMessage): Refusal | undefined {
  if (request.fault?.code === 'version') return { status: 505 };
  if (request.fault) return badRequest(request.fault.message);
  try {
    return headerRefusal(request) ?? uriRefusal(request) ?? extensionRefusal(request);
  } catch (error) {
    if (error instanceof SipSyntaxError) return badRequest(printable(error.message));
    throw error;
  }
}

function headerRefusal(request: SipMessage): Refusal | undefined {
  for (const [name, id] of ONCE) {
    const value = request.value(id);
    if (request.isRepeated(id)) return badRequest(`${name} more than once`);
    if (value === undefined && id !== HEADER.maxForwards) return badRequest(`${name} is missing`);
    // It never was a line end to us, but would be to another reader of our response.
    if (value?.includes('\r')) return badRequest(`a carriage return in ${name}`);
  }
  if (request.callId === '') return badRequest('Call-ID is empty');
  // Reading them is the check: each throws when malformed.
  request.via.check();
  void request.seq;
  checkNameAddr(request.value(HEADER.from) ?? '');
  checkNameAddr(request.value(HEADER.to) ?? '');
  if (request.seqMethod !== request.method) return badRequest('CSeq names another method');
  const hops = request.value(HEADER.maxForwards);
  if (hops === undefined) return undefined;
  const left = parseDigits(hops);
  return left < 0 || left > 255 ? badRequest('Max-Forwards is no number up to 255') : undefined;
}

function uriRefusal(request: SipMessage): Refusal | undefined {
  try {
    return parseUri(request.uri).headers.length ? badRequest('headers in the Request-URI') : undefined;
  } catch (error) {
    if (error instanceof SipSyntaxError && error.code === 'scheme' && hasScheme(request.uri))
      return { status: 416 };
    throw error;
  }
}

const hasScheme = (uri: string): boolean => /^[A-Za-z][A-Za-z0-9+\-.]*:/.test(uri);

function extensionRefusal(request: SipMessage): Refusal | undefined {
  // Require has no meaning in CANCEL and ACK (RFC 3261 §8.2.2.3).
  if (request.method === 'CANCEL' || request.method === 'ACK') return undefined;
  const asked = request.headers('Require');
  if (asked.length === 0) return undefined;
  const required = asked.filter((tag) => tag !== '' && !SUPPORTED_TAGS.has(tag.toLowerCase()));
  if (required.length === 0) return undefined;
  const unsupported = required.filter((tag) => skipToken(tag, 0) === tag.length);
  return { status: 420, headers: [['Unsupported', unsupported.join(', ')]] };
}

/** 405 or 501 for a method that is not taken, with Allow. */
export function methodRefusal(method: string, allow = ALLOWED_METHODS): Refusal | undefined {
  if (allow.split(', ').includes(method)) return undefined;
  return { status: OTHER_METHODS.has(method) ? 405 : 501, headers: [['Allow', allow]] };
}

/** What keeps an INVITE outside any dialog from being taken; `spentHops` where the layer above sees to Max-Forwards 0. */
export function inviteRefusal(request: SipMessage, spentHops = false): Refusal | undefined {
  if (!spentHops && parseDigits(request.value(HEADER.maxForwards) ?? '70') === 0) return { status: 483 };
  return bodyRefusal(request);
}

/** A body that is no SDP is refused with what would do (RFC 3261 §8.2.3). */
export function bodyRefusal(request: SipMessage): Refusal | undefined {
  if (request.bodyOctets === '') return undefined;
  const encoding = request.value(HEADER.contentEncoding)?.toLowerCase() ?? 'identity';
  if (encoding !== 'identity') return { status: 415, headers: [['Accept-Encoding', 'identity']] };
  const type = request.value(HEADER.contentType)?.split(';', 1)[0]?.trim().toLowerCase();
  return type === 'application/sdp' ? undefined : { status: 415, headers: [['Accept', 'application/sdp']] };
}

/** A reason phrase made of a malformed value must not be malformed itself. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');
