// Character classes and parameters that the header grammars share (RFC 3261 §25.1).
import { SipSyntaxError } from './syntax-error.ts';

export const TAB = 9;
export const LF = 10;
export const CR = 13;
export const SPACE = 32;
export const QUOTE = 34;
export const COMMA = 44;
export const COLON = 58;
export const SEMICOLON = 59;
export const LEFT_ANGLE = 60;
export const EQUALS = 61;
export const RIGHT_ANGLE = 62;
const BACKSLASH = 92;

/** Which characters are `chars` or a letter or digit: 1 at the code of each. */
export function codesOf(chars: string): Uint8Array {
  const codes = new Uint8Array(256);
  for (const char of `abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789${chars}`) {
    codes[char.charCodeAt(0)] = 1;
  }
  return codes;
}

/** Whether `text` has no other characters than those. */
export function isAllOf(text: string, codes: Uint8Array): boolean {
  for (let at = 0; at < text.length; at++) if (codes[text.charCodeAt(at)] !== 1) return false;
  return true;
}

const tokenCodes = codesOf("-.!%*_+`'~");

/** A parameter's value is a token or a host, and an IPv6 host has brackets and colons; some write more. */
const valueCodes = new Uint8Array(256);
for (let code = 33; code < 256; code++) {
  valueCodes[code] = [127, SEMICOLON, COMMA, QUOTE, EQUALS, LEFT_ANGLE, RIGHT_ANGLE].includes(code) ? 0 : 1;
}

export const isSpaceCode = (code: number): boolean => code === SPACE || code === TAB;

/** C0 control characters and DEL. */
export const isControl = (code: number): boolean => code < SPACE || code === 127;

/** Whether a control character stands in `text`. */
export function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (isControl(text.charCodeAt(at))) return true;
  return false;
}

/** Index of the first character at or after `from` that is no space or tab. */
export function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpaceCode(text.charCodeAt(at))) at++;
  return at;
}

