// Messages to octets. The one place that keeps control characters off the wire.

import { isToken } from './grammar.ts';
import { HEADER } from './headers.ts';
import type { SipMessage } from './message.ts';
import { checked, toOctets } from './octets.ts';
import { reasonOf } from './status.ts';
import { SipSyntaxError } from './syntax-error.ts';
import { stampVia } from './via.ts';
import type { Body, HeaderField } from './view.ts';

/** A request of ours. Values are header values as octets; `from` carries our tag. */
export interface RequestParts {
  readonly method: string;
  readonly uri: string;
  readonly via: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly seq: number;
  readonly routes: readonly string[];
  /** Lines that `headerLines` made; before `headers`. */
  readonly fixed?: string;
  readonly headers: readonly HeaderField[];
  readonly body?: Body;
}

export interface ResponseParts {
  readonly status: number;
  /** The status' own phrase without it. */
  readonly reason?: string;
  /** Put into To where the request had none. */
  readonly toTag?: string;
  /** What `echoedLines` made of the same request, tag and route; made anew without it. */
  readonly echoed?: string;
  /** Record-Route is copied by name only where a dialog comes of it. */
  readonly copyRecordRoute?: boolean;
  /** Lines that `headerLines` made; before `headers`. */
  readonly fixed?: string;
  readonly headers?: readonly HeaderField[];
  readonly body?: Body;
}

/** @throws {SipSyntaxError} `control-character`, `not-octets` or `header` when a part may not go on the wire. */
export function serializeRequest(parts: RequestParts): string {
  const { method, via, from, to, callId, seq, fixed = '' } = parts;
  let head = `${method} ${checked(parts.uri)} SIP/2.0\r\nVia: ${checked(via)}\r\n`;
  for (const route of parts.routes) head += `Route: ${checked(route)}\r\n`;
  head += `From: ${checked(from)}\r\nTo: ${checked(to)}\r\nCall-ID: ${checked(callId)}\r\nCSeq: ${seq} ${method}\r\n`;
  return head + fixed + headerLines(parts.headers) + ending(parts.body);
}

/**
 * The response to `request`, sent back to `source` (RFC 3261 §8.2.6). A header that the request lacks is left out,
 * and one that cannot be read is copied as it came: it goes to its own sender.
 * @throws {SipSyntaxError} as `serializeRequest`, for the headers that are not copied.
 */
export function serializeResponse(
  request: SipMessage,
  source: { readonly address: string; readonly port: number },
  parts: ResponseParts,
): string {
  const { status, reason, echoed = echoedLines(request, source, parts), fixed = '', headers } = parts;
  const start = `SIP/2.0 ${status} ${reason === undefined ? reasonOf(status) : checked(reason)}\r\n`;
  return start + echoed + fixed + (headers === undefined ? '' : headerLines(headers)) + ending(parts.body);
}

/** The lines of a response that repeat its request: the same in all responses that have the same tag. */
export function echoedLines(
  request: SipMessage,
  source: { readonly address: string; readonly port: number },
  parts: Pick<ResponseParts, 'toTag' | 'copyRecordRoute'>,
): string {
  let head = '';
  let isTop = true;
  for (const via of request.values(HEADER.via)) {
    head += echo('Via', isTop ? stampedTop(request, via, source) : via);
    isTop = false;
  }
  if (parts.copyRecordRoute)
    for (const route of request.values(HEADER.recordRoute)) head += echo('Record-Route', route);
  head += echo('From', request.value(HEADER.from)) + echo('To', taggedTo(request, parts.toTag));
  return head + echo('Call-ID', request.value(HEADER.callId)) + echo('CSeq', request.value(HEADER.cseq));
}

function stampedTop(request: SipMessage, via: string, source: { address: string; port: number }): string {
  try {
    return stampVia(via, request.via, source);
  } catch {
    return via;
  }
}

function taggedTo(request: SipMessage, toTag: string | undefined): string | undefined {
  const to = request.value(HEADER.to);
  if (to === undefined || toTag === undefined) return to;
  try {
    return request.toTag ? to : `${to};tag=${toTag}`;
  } catch {
    return to;
  }
}

const echo = (name: string, value: string | undefined): string =>
  // A bare CR never was a header's end to us, but may be to the next reader.
  value === undefined || value.includes('\r') ? '' : `${name}: ${value}\r\n`;

/** Headers as they are sent. @throws {SipSyntaxError} as `serializeRequest`. */
export function headerLines(headers: readonly HeaderField[]): string {
  let text = '';
  for (const [name, value] of headers) text += line(name, value);
  return text;
}

/** @throws {SipSyntaxError} as `serializeRequest`, for headers that will be sent later. */
export function checkHeaders(headers: readonly HeaderField[]): void {
  headerLines(headers);
}

function line(name: string, value: string): string {
  if (!isToken(name)) throw new SipSyntaxError('header', `bad header name "${name.slice(0, 60)}"`);
  return `${name}: ${checked(value)}\r\n`;
}

function ending(body: Body | undefined): string {
  if (!body) return 'Content-Length: 0\r\n\r\n';
  const octets = toOctets(body.content);
  return `${line('Content-Type', body.contentType)}Content-Length: ${octets.length}\r\n\r\n${octets}`;
}
