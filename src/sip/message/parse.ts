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

const SLASH = 47;

/** Where the headers of the message being parsed are noted: growing a new array for each costs a fifth of it all. */
const scratch: number[] = Array.from({ length: MAX_HEADERS * FIELD_WIDTH }, () => 0);

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
  const { method, uri, status, reason } = isStatusLine(text, start)
    ? statusLine(text.slice(start, lineEnd), scan)
    : requestLine(text, start, scan);
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

const isStatusLine = (text: string, start: number): boolean =>
  text.charCodeAt(start + 3) === SLASH && text.startsWith('SIP/', start);

function statusLine(line: string, scan: Scan): StartLine {
  const status = parseDigits(line.slice(8, 11));
  const wellFormed = line.startsWith('SIP/2.0 ') && (line.length === 11 || line[11] === ' ');
  if (!wellFormed || status < 100 || status > 699) note(scan, 'start-line', 'bad status line');
  return { method: '', uri: '', status: Math.max(status, 100), reason: line.slice(12) };
}

function requestLine(text: string, start: number, scan: Scan): StartLine {
  const lineEnd = scan.end - 2;
  const isTwo = text.startsWith(' SIP/2.0', lineEnd - 8);
  const version = isTwo ? lineEnd - 8 : text.lastIndexOf(' SIP/', lineEnd);
  const methodEnd = text.indexOf(' ', start);
  const method = text.slice(start, methodEnd);
  if (methodEnd < 0 || version < methodEnd || !isToken(method)) {
    throw new SipSyntaxError('start-line', 'neither a request nor a response');
  }
  const uri = text.slice(methodEnd + 1, version);
  if (uri === '' || uri.indexOf(' ') >= 0) note(scan, 'start-line', 'bad Request-URI');
  else if (!isTwo) {
    const isOther = /^ SIP\/\d+\.\d+$/.test(text.slice(version, lineEnd));
    note(scan, isOther ? 'version' : 'start-line', isOther ? 'only SIP/2.0 is spoken' : 'bad request line');
  }
  return { method, uri, status: 0, reason: '' };
}

/** The loop over every header of every message: kept in one function and free of objects on purpose. */
function scanHeaders(text: string, scan: Scan): void {
  let start = scan.end;
  let taken = 0;
  while (text.charCodeAt(start) !== CR || text.charCodeAt(start + 1) !== LF) {
    let feed = text.indexOf('\n', start);
    if (feed < 0 || taken === scratch.length) {
      note(
        scan,
        feed < 0 ? 'header' : 'too-many-headers',
        feed < 0 ? 'headers without an end' : 'too many headers',
      );
      start = text.length;
      break;
    }
    // A bare LF is no line end: who takes it for one and who does not would see different headers.
    if (text.charCodeAt(feed - 1) !== CR) note(scan, 'header', 'a line feed without a carriage return');
    if (isSpaceCode(text.charCodeAt(feed + 1))) {
      scan.folded = true;
      feed = foldedEnd(text, feed);
    }
    const colon = text.indexOf(':', start);
    if (colon < 0 || colon > feed) {
      note(scan, 'header', 'a header line without a name');
    } else {
      let nameEnd = colon;
      while (isSpaceCode(text.charCodeAt(nameEnd - 1))) nameEnd--;
      let valueStart = colon + 1;
      while (isSpaceCode(text.charCodeAt(valueStart))) valueStart++;
      let valueEnd = feed - 1;
      while (valueEnd > valueStart && isSpaceCode(text.charCodeAt(valueEnd - 1))) valueEnd--;
      // A name that is no token is nobody's: such a header is passed over (RFC 3261 §8.2.2).
      scratch[taken] = headerId(text, start, nameEnd);
      scratch[taken + 1] = start;
      scratch[taken + 2] = valueStart;
      scratch[taken + 3] = valueEnd;
      taken += FIELD_WIDTH;
    }
    start = feed + 1;
  }
  scan.taken = taken;
  scan.end = Math.min(start + 2, text.length);
}

/** The LF that ends the header whose first line ends at `feed` and is folded (RFC 3261 §7.3.1). */
function foldedEnd(text: string, feed: number): number {
  let end = feed;
  while (end >= 0 && isSpaceCode(text.charCodeAt(end + 1))) end = text.indexOf('\n', end + 1);
  return end < 0 ? text.length : end;
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
