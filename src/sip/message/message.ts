// A received message: one octet string and where its parts lie; every value is cut out only when asked for.

import {
  findParam,
  listItemEnd,
  parseDigits,
  skipSpace,
  skipToken,
  splitList,
  trimSpace,
} from './grammar.ts';
import { fullName, HEADER, isKnownList, isListHeader, KNOWN_IDS } from './headers.ts';
import { addressEnd } from './name-addr.ts';
import { fromOctets } from './octets.ts';
import { SipSyntaxError } from './syntax-error.ts';
import { Via } from './via.ts';
import type { HeaderField, RequestView, ResponseView } from './view.ts';

/** Numbers per header in the field table: id, start of the name, start and end of the value. */
export const FIELD_WIDTH = 4;

/** What the parser found; offsets are into `text`. */
export interface Layout {
  readonly text: string;
  /** Empty in a response. */
  readonly method: string;
  readonly uri: string;
  /** 0 in a request. */
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly number[];
  /** Which known headers are there, and which of them more than once: one bit for each, by its number. */
  readonly present: number;
  readonly repeated: number;
  /** Whether any header is folded over lines. */
  readonly folded: boolean;
  readonly bodyStart: number;
  readonly bodyEnd: number;
  /** What is wrong with a message that can still be answered. */
  readonly fault: SipSyntaxError | undefined;
}

