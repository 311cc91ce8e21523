// One pass over a datagram's octets: start line, header offsets, body. Nothing is cut out that nobody asks for.
import { CR, isSpaceCode, isToken, LF, parseDigits } from './grammar.ts';
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

/** Where the headers of the message being parsed are noted: growing a new array for each costs a fifth of it all. */
const scratch = new Array<number>(MAX_HEADERS * FIELD_WIDTH).fill(0);

/** Offsets of a message's headers; `fault` is the first thing wrong with them. */
interface Scan {
  /** How many numbers of `scratch` are taken. */
  taken: number;
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
  const lineEnd = text.indexOf('\n', start) - 1;
  if (lineEnd < 0 || text.charCodeAt(lineEnd) !== CR) throw new SipSyntaxError('start-line', 'no start line');
  const scan: Scan = { taken: 0, folded: false, end: lineEnd + 2, fault: undefined };
  const line = text.slice(start, lineEnd);
  const { method, uri, status, reason } = line.startsWith('SIP/')
    ? statusLine(line, scan)
    : requestLine(line, scan);
  scanHeaders(text, scan);
  const bodyStart = scan.end;
  const bodyEnd = scan.fault ? bodyStart : findBodyEnd(text, scan);
  return new SipMessage({
    text,
    method,
    uri,
    status,
    reason,
    fields: scratch.slice(0, scan.taken),
    folded: scan.folded,
    bodyStart,
    bodyEnd,
    fault: scan.fault,
  });
}

/** Empty lines before the start line are ignored (RFC 3261 §7.5). */
function skipEmptyLines(text: string): number {
  let at = 0;
  while (text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF) at += 2;
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
  const isTwo = line.endsWith(' SIP/2.0');
  const version = isTwo ? line.length - 8 : line.lastIndexOf(' SIP/');
  const method = line.slice(0, methodEnd);
  if (methodEnd < 1 || version < methodEnd || !isToken(method)) {
    throw new SipSyntaxError('start-line', 'neither a request nor a response');
  }
  const uri = line.slice(methodEnd + 1, version);
  if (uri === '' || uri.includes(' ')) note(scan, 'start-line', 'bad Request-URI');
  else if (!isTwo) {
    const isOther = /^ SIP\/\d+\.\d+$/.test(line.slice(version));
    note(scan, isOther ? 'version' : 'start-line', isOther ? 'only SIP/2.0 is spoken' : 'bad request line');
  }
  return { method, uri, status: 0, reason: '' };
}

function scanHeaders(text: string, scan: Scan): void {
  let at = scan.end;
  for (let count = 0; text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF; count++) {
    if (at >= text.length) {
      note(scan, 'header', 'headers end without an empty line');
      break;
    }
    if (count === MAX_HEADERS) {
      note(scan, 'too-many-headers', `more than ${MAX_HEADERS} headers`);
      break;
    }
    at = scanHeader(text, at, scan);
  }
  scan.end = Math.min(at + 2, text.length);
}

/** Takes the header at `start` into the table and returns where the next line starts. */
function scanHeader(text: string, start: number, scan: Scan): number {
  const colon = text.indexOf(':', start);
  const lineEnd = findLineEnd(text, start, scan);
  if (colon < 0 || colon >= lineEnd) {
    note(scan, 'header', 'a header line without a name');
    return lineEnd + 2;
  }
  let nameEnd = colon;
  while (isSpaceCode(text.charCodeAt(nameEnd - 1))) nameEnd--;
  let valueStart = colon + 1;
  while (valueStart < lineEnd && isSpaceCode(text.charCodeAt(valueStart))) valueStart++;
  let valueEnd = lineEnd;
  while (valueEnd > valueStart && isSpaceCode(text.charCodeAt(valueEnd - 1))) valueEnd--;
  // A name that is no token is nobody's: such a header is passed over (RFC 3261 §8.2.2).
  const at = scan.taken;
  scratch[at] = headerId(text, start, nameEnd);
  scratch[at + 1] = start;
  scratch[at + 2] = valueStart;
  scratch[at + 3] = valueEnd;
  scan.taken = at + FIELD_WIDTH;
  return lineEnd + 2;
}

/** Index of the CRLF that ends the header at `from`, folded lines included (RFC 3261 §7.3.1). */
function findLineEnd(text: string, from: number, scan: Scan): number {
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
  for (let at = 0; at < scan.taken; at += FIELD_WIDTH) {
    if (scratch[at] !== HEADER.contentLength) continue;
    const value = parseDigits(text.slice(scratch[at + 2], scratch[at + 3]));
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
