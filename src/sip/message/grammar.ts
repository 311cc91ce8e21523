// Character classes and parameters that the header grammars share (RFC 3261 §25.1).
import { SipSyntaxError } from './syntax-error.ts';

export const TAB = 9;
export const LF = 10;
export const CR = 13;
export const SPACE = 32;
export const QUOTE = 34;
export const COMMA = 44;
export const SEMICOLON = 59;
export const LEFT_ANGLE = 60;
export const EQUALS = 61;
export const RIGHT_ANGLE = 62;
const BACKSLASH = 92;

const tokenCodes = new Uint8Array(256);
for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~") {
  tokenCodes[char.charCodeAt(0)] = 1;
}

/** A parameter's value is a token or a host, and an IPv6 host has brackets and colons; some write more. */
const valueCodes = new Uint8Array(256);
for (let code = 33; code < 256; code++) {
  valueCodes[code] = [127, SEMICOLON, COMMA, QUOTE, EQUALS, LEFT_ANGLE, RIGHT_ANGLE].includes(code) ? 0 : 1;
}

export const isSpaceCode = (code: number): boolean => code === SPACE || code === TAB;

/** Whether a C0 control character or DEL stands in `text`. */
export function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < SPACE || code === 127) return true;
  }
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

/** A whole number of at most ten digits, or -1. */
export function parseDigits(text: string): number {
  if (text.length === 0 || text.length > 10) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
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
 * Value of the parameter `lower` among those that start at `from`; empty when it has no value. Parameters are not
 * checked where the usual spelling is found: `parseParams` does that.
 * @throws {SipSyntaxError} `parameter` when one before it is malformed.
 */
export function findParam(text: string, from: number, lower: string): string | undefined {
  if (from >= text.length) return undefined;
  // As nearly always: the first one, and a token.
  const first = from + lower.length + 2;
  if (text.charCodeAt(first - 1) === EQUALS && matchesAt(text, from + 1, lower)) {
    const end = skipToken(text, first);
    const isWhole = end === text.length || text.charCodeAt(end) === SEMICOLON;
    if (isWhole && end > first && text.charCodeAt(from) === SEMICOLON) return text.slice(first, end);
  }
  const found = text.indexOf(lower, from);
  const start = found + lower.length + 1;
  // Or a later one: `;tag=…` in lower case, without spaces, and no quotes in which it could be mere text.
  if (found > from && start < text.length && text.indexOf('"', from) < 0) {
    if (text.charCodeAt(found - 1) === SEMICOLON && text.charCodeAt(start - 1) === EQUALS) {
      const semicolon = text.indexOf(';', start);
      let end = semicolon < 0 ? text.length : semicolon;
      while (end > start && isSpaceCode(text.charCodeAt(end - 1))) end--;
      if (end > start && !isSpaceCode(text.charCodeAt(start))) return text.slice(start, end);
    }
  }
  const params = new ParamReader(text, from);
  while (params.next()) if (params.isNamed(lower)) return params.value;
  return undefined;
}

/**
 * All parameters from `from` to the end, by lower-case name; the first of two of a name counts.
 * @throws {SipSyntaxError} `parameter`.
 */
export function parseParams(text: string, from: number): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const params = new ParamReader(text, from);
  while (params.next()) {
    const name = params.name.toLowerCase();
    if (!found.has(name)) found.set(name, params.value);
  }
  return found;
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
