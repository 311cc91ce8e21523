// SRTP's session keys (RFC 3711 §4.3) and its counter-mode key stream (§4.1.1), for AES_CM_128_HMAC_SHA1_80 and _32.
import { type Cipheriv, createCipheriv, createSecretKey } from 'node:crypto';
import type { SrtpParameters, SrtpSuite } from './engine.ts';
import { HmacSha1 } from './hmac-sha1.ts';

/** Master key and master salt, in one. */
export const MASTER_BYTES = 30;
const KEY_BYTES = 16;
const SALT_BYTES = 14;
const AUTH_KEY_BYTES = 20;

/** Labels of RFC 3711 §4.3.2: encryption, authentication and salt. */
const RTP_LABELS = [0, 1, 2] as const;
const RTCP_LABELS = [3, 4, 5] as const;

/** Bytes of the tag at the end of an RTP packet; RTCP's has ten in both suites (RFC 4568 §6.2). */
export const tagBytes = (suite: SrtpSuite): number => (suite === 'AES_CM_128_HMAC_SHA1_32' ? 4 : 10);
export const RTCP_TAG_BYTES = 10;

export interface SessionKeys {
  readonly cipher: KeyStream;
  readonly hmac: HmacSha1;
}

export function sameKeys(one: SrtpParameters | undefined, other: SrtpParameters | undefined): boolean {
  if (!one || !other) return one === other;
  return (
    one.suite === other.suite &&
    Buffer.compare(one.localKey, other.localKey) === 0 &&
    Buffer.compare(one.remoteKey, other.remoteKey) === 0
  );
}

/** @throws {RangeError} where the key is not 30 bytes long. */
export function sessionKeys(master: Uint8Array, protocol: 'rtp' | 'rtcp'): SessionKeys {
  if (master.length !== MASTER_BYTES) throw new RangeError(`an SRTP key has ${MASTER_BYTES} bytes`);
  const [encryption, authentication, salt] = protocol === 'rtp' ? RTP_LABELS : RTCP_LABELS;
  return {
    cipher: new KeyStream(deriveKey(master, encryption, KEY_BYTES), deriveKey(master, salt, SALT_BYTES)),
    hmac: new HmacSha1(deriveKey(master, authentication, AUTH_KEY_BYTES)),
  };
}

/** Key derivation at rate 0 (RFC 3711 §4.3.1). */
export function deriveKey(master: Uint8Array, label: number, bytes: number): Buffer {
  const iv = Buffer.alloc(16);
  iv.set(master.subarray(KEY_BYTES));
  iv[7] = (iv[7] as number) ^ label;
  const key = createSecretKey(master.subarray(0, KEY_BYTES));
  return createCipheriv('aes-128-ctr', key, iv).update(Buffer.alloc(bytes));
}

/** 160 bytes: 20 ms of G.711. */
const PACKET_BLOCKS = 10;
/** Key stream is made for so many packets at once: a call of the cipher costs more than what it encrypts. */
const PACKETS_AHEAD = 8;
const MAX_BLOCKS = 96;
// One packet at a time in a thread: all sessions share the block of counters.
const counterBytes = Buffer.alloc(MAX_BLOCKS * 16);
const counterView = new DataView(counterBytes.buffer, counterBytes.byteOffset);
const countersAhead = counterBytes.subarray(0, PACKETS_AHEAD * PACKET_BLOCKS * 16);

/** AES in counter mode: counters are encrypted as blocks by a cipher that lives as long as the key. */
export class KeyStream {
  readonly #cipher: Cipheriv;
  /** The salt's 14 bytes and two of zero, in words. */
  readonly #salt: readonly [number, number, number, number];
  /** For the packets of this source from this one on, up to the next roll-over. */
  #ahead: Buffer | undefined;
  // Signed, as are all 32 bits that are kept: larger numbers are objects of their own, to be fetched for every packet.
  #aheadSsrc = 0;
  #aheadRollOver = 0;
  #aheadSequence = 0;

  constructor(key: Buffer, salt: Buffer) {
    this.#cipher = createCipheriv('aes-128-ecb', createSecretKey(key), null).setAutoPadding(false);
    this.#salt = [salt.readInt32BE(0), salt.readInt32BE(4), salt.readInt32BE(8), salt.readInt16BE(12) << 16];
  }

  /** Encrypts, and decrypts, `packet[start, end)` in place: of this source, with this 48-bit index. */
  apply(packet: Buffer, range: { start: number; end: number }, ssrc: number, index: number): void {
    const { start, end } = range;
    const blocks = (end - start + 15) >> 4;
    if (blocks > MAX_BLOCKS) throw new RangeError('longer than any packet');
    if (blocks > PACKET_BLOCKS) {
      this.#fillCounters(0, blocks, ssrc, index);
      return xor(packet, range, this.#cipher.update(counterBytes.subarray(0, blocks * 16)), 0);
    }
    const stream = this.#streamOf(ssrc, index);
    xor(packet, range, stream, ((index & 0xffff) - this.#aheadSequence) * PACKET_BLOCKS * 16);
  }

  #streamOf(ssrc: number, index: number): Buffer {
    const rollOver = Math.floor(index / 0x10000) | 0;
    const from = (index & 0xffff) - this.#aheadSequence;
    const covered = rollOver === this.#aheadRollOver && from >= 0 && from < PACKETS_AHEAD;
    if (this.#ahead && covered && (ssrc | 0) === this.#aheadSsrc) return this.#ahead;
    for (let packet = 0; packet < PACKETS_AHEAD; packet++)
      this.#fillCounters(packet * PACKET_BLOCKS, PACKET_BLOCKS, ssrc, index + packet);
    this.#aheadSsrc = ssrc | 0;
    this.#aheadRollOver = rollOver;
    this.#aheadSequence = index & 0xffff;
    this.#ahead = this.#cipher.update(countersAhead);
    return this.#ahead;
  }

  /** RFC 3711 §4.1.1: the salt, with the SSRC and the index in it, and the block's number after it. */
  #fillCounters(from: number, blocks: number, ssrc: number, index: number): void {
    const [first, second, third, fourth] = this.#salt;
    const withSsrc = second ^ ssrc;
    const withRollOver = third ^ Math.floor(index / 0x10000);
    const withSequence = fourth ^ (index << 16);
    for (let block = 0, at = from * 16; block < blocks; block++, at += 16) {
      counterView.setInt32(at, first);
      counterView.setInt32(at + 4, withSsrc);
      counterView.setInt32(at + 8, withRollOver);
      counterView.setInt32(at + 12, withSequence | block);
    }
  }
}

function xor(
  packet: Buffer,
  { start, end }: { start: number; end: number },
  stream: Buffer,
  from: number,
): void {
  for (let at = start, key = from; at < end; at++, key++)
    packet[at] = (packet[at] as number) ^ (stream[key] as number);
}

/** Writes the beginning of `tag` to `packet` from `at` on. */
export function writeTag(tag: Buffer, packet: Buffer, at: number, bytes: number): void {
  for (let i = 0; i < bytes; i++) packet[at + i] = tag[i] as number;
}

/** Whether `packet` holds the beginning of `tag` at `at`; takes as long whatever differs. */
export function sameTag(tag: Buffer, packet: Buffer, at: number, bytes: number): boolean {
  let difference = 0;
  for (let i = 0; i < bytes; i++) difference |= (tag[i] as number) ^ (packet[at + i] as number);
  return difference === 0;
}
