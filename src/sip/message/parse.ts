// One pass over a datagram's octets: start line, header offsets, body. Nothing is cut out that nobody asks for.
import { COLON, CR, isSpaceCode, LF, parseDigits, SPACE, skipToken } from './grammar.ts';
import { HEADER, idAt, NAME_ROOT, nextNode } from './headers.ts';
import { FIELD_WIDTH, type Layout, SipMessage } from './message.ts';
import { type SipSyntaxCode, SipSyntaxError } from './syntax-error.ts';

export const MAX_MESSAGE_OCTETS = 65_536;
export const MAX_HEADERS = 256;

const SLASH = 47;

/** Where the headers of the message being parsed are noted: growing a new array for each costs a fifth of it all. */
const scratch: number[] = Array.from({ length: MAX_HEADERS * FIELD_WIDTH }, () => 0);

const NO_FIELDS: readonly number[] = [];

/** The message being parsed once more, and a NUL: an octet is read faster here than a character in a string. */
const octets = Buffer.alloc(MAX_MESSAGE_OCTETS + 1);

/** What is being found; `fault` is the first thing wrong. */
type Draft = { -readonly [Key in keyof Layout]: Layout[Key] };

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
  const draft: Draft = {
    text,
    method: '',
    uri: '',
    status: 0,
    reason: '',
    fields: NO_FIELDS,
    present: 0,
    repeated: 0,
    folded: false,
    bodyStart: lineEnd + 2,
    bodyEnd: 0,
    fault: undefined,
  };
  if (isStatusLine(text, start)) statusLine(text.slice(start, lineEnd), draft);
  else requestLine(start, lineEnd, draft);
  octets.write(text, 'latin1');
  octets[text.length] = 0;
  scanHeaders(draft);
  draft.bodyEnd = draft.fault ? draft.bodyStart : findBodyEnd(draft);
  return new SipMessage(draft);
}

/** Empty lines before the start line are ignored (RFC 3261 §7.5). */
function skipEmptyLines(text: string): number {
  let at = 0;
  while (text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF) at += 2;
  return at;
}

function note(draft: Draft, code: SipSyntaxCode, message: string): void {
  draft.fault ??= new SipSyntaxError(code, message);
}

const isStatusLine = (text: string, start: number): boolean =>
  text.charCodeAt(start + 3) === SLASH && text.startsWith('SIP/', start);

function statusLine(line: string, draft: Draft): void {
  const status = parseDigits(line.slice(8, 11));
  const wellFormed = line.startsWith('SIP/2.0 ') && (line.length === 11 || line[11] === ' ');
  if (!wellFormed || status < 100 || status > 699) note(draft, 'start-line', 'bad status line');
  draft.status = Math.max(status, 100);
  draft.reason = line.slice(12);
}

function requestLine(start: number, lineEnd: number, draft: Draft): void {
  const { text } = draft;
  const isTwo = text.startsWith(' SIP/2.0', lineEnd - 8);
  const version = isTwo ? lineEnd - 8 : text.lastIndexOf(' SIP/', lineEnd);
  const methodEnd = skipToken(text, start);
  if (methodEnd === start || text.charCodeAt(methodEnd) !== SPACE || version < methodEnd) {
    throw new SipSyntaxError('start-line', 'neither a request nor a response');
  }
  draft.method = text.slice(start, methodEnd);
  draft.uri = text.slice(methodEnd + 1, version);
  if (version <= methodEnd + 1 || text.indexOf(' ', methodEnd + 1) < version) {
    note(draft, 'start-line', 'bad Request-URI');
  } else if (!isTwo) {
    const isOther = /^ SIP\/\d+\.\d+$/.test(text.slice(version, lineEnd));
    note(draft, isOther ? 'version' : 'start-line', isOther ? 'only SIP/2.0 is spoken' : 'bad request line');
  }
}

/** The loop over every header of every message: kept in one function and free of objects on purpose. */
function scanHeaders(draft: Draft): void {
  const { text } = draft;
  let start = draft.bodyStart;
  let taken = 0;
  let lines = 0;
  let present = 0;
  let repeated = 0;
  while (octets[start] !== CR || octets[start + 1] !== LF) {
    let feed = text.indexOf('\n', start);
    if (feed < 0 || lines === MAX_HEADERS) {
      if (feed < 0) note(draft, 'header', 'headers without an end');
      else note(draft, 'too-many-headers', 'too many headers');
      start = text.length;
      break;
    }
    lines++;
    // A bare LF is no line end: who takes it for one and who does not would see different headers.
    if (octets[feed - 1] !== CR) note(draft, 'header', 'a line feed without a carriage return');
    if (isSpaceCode(octets[feed + 1] as number)) {
      draft.folded = true;
      feed = foldedEnd(text, feed);
    }
    let colon = start;
    let node = NAME_ROOT;
    while (node !== 0 && octets[colon] !== COLON) node = nextNode(node, octets[colon++] as number);
    if (node === 0) colon = colonFrom(text, colon);
    if (colon > feed) {
      note(draft, 'header', 'a header line without a name');
    } else {
      let valueStart = colon + 1;
      while (isSpaceCode(octets[valueStart] as number)) valueStart++;
      let valueEnd = feed - 1;
      while (valueEnd > valueStart && isSpaceCode(octets[valueEnd - 1] as number)) valueEnd--;
      const id = isSpaceCode(octets[colon - 1] as number) ? idBefore(start, colon) : idAt(node);
      if (id >= 0) {
        repeated |= present & (1 << id);
        present |= 1 << id;
      }
      scratch[taken] = id;
      scratch[taken + 1] = start;
      scratch[taken + 2] = valueStart;
      scratch[taken + 3] = valueEnd;
      taken += FIELD_WIDTH;
    }
    start = feed + 1;
  }
  draft.fields = scratch.slice(0, taken);
  draft.present = present;
  draft.repeated = repeated;
  draft.bodyStart = Math.min(start + 2, text.length);
}

function colonFrom(text: string, from: number): number {
  const colon = text.indexOf(':', from);
  return colon < 0 ? text.length : colon;
}

/** The number of the header whose name has spaces after it (RFC 3261 §7.3.1). */
function idBefore(start: number, colon: number): number {
  let end = colon;
  while (end > start && isSpaceCode(octets[end - 1] as number)) end--;
  let node = NAME_ROOT;
  for (let at = start; at < end; at++) node = nextNode(node, octets[at] as number);
  return idAt(node);
}

/** The LF that ends the header whose first line ends at `feed` and is folded (RFC 3261 §7.3.1). */
function foldedEnd(text: string, feed: number): number {
  let end = feed;
  while (end >= 0 && isSpaceCode(text.charCodeAt(end + 1))) end = text.indexOf('\n', end + 1);
  return end < 0 ? text.length : end;
}

/** Over UDP the body may be shorter than the datagram, never longer (RFC 3261 §18.3). */
function findBodyEnd(draft: Draft): number {
  const { text, fields, bodyStart } = draft;
  let length = -1;
  for (let at = 0; at < fields.length; at += FIELD_WIDTH) {
    if (fields[at] !== HEADER.contentLength) continue;
    const value = parseDigits(text, fields[at + 2], fields[at + 3]);
    if (value < 0 || length >= 0) {
      note(draft, 'content-length', value < 0 ? 'bad Content-Length' : 'more than one Content-Length');
      return bodyStart;
    }
    length = value;
  }
  if (length < 0) return text.length;
  if (bodyStart + length > text.length) note(draft, 'content-length', 'body shorter than Content-Length');
  return Math.min(bodyStart + length, text.length);
}