/** Without the spaces and tabs at both ends; `trim` would take an octet 0xA0, which may be half a letter, too. */
export function trimSpace(text: string): string {
  const start = skipSpace(text, 0);
  let end = text.length;
  while (end > start && isSpaceCode(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Index of the first character at or after `from` that is no token character. */
export function skipToken(text: string, from: number): number {
  let at = from;
  while (at < text.length && tokenCodes[text.charCodeAt(at)] === 1) at++;
  return at;
}

export const isToken = (text: string): boolean => text !== '' && skipToken(text, 0) === text.length;

/** Index after the closing quote of the quoted string that opens at `from`; -1 when it is never closed. */
export function skipQuoted(text: string, from: number): number {
  const close = text.indexOf('"', from + 1);
  if (close < 0 || text.charCodeAt(close - 1) !== BACKSLASH) return close < 0 ? -1 : close + 1;
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at + 1;
  }
  return -1;
}

/** Whether `text` at `from` reads `lower`, letter case aside; `lower` is letters only. */
function matchesAt(text: string, from: number, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    if ((text.charCodeAt(from + i) | 32) !== (lower.charCodeAt(i) | 32)) return false;
  }
  return true;
}

/** The whole number of at most ten digits between `start` and `end`, or -1. */
export function parseDigits(text: string, start = 0, end = text.length): number {
  if (end === start || end - start > 10) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Walks `;name=value` parameters as offsets, making strings only of those that are asked for. */
export class ParamReader {
  readonly #text: string;
  #at: number;
  #nameStart = 0;
  #nameEnd = 0;
  #valueStart = 0;
  #valueEnd = 0;

  constructor(text: string, from: number) {
    this.#text = text;
    this.#at = from;
  }

  /**
   * Moves on to the next parameter; false at the end.
   * @throws {SipSyntaxError} `parameter` at anything else.
   */
  next(): boolean {
    const text = this.#text;
    let at = skipSpace(text, this.#at);
    if (at >= text.length) return false;
    if (text.charCodeAt(at) !== SEMICOLON) throw malformed(text);
    this.#nameStart = skipSpace(text, at + 1);
    this.#nameEnd = skipToken(text, this.#nameStart);
    if (this.#nameEnd === this.#nameStart) throw malformed(text);
    at = skipSpace(text, this.#nameEnd);
    this.#valueStart = this.#valueEnd = at;
    if (at < text.length && text.charCodeAt(at) === EQUALS) this.#readValue(skipSpace(text, at + 1));
    this.#at = this.#valueEnd;
    return true;
  }

  #readValue(start: number): void {
    const text = this.#text;
    this.#valueStart = start;
    this.#valueEnd = text.charCodeAt(start) === QUOTE ? skipQuoted(text, start) : skipValue(text, start);
    if (this.#valueEnd <= start) throw malformed(text);
  }

  isNamed(lower: string): boolean {
    return this.#nameEnd - this.#nameStart === lower.length && matchesAt(this.#text, this.#nameStart, lower);
  }

  get name(): string {
    return this.#text.slice(this.#nameStart, this.#nameEnd);
  }

  /** As written; empty when the parameter has none. */
  get value(): string {
    return this.#text.slice(this.#valueStart, this.#valueEnd);
  }
}

function skipValue(text: string, from: number): number {
  let at = from;
  while (at < text.length && valueCodes[text.charCodeAt(at)] === 1) at++;
  return at;
}

const malformed = (text: string): SipSyntaxError =>
  new SipSyntaxError('parameter', `bad parameters in "${text.slice(0, 100)}"`);

/**
 * Value of the parameter that `usual` spells (`;tag=`) among those between `from` and `end`; empty when it has no value.
 * Parameters are not checked where the usual spelling is found: `parseParams` does that.
 * @throws {SipSyntaxError} `parameter` when one before it is malformed.
 */
export function findParam(text: string, from: number, end: number, usual: string): string | undefined {
  if (from >= end) return undefined;
  // As nearly always: in lower case, without spaces, and no quotes in which it could be mere text.
  const found = text.indexOf(usual, from);
  const start = found + usual.length;
  if (found >= 0 && start < end) {
    const semicolon = text.indexOf(';', start);
    const valueEnd = semicolon < 0 || semicolon > end ? end : semicolon;
    const quote = text.indexOf('"', from);
    const isPlain = (quote < 0 || quote >= valueEnd) && !isSpaceCode(text.charCodeAt(start));
    const isFirst = found === from || !hasParamLike(text, from, found, usual.charCodeAt(1));
    if (isPlain && isFirst && valueEnd > start && !isSpaceCode(text.charCodeAt(valueEnd - 1)))
      return text.slice(start, valueEnd);
  }
  const params = new ParamReader(text.slice(from, end), 0);
  const name = usual.slice(1, -1);
  while (params.next()) if (params.isNamed(name)) return params.value;
  return undefined;
}

/** Whether a parameter between `from` and `end` starts with this letter, in either case: it may be one that is looked for. */
export function hasParamLike(text: string, from: number, end: number, lowerLetter: number): boolean {
  for (let at = from; at < end; at++) {
    if (text.charCodeAt(at) !== SEMICOLON) continue;
    if ((text.charCodeAt(skipSpace(text, at + 1)) | 32) === lowerLetter) return true;
  }
  return false;
}

export const NO_PARAMS: ReadonlyMap<string, string> = new Map();

/**
 * All parameters from `from` to the end, by lower-case name; the first of two of a name counts.
 * @throws {SipSyntaxError} `parameter`.
 */
export function parseParams(text: string, from: number): ReadonlyMap<string, string> {
  if (from >= text.length) return NO_PARAMS;
  const found = new Map<string, string>();
  const params = new ParamReader(text, from);
  while (params.next()) {
    const name = params.name.toLowerCase();
    if (!found.has(name)) found.set(name, params.value);
  }
  return found;
}

/**
 * Whether what follows `from` is parameters: throws where `parseParams` would.
 * @throws {SipSyntaxError} `parameter`.
 */
export function checkParams(text: string, from: number): void {
  if (from >= text.length) return;
  const params = new ParamReader(text, from);
  while (params.next());
}

/** Splits at commas outside quotes and angle brackets. */
export function splitList(value: string): string[] {
  if (!value.includes(',')) return [value];
  const parts: string[] = [];
  let start = 0;
  for (let end = listItemEnd(value, 0); ; end = listItemEnd(value, start)) {
    parts.push(value.slice(start, end).trim());
    if (end >= value.length) return parts;
    start = end + 1;
  }
}

/** Index of the comma that ends the list item at `from`, or the length. */
export function listItemEnd(value: string, from: number): number {
  let insideAngles = false;
  if (value.indexOf(',', from) < 0) return value.length;
  for (let at = from; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code === LEFT_ANGLE) insideAngles = true;
    else if (code === RIGHT_ANGLE) insideAngles = false;
    else if (code === COMMA && !insideAngles) return at;
    else if (code === QUOTE && !insideAngles) {
      const after = skipQuoted(value, at);
      if (after < 0) return value.length;
      at = after - 1;
    }
  }
  return value.length;
}
