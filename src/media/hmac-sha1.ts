// HMAC-SHA1 (RFC 2104, FIPS 180-4) of a packet. Written out, because a packet is short: with the key's two blocks hashed
// in advance four blocks are left, which cost half of the way into node:crypto and back.

/** Longer tails do not occur: the rest of a packet, a roll-over counter, the padding's first byte and the length. */
const BLOCK_BYTES = 64;
const TAIL_BYTES = 2 * BLOCK_BYTES;
const LENGTH_BYTES = 8;
export const HASH_BYTES = 20;
const HASH_WORDS = HASH_BYTES / 4;

const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];

// One packet at a time in a thread: all keys share what lives for one hash only.
const chain = new Int32Array(HASH_WORDS);
const words = new Int32Array(80);
const tail = Buffer.alloc(TAIL_BYTES);
const result = Buffer.alloc(HASH_BYTES);

export class HmacSha1 {
  /** What the inner and the outer hash have come to after the block that holds the key. */
  readonly #begun: readonly number[];

  /** @throws {RangeError} where the key is longer than 64 bytes. */
  constructor(key: Uint8Array) {
    if (key.length > BLOCK_BYTES) throw new RangeError(`a key has at most ${BLOCK_BYTES} bytes`);
    this.#begun = [...afterKey(key, 0x36), ...afterKey(key, 0x5c)];
  }

  /** The hash of `packet[0, end)` and, where given, of four bytes of `suffix`; its 20 bytes hold until the next. */
  of(packet: Uint8Array, end: number, suffix?: number): Buffer {
    startFrom(this.#begun, 0);
    const whole = end - (end % BLOCK_BYTES);
    for (let at = 0; at < whole; at += BLOCK_BYTES) addBlock(packet, at);
    addTail(packet, whole, end, suffix);
    for (let i = 0; i < HASH_WORDS; i++) words[i] = chain[i] as number;
    words[HASH_WORDS] = 0x80000000;
    for (let i = HASH_WORDS + 1; i < 15; i++) words[i] = 0;
    words[15] = (BLOCK_BYTES + HASH_BYTES) * 8;
    startFrom(this.#begun, HASH_WORDS);
    compress();
    for (let i = 0; i < HASH_WORDS; i++) writeUint32(result, i * 4, chain[i] as number);
    return result;
  }
}

function afterKey(key: Uint8Array, pad: number): Int32Array {
  const block = Uint8Array.from({ length: BLOCK_BYTES }, (_, at) => (key[at] ?? 0) ^ pad);
  startFrom(INITIAL, 0);
  addBlock(block, 0);
  return chain.slice();
}

/** `set` and `fill` would cost more than the few words take. */
function startFrom(values: readonly number[], at: number): void {
  for (let i = 0; i < HASH_WORDS; i++) chain[i] = values[at + i] as number;
}

/** What is left of the packet, the suffix, and the padding of FIPS 180-4 §5.1.1: a bit, zeros, the length in bits. */
function addTail(packet: Uint8Array, from: number, end: number, suffix: number | undefined): void {
  let length = 0;
  for (let at = from; at < end; at++) tail[length++] = packet[at] as number;
  if (suffix !== undefined) {
    writeUint32(tail, length, suffix);
    length += 4;
  }
  const bits = (BLOCK_BYTES + from + length) * 8;
  tail[length++] = 0x80;
  const blocksEnd = length + LENGTH_BYTES <= BLOCK_BYTES ? BLOCK_BYTES : TAIL_BYTES;
  while (length < blocksEnd - 4) tail[length++] = 0;
  writeUint32(tail, blocksEnd - 4, bits);
  for (let at = 0; at < blocksEnd; at += BLOCK_BYTES) addBlock(tail, at);
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

function addBlock(bytes: Uint8Array, from: number): void {
  for (let i = 0, at = from; i < 16; i++, at += 4)
    words[i] =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number);
  compress();
}

/** FIPS 180-4 §6.1.2, on the sixteen words that are there. One loop for each function: a choice in one costs as much again. */
function compress(): void {
  expand();
  let [a, b, c, d, e] = [chained(0), chained(1), chained(2), chained(3), chained(4)];
  for (let i = 0; i < 20; i++) {
    const next = mix(a, d ^ (b & (c ^ d)), e, 0x5a827999 + word(i));
    e = d;
    d = c;
    c = rotate(b, 30);
    b = a;
    a = next;
  }
  for (let i = 20; i < 40; i++) {
    const next = mix(a, b ^ c ^ d, e, 0x6ed9eba1 + word(i));
    e = d;
    d = c;
    c = rotate(b, 30);
    b = a;
    a = next;
  }
  for (let i = 40; i < 60; i++) {
    const next = mix(a, (b & c) | (d & (b | c)), e, 0x8f1bbcdc + word(i));
    e = d;
    d = c;
    c = rotate(b, 30);
    b = a;
    a = next;
  }
  for (let i = 60; i < 80; i++) {
    const next = mix(a, b ^ c ^ d, e, 0xca62c1d6 + word(i));
    e = d;
    d = c;
    c = rotate(b, 30);
    b = a;
    a = next;
  }
  add(0, a);
  add(1, b);
  add(2, c);
  add(3, d);
  add(4, e);
}

function expand(): void {
  for (let i = 16; i < 80; i++) words[i] = rotate(word(i - 3) ^ word(i - 8) ^ word(i - 14) ^ word(i - 16), 1);
}

const word = (i: number): number => words[i] as number;

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

/** Sums are cut to 32 bits on the way: V8 then keeps them in registers. */
const mix = (a: number, f: number, e: number, constantAndWord: number): number =>
  (((rotate(a, 5) + f) | 0) + ((e + constantAndWord) | 0)) | 0;

const chained = (i: number): number => chain[i] as number;

function add(i: number, value: number): void {
  chain[i] = chained(i) + value;
}
