// One pass over a datagram's octets: start line, header offsets, body. Nothing is cut out that nobody asks for.
import { COLON, CR, isSpaceCode, isToken, isTokenCode, parseDigits, skipSpace } from './grammar.ts';
import { HEADER, headerId } from './headers.ts';
import { FIELD_WIDTH, SipMessage } from './message.ts';
import { type SipSyntaxCode, SipSyntaxError } from './syntax-error.ts';

export const MAX_MESSAGE_OCTETS = 65_536;
export const MAX_HEADERS = 256;

interface StartLine {
  readonly method: string;
  readonly uri: string;
  readonly status: number;
  readonly reason: string;
}

/** Offsets of a message's headers; `fault` is the first thing wrong with them. */
interface Scan {
  readonly fields: number[];
  folded: boolean;
  /** Where the body starts. */
  end: number;
  fault: SipSyntaxError | undefined;
}

/**
 * Reads one message from the octets of one datagram.
 * @throws {SipSyntaxError} at anything that is no well-formed message.
 */
export function parseMessage(text: string): SipMessage {
  const message = scanMessage(text);
  if (message.fault) throw message.fault;
  return message;
}

/**
 * As `parseMessage`, but a request or response that is recognisable comes back with its `fault` set, so that it
 * can be answered.
 * @throws {SipSyntaxError} when there is no SIP start line.
 */
export function scanMessage(text: string): SipMessage {
  if (text.length > MAX_MESSAGE_OCTETS) throw new SipSyntaxError('too-large', 'message over 64 KiB');
  const start = skipEmptyLines(text);
  const lineEnd = text.indexOf('\r\n', start);
  if (lineEnd < 0) throw new SipSyntaxError('start-line', 'no start line');
  const scan: Scan = { fields: [], folded: false, end: lineEnd + 2, fault: undefined };
  const line = text.startsWith('SIP/', start)
    ? statusLine(text.slice(start, lineEnd), scan)
    : requestLine(text.slice(start, lineEnd), scan);
  scanHeaders(text, scan);
  const bodyStart = scan.end;
  const bodyEnd = scan.fault ? bodyStart : findBodyEnd(text, scan);
  return new SipMessage({
    text,
    method: line.method,
    uri: line.uri,
    status: line.status,
    reason: line.reason,
    fields: scan.fields,
    folded: scan.folded,
    bodyStart,
    bodyEnd,
    fault: scan.fault,
  });
}

/** Empty lines before the start line are ignored (RFC 3261 §7.5). */
function skipEmptyLines(text: string): number {
  let at = 0;
  while (text.startsWith('\r\n', at)) at += 2;
  return at;
}

function note(scan: Scan, code: SipSyntaxCode, message: string): void {
  scan.fault ??= new SipSyntaxError(code, message);
}

function statusLine(line: string, scan: Scan): StartLine {
  const status = parseDigits(line.slice(8, 11));
  const wellFormed = line.startsWith('SIP/2.0 ') && (line.length === 11 || line[11] === ' ');
  if (!wellFormed || status < 100 || status > 699) note(scan, 'start-line', 'bad status line');
  return { method: '', uri: '', status: Math.max(status, 100), reason: line.slice(12) };
}

function requestLine(line: string, scan: Scan): StartLine {
  const methodEnd = line.indexOf(' ');
  const version = line.lastIndexOf(' SIP/');
  const method = line.slice(0, methodEnd);
  if (methodEnd < 1 || version < methodEnd || !isToken(method)) {
    throw new SipSyntaxError('start-line', 'neither a request nor a response');
  }
  const uri = line.slice(methodEnd + 1, version);
  const isTwo = line.length - version === 8 && line.endsWith('2.0');
  if (uri === '' || hasSeparator(uri)) note(scan, 'start-line', 'bad Request-URI');
  else if (!isTwo) {
    const isOther = /^ SIP\/\d+\.\d+$/.test(line.slice(version));
    note(scan, isOther ? 'version' : 'start-line', isOther ? 'only SIP/2.0 is spoken' : 'bad request line');
  }
  return { method, uri, status: 0, reason: '' };
}

/** Spaces, controls, quotes and angle brackets never stand in a Request-URI. */
function hasSeparator(uri: string): boolean {
  for (let at = 0; at < uri.length; at++) {
    const code = uri.charCodeAt(at);
    if (code <= 32 || code >= 127 || code === 34 || code === 60 || code === 62) return true;
  }
  return false;
}

function scanHeaders(text: string, scan: Scan): void {
  let at = scan.end;
  while (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== 10) {
    if (at >= text.length) {
      note(scan, 'header', 'headers end without an empty line');
      break;
    }
    if (scan.fields.length >= MAX_HEADERS * FIELD_WIDTH) {
      note(scan, 'too-many-headers', `more than ${MAX_HEADERS} headers`);
      break;
    }
    at = scanHeader(text, at, scan);
  }
  scan.end = Math.min(at + 2, text.length);
}

/** Takes the header at `start` into the table and returns where the next line starts. */
function scanHeader(text: string, start: number, scan: Scan): number {
  let at = start;
  while (isTokenCode(text.charCodeAt(at))) at++;
  const nameEnd = at;
  at = skipSpace(text, at);
  const isNamed = nameEnd > start && text.charCodeAt(at) === COLON;
  const lineEnd = valueEnd(text, at, scan);
  if (!isNamed) {
    note(scan, 'header', 'a header line without a name');
    return lineEnd + 2;
  }
  const valueStart = Math.min(skipSpace(text, at + 1), lineEnd);
  let end = lineEnd;
  while (end > valueStart && isSpaceCode(text.charCodeAt(end - 1))) end--;
  scan.fields.push(headerId(text, start, nameEnd), start, nameEnd, valueStart, end);
  return lineEnd + 2;
}

/** Index of the CRLF that ends the value at `from`, folded lines included (RFC 3261 §7.3.1). */
function valueEnd(text: string, from: number, scan: Scan): number {
  for (let feed = text.indexOf('\n', from); feed >= 0; feed = text.indexOf('\n', feed + 1)) {
    // A bare LF is no line end: who takes it for one and who does not would see different headers.
    if (text.charCodeAt(feed - 1) !== CR) note(scan, 'header', 'a line feed without a carriage return');
    if (!isSpaceCode(text.charCodeAt(feed + 1))) return feed - 1;
    scan.folded = true;
  }
  note(scan, 'header', 'a header line without an end');
  return text.length;
}

/** Over UDP the body may be shorter than the datagram, never longer (RFC 3261 §18.3). */
function findBodyEnd(text: string, scan: Scan): number {
  let length = -1;
  for (let at = 0; at < scan.fields.length; at += FIELD_WIDTH) {
    if (scan.fields[at] !== HEADER.contentLength) continue;
    const value = parseDigits(text.slice(scan.fields[at + 3], scan.fields[at + 4]));
    if (value < 0 || length >= 0) {
      note(scan, 'content-length', value < 0 ? 'bad Content-Length' : 'more than one Content-Length');
      return scan.end;
    }
    length = value;
  }
  if (length < 0) return text.length;
  if (scan.end + length > text.length) note(scan, 'content-length', 'body shorter than Content-Length');
  return Math.min(scan.end + length, text.length);
}
