// Messages to octets. The one place that keeps control characters off the wire.
import type { Body, HeaderField } from '../agent.ts';
import { isControl, isToken } from './grammar.ts';
import { HEADER } from './headers.ts';
import type { SipMessage } from './message.ts';
import { toOctets } from './octets.ts';
import { SipSyntaxError } from './syntax-error.ts';
import { stampVia } from './via.ts';

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
  readonly headers: readonly HeaderField[];
  readonly body?: Body;
}

export interface ResponseParts {
  readonly status: number;
  readonly reason: string;
  /** Put into To where the request had none. */
  readonly toTag?: string;
  /** Record-Route is copied by name only where a dialog comes of it. */
  readonly copyRecordRoute?: boolean;
  readonly headers?: readonly HeaderField[];
  readonly body?: Body;
}

/** @throws {SipSyntaxError} `control-character`, `not-octets` or `header` when a part may not go on the wire. */
export function serializeRequest(parts: RequestParts): string {
  let head = `${parts.method} ${checked(parts.uri)} SIP/2.0\r\n${line('Via', parts.via)}`;
  for (const route of parts.routes) head += line('Route', route);
  head += line('From', parts.from) + line('To', parts.to) + line('Call-ID', parts.callId);
  head += `CSeq: ${parts.seq} ${parts.method}\r\n`;
  return head + lines(parts.headers) + ending(parts.body);
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
  let head = `SIP/2.0 ${parts.status} ${checked(parts.reason)}\r\n`;
  request.values(HEADER.via).forEach((via, index) => {
    head += echo('Via', index ? via : stampedTop(request, via, source));
  });
  if (parts.copyRecordRoute)
    for (const route of request.values(HEADER.recordRoute)) head += echo('Record-Route', route);
  head += echo('From', request.value(HEADER.from)) + echo('To', taggedTo(request, parts.toTag));
  head += echo('Call-ID', request.value(HEADER.callId)) + echo('CSeq', request.value(HEADER.cseq));
  return head + lines(parts.headers ?? []) + ending(parts.body);
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

function lines(headers: readonly HeaderField[]): string {
  let text = '';
  for (const [name, value] of headers) text += line(name, value);
  return text;
}

/** @throws {SipSyntaxError} as `serializeRequest`, for headers that will be sent later. */
export function checkHeaders(headers: readonly HeaderField[]): void {
  lines(headers);
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

/** The value as it is, or a throw. Above 255 a character would turn into another one on the wire. */
export function checked(value: string): string {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (isControl(code))
      throw new SipSyntaxError('control-character', `a control character in "${value.slice(0, 60)}"`);
    if (code > 255)
      throw new SipSyntaxError('not-octets', `text that is not encoded in "${value.slice(0, 60)}"`);
  }
  return value;
}