/** Header values are octet strings as received, folding undone. Accessors throw SipSyntaxError at a malformed value. */
export class SipMessage implements RequestView, ResponseView {
  readonly #layout: Layout;
  readonly method: string;
  readonly uri: string;
  readonly status: number;
  readonly reason: string;
  /** The CSeq's number; -1 until it is read. */
  #seq = -1;
  #seqMethod = '';
  #via: Via | undefined;
  #fromTag: string | undefined;
  #toTag: string | undefined;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.method = layout.method;
    this.uri = layout.uri;
    this.status = layout.status;
    this.reason = layout.reason;
  }

  get isRequest(): boolean {
    return this.status === 0;
  }

  get fault(): SipSyntaxError | undefined {
    return this.#layout.fault;
  }

  /** The body's octets. */
  get bodyOctets(): string {
    return this.#layout.text.slice(this.#layout.bodyStart, this.#layout.bodyEnd);
  }

  get body(): string {
    return fromOctets(this.bodyOctets);
  }

  header(name: string): string | undefined {
    const id = KNOWN_IDS.get(name);
    if (id === undefined) return this.headers(name)[0];
    const value = this.value(id);
    if (value === undefined || !isKnownList(id)) return value;
    const end = listItemEnd(value, 0);
    return end === value.length ? value : value.slice(0, end).trim();
  }

  headers(name: string): readonly string[] {
    const id = KNOWN_IDS.get(name);
    if (id !== undefined && !this.#has(id)) return NONE;
    const lower = fullName(name);
    const values = this.#valuesNamed(lower);
    return isListHeader(lower) ? values.flatMap(splitList) : values;
  }

  extensions(prefix: string): readonly HeaderField[] {
    const { fields, text } = this.#layout;
    const lower = prefix.toLowerCase();
    const found: HeaderField[] = [];
    for (let at = 0; at < fields.length; at += FIELD_WIDTH) {
      if (fields[at] !== -1) continue;
      const start = fields[at + 1] as number;
      const name = text.slice(start, skipToken(text, start));
      if (name.toLowerCase().startsWith(lower)) found.push([name, this.#cut(at)]);
    }
    return found;
  }

  /** The first field of a known header, whole: a list is not split. */
  value(id: number): string | undefined {
    const at = this.#fieldOf(id);
    return at < 0 ? undefined : this.#cut(at);
  }

  /** Every field of a known header, lists not split. */
  values(id: number): string[] {
    const first = this.#fieldOf(id);
    if (first < 0) return [];
    // One is the rule, and an array that never grows is small.
    const found = [this.#cut(first)];
    if (!this.isRepeated(id)) return found;
    for (let at = this.#after(first, id); at >= 0; at = this.#after(at, id)) found.push(this.#cut(at));
    return found;
  }

  /** Whether a known header stands in more than one field. */
  isRepeated(id: number): boolean {
    return (this.#layout.repeated & (1 << id)) !== 0;
  }

  /** Whether it has one Via in one field: nobody between its sender and us has passed it on. */
  get hasOneVia(): boolean {
    return this.#has(HEADER.via) && !this.isRepeated(HEADER.via) && this.via.isAlone;
  }

  /** The topmost Via. */
  get via(): Via {
    this.#via ??= new Via(this.value(HEADER.via) ?? '');
    return this.#via;
  }

  get callId(): string {
    return this.value(HEADER.callId) ?? '';
  }

  /** Empty without one. */
  get fromTag(): string {
    this.#fromTag ??= this.#tagIn(HEADER.from);
    return this.#fromTag;
  }

  /** Empty without one. */
  get toTag(): string {
    this.#toTag ??= this.#tagIn(HEADER.to);
    return this.#toTag;
  }

  /** The CSeq's number (RFC 3261 §8.1.1.5: below 2³¹). */
  get seq(): number {
    if (this.#seq < 0) this.#readCSeq(this.value(HEADER.cseq) ?? '');
    return this.#seq;
  }

  get seqMethod(): string {
    if (this.#seq < 0) this.#readCSeq(this.value(HEADER.cseq) ?? '');
    return this.#seqMethod;
  }

  #readCSeq(value: string): void {
    const end = skipToken(value, 0);
    const number = parseDigits(value, 0, end);
    if (number < 0 || number >= 2 ** 31 || end === value.length) {
      throw new SipSyntaxError('cseq', `bad CSeq "${value.slice(0, 60)}"`);
    }
    this.#seq = number;
    this.#seqMethod = value.slice(skipSpace(value, end));
  }

  #has(id: number): boolean {
    return (this.#layout.present & (1 << id)) !== 0;
  }

  /** Where the first field of a known header stands in the field table, or -1. */
  #fieldOf(id: number): number {
    return this.#has(id) ? this.#after(-FIELD_WIDTH, id) : -1;
  }

  /** Where the next field of a known header stands, or -1. */
  #after(last: number, id: number): number {
    const { fields } = this.#layout;
    for (let at = last + FIELD_WIDTH; at < fields.length; at += FIELD_WIDTH) if (fields[at] === id) return at;
    return -1;
  }

  /** The tag of a From or To, read where it stands. */
  #tagIn(id: number): string {
    const { text, fields, folded } = this.#layout;
    const at = this.#fieldOf(id);
    if (at < 0) return '';
    return folded
      ? tagBetween(this.#cut(at), 0, this.#cut(at).length)
      : tagBetween(text, fields[at + 2] as number, fields[at + 3] as number);
  }

  #valuesNamed(lower: string): string[] {
    const id = KNOWN_IDS.get(lower);
    if (id !== undefined) return this.values(id);
    const { fields, text } = this.#layout;
    const found: string[] = [];
    for (let at = 0; at < fields.length; at += FIELD_WIDTH) {
      if (fields[at] === -1 && nameAt(text, fields[at + 1] ?? 0) === lower) found.push(this.#cut(at));
    }
    return found;
  }

  #cut(at: number): string {
    const { fields, text, folded } = this.#layout;
    const value = text.slice(fields[at + 2], fields[at + 3]);
    return folded && value.includes('\r\n') ? unfolded(value) : value;
  }
}

const NONE: readonly string[] = [];

/** Line ends with the white space around them become one space. A regular expression takes quadratic time for it. */
const unfolded = (value: string): string => trimSpace(value.split('\r\n').map(trimSpace).join(' '));

const nameAt = (text: string, start: number): string => fullName(text.slice(start, skipToken(text, start)));

const tagBetween = (text: string, start: number, end: number): string =>
  findParam(text, addressEnd(text, start, end), end, ';tag=') ?? '';
