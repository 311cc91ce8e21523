// A received message: one octet string and where its parts lie; every value is cut out only when asked for.
import type { RequestView, ResponseView } from '../agent.ts';
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
  #parsedCSeq: CSeq | undefined;
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
    return value !== undefined && isKnownList(id) ? value.slice(0, listItemEnd(value, 0)).trim() : value;
  }

  headers(name: string): readonly string[] {
    const lower = fullName(name);
    const values = this.#valuesNamed(lower);
    return isListHeader(lower) ? values.flatMap(splitList) : values;
  }

  /** The first field of a known header, whole: a list is not split. */
  value(id: number): string | undefined {
    const { fields } = this.#layout;
    for (let at = 0; at < fields.length; at += FIELD_WIDTH) if (fields[at] === id) return this.#cut(at);
    return undefined;
  }

  /** Every field of a known header, lists not split. */
  values(id: number): string[] {
    const { fields } = this.#layout;
    const found: string[] = [];
    for (let at = 0; at < fields.length; at += FIELD_WIDTH) if (fields[at] === id) found.push(this.#cut(at));
    return found;
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
    this.#fromTag ??= tagOf(this.value(HEADER.from) ?? '');
    return this.#fromTag;
  }

  /** Empty without one. */
  get toTag(): string {
    this.#toTag ??= tagOf(this.value(HEADER.to) ?? '');
    return this.#toTag;
  }

  /** The CSeq's number (RFC 3261 §8.1.1.5: below 2³¹). */
  get seq(): number {
    return this.#cseq().number;
  }

  get seqMethod(): string {
    return this.#cseq().method;
  }

  #cseq(): CSeq {
    this.#parsedCSeq ??= parseCSeq(this.value(HEADER.cseq) ?? '');
    return this.#parsedCSeq;
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

/** Line ends with the white space around them become one space. A regular expression takes quadratic time for it. */
const unfolded = (value: string): string => trimSpace(value.split('\r\n').map(trimSpace).join(' '));

interface CSeq {
  readonly number: number;
  readonly method: string;
}

function parseCSeq(value: string): CSeq {
  const end = skipToken(value, 0);
  const number = parseDigits(value.slice(0, end));
  if (number < 0 || number >= 2 ** 31 || end === value.length) {
    throw new SipSyntaxError('cseq', `bad CSeq "${value.slice(0, 60)}"`);
  }
  return { number, method: value.slice(skipSpace(value, end)) };
}

const nameAt = (text: string, start: number): string => fullName(text.slice(start, skipToken(text, start)));

const tagOf = (value: string): string => findParam(value, addressEnd(value), 'tag') ?? '';
