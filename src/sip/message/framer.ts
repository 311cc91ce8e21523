// A stream's octets to messages: Content-Length says where each one ends (RFC 3261 §18.3).
import { CR, LF, parseDigits } from './grammar.ts';
import { HEADER } from './headers.ts';
import { MAX_MESSAGE_OCTETS, scanMessage } from './parse.ts';
import { SipSyntaxError } from './syntax-error.ts';

/** Start line and headers of one message on a stream. */
export const MAX_HEAD_OCTETS = 16_384;

export interface Framed {
  /** Whole messages, in order. */
  readonly messages: readonly string[];
  /** Keep-alives that want their pong (RFC 5626 §3.5.1). */
  readonly pings: number;
  /** Single empty lines before messages: pongs, to who sent pings. */
  readonly emptyLines: number;
  /** Why nothing after these messages can be made out: the stream is of no more use. */
  readonly fault?: SipSyntaxError;
}

const END_OF_HEAD = '\r\n\r\n';
const NOTHING = Buffer.alloc(0);

/** Cuts one stream into messages. Holds one message that is not complete yet at most. */
export class StreamFramer {
  #pending: Buffer = NOTHING;
  /** No head ends before this. */
  #searched = 0;
  /** Where the message at the front ends; 0 while its head is not complete. */
  #end = 0;
  #emptyLines = 0;

  /** Whether a message has begun and not ended. */
  get isPartial(): boolean {
    return this.#pending.length > 3 || this.#pending.some((code) => code !== CR && code !== LF);
  }

  /** Takes what came next, however it was split on the way. Not to be called again after a fault. */
  push(octets: Buffer): Framed {
    this.#pending = this.#pending.length ? Buffer.concat([this.#pending, octets]) : octets;
    const messages: string[] = [];
    let pings = 0;
    this.#emptyLines = 0;
    try {
      for (;;) {
        pings += this.#takeKeepAlives();
        const message = this.#takeMessage();
        if (message === undefined) return { messages, pings, emptyLines: this.#emptyLines };
        messages.push(message);
      }
    } catch (error) {
      if (!(error instanceof SipSyntaxError)) throw error;
      return { messages, pings, emptyLines: this.#emptyLines, fault: error };
    }
  }

  /** Whether all that is left is one empty line, which is taken then: the answer to a ping of ours. */
  takePong(): boolean {
    const isPong = this.#pending.length === 2 && startsWithLine(this.#pending, 0);
    if (isPong) this.#drop(2);
    return isPong;
  }

  /** Two empty lines are a ping; one before a message is passed over (RFC 3261 §7.5). */
  #takeKeepAlives(): number {
    let pings = 0;
    while (this.#end === 0 && startsWithLine(this.#pending, 0)) {
      const isPing = startsWithLine(this.#pending, 2);
      if (!isPing && couldBecomePing(this.#pending)) break;
      this.#drop(isPing ? 4 : 2);
      if (isPing) pings++;
      else this.#emptyLines++;
    }
    return pings;
  }

  #takeMessage(): string | undefined {
    if (this.#end === 0) this.#findEnd();
    if (this.#end === 0 || this.#pending.length < this.#end) return undefined;
    const message = this.#pending.toString('latin1', 0, this.#end);
    this.#drop(this.#end);
    return message;
  }

  #findEnd(): void {
    const found = this.#pending.indexOf(END_OF_HEAD, this.#searched, 'latin1');
    const headEnd = found + END_OF_HEAD.length;
    if (found < 0 ? this.#pending.length >= MAX_HEAD_OCTETS : headEnd > MAX_HEAD_OCTETS) {
      throw new SipSyntaxError('too-large', `headers over ${MAX_HEAD_OCTETS} octets`);
    }
    if (found < 0) {
      this.#searched = Math.max(0, this.#pending.length - END_OF_HEAD.length + 1);
      return;
    }
    this.#end = headEnd + bodyLength(this.#pending.toString('latin1', 0, headEnd));
    if (this.#end > MAX_MESSAGE_OCTETS) throw new SipSyntaxError('too-large', 'message over 64 KiB');
  }

  #drop(octets: number): void {
    this.#pending = this.#pending.subarray(octets);
    this.#searched = 0;
    this.#end = 0;
  }
}

const startsWithLine = (octets: Buffer, at: number): boolean => octets[at] === CR && octets[at + 1] === LF;

/** Whether all that came is the beginning of a ping. */
const couldBecomePing = (octets: Buffer): boolean =>
  octets.length === 2 || (octets.length === 3 && octets[2] === CR);

/**
 * Read by the parser that will read the whole message: if the two saw different headers, one sender's body could be
 * another one's request.
 */
function bodyLength(head: string): number {
  const message = scanMessage(head);
  const lengths = message.values(HEADER.contentLength);
  const length = parseDigits(lengths[0] ?? '');
  if (message.fault?.code === 'header' || message.fault?.code === 'too-many-headers') throw message.fault;
  if (lengths.length !== 1 || length < 0) {
    throw new SipSyntaxError('content-length', 'a stream needs one Content-Length in each message');
  }
  return length;
}
