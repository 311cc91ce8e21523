// SRTP (RFC 3711): packets protected on the way out and opened on the way in, in place.
import type { SrtpSuite } from './engine.ts';
import type { HmacSha1 } from './hmac-sha1.ts';
import { HEADER_BYTES, type RtpPacket, readUint16, readUint32 } from './rtp.ts';
import { type KeyStream, sameTag, sessionKeys, tagBytes, writeTag } from './srtp-keys.ts';

/** Longest tag and trailer that protection adds to a packet. */
export const SRTP_OVERHEAD_BYTES = 14;

/** Our stream: the roll-over counter starts at 0 with the key. */
export class SrtpSender {
  /** By so much a packet grows. */
  readonly tagBytes: number;
  readonly #cipher: KeyStream;
  readonly #hmac: HmacSha1;
  #rollOver = 0;
  #sequence = -1;

  /** @throws {RangeError} where the key is not 30 bytes long. */
  constructor(suite: SrtpSuite, masterKey: Uint8Array) {
    const { cipher, hmac } = sessionKeys(masterKey, 'rtp');
    this.#cipher = cipher;
    this.#hmac = hmac;
    this.tagBytes = tagBytes(suite);
  }

  /** Protects the packet `datagram[0, length)` of a plain header; packets come in order. Returns its new length. */
  protect(datagram: Buffer, length: number): number {
    const sequence = readUint16(datagram, 2);
    if (sequence < this.#sequence) this.#rollOver++;
    this.#sequence = sequence;
    const index = this.#rollOver * 0x10000 + sequence;
    this.#cipher.apply(datagram, { start: HEADER_BYTES, end: length }, readUint32(datagram, 8), index);
    writeTag(this.#hmac.of(datagram, length, this.#rollOver), datagram, length, this.tagBytes);
    return length + this.tagBytes;
  }
}

const HALF = 0x8000;

/** The peer's stream: one source at a time; another SSRC starts at roll-over 0 (RFC 3711 §3.2.3). */
export class SrtpReceiver {
  readonly #cipher: KeyStream;
  readonly #hmac: HmacSha1;
  readonly #tagBytes: number;
  readonly #seen = new ReplayWindow();
  #ssrc = 0; // signed

  /** @throws {RangeError} where the key is not 30 bytes long. */
  constructor(suite: SrtpSuite, masterKey: Uint8Array) {
    const { cipher, hmac } = sessionKeys(masterKey, 'rtp');
    this.#cipher = cipher;
    this.#hmac = hmac;
    this.#tagBytes = tagBytes(suite);
  }

  /**
   * Opens `packet`, read from `datagram` by `readHeader`, in place, and takes the tag off its end. False, with nothing
   * changed, for a packet that is not authentic, was here before, or is too old.
   */
  unprotect(datagram: Buffer, packet: RtpPacket): boolean {
    const end = datagram.length - this.#tagBytes;
    if (packet.start >= end) return false;
    const known = this.#seen.highest >= 0 && (packet.ssrc | 0) === this.#ssrc;
    const index = known ? indexNear(packet.sequence, this.#seen.highest) : packet.sequence;
    if (index < 0 || (known && this.#seen.has(index))) return false;
    const rollOver = Math.floor(index / 0x10000);
    if (!sameTag(this.#hmac.of(datagram, end, rollOver), datagram, end, this.#tagBytes)) return false;
    this.#cipher.apply(datagram, { start: packet.start, end }, packet.ssrc, index);
    if (!known) this.#seen.clear();
    this.#ssrc = packet.ssrc | 0;
    this.#seen.add(index);
    packet.end = end;
    return true;
  }
}

/** The index that a sequence number stands for: the nearest to the highest one seen (RFC 3711 §3.3.1, appendix A). */
export function indexNear(sequence: number, highest: number): number {
  const rollOver = Math.floor(highest / 0x10000);
  const last = highest & 0xffff;
  if (last < HALF) return (sequence - last > HALF ? rollOver - 1 : rollOver) * 0x10000 + sequence;
  return (last - HALF > sequence ? rollOver + 1 : rollOver) * 0x10000 + sequence;
}

/** Which of the latest 64 indexes have been here (RFC 3711 §3.3.2). */
export class ReplayWindow {
  #highest = -1;
  /** A bit for each index, the highest one's in the lowest bit; then the 32 before those. */
  #latest = 0;
  #older = 0;

  /** -1 where none was here. */
  get highest(): number {
    return this.#highest;
  }

  /** True also for an index too old to tell. */
  has(index: number): boolean {
    const age = this.#highest - index;
    if (age < 0) return false;
    if (age >= 64) return true;
    return (((age < 32 ? this.#latest : this.#older) >>> (age & 31)) & 1) === 1;
  }

  /** One that `has` does not know. */
  add(index: number): void {
    const age = this.#highest - index;
    if (age < 0) this.#advance(-age);
    if (age < 0) this.#highest = index;
    if (age < 32) this.#latest |= 1 << Math.max(0, age);
    else this.#older |= 1 << (age & 31);
  }

  clear(): void {
    this.#highest = -1;
    this.#latest = 0;
    this.#older = 0;
  }

  #advance(by: number): void {
    if (by < 32) this.#older = (this.#older << by) | (this.#latest >>> (32 - by));
    else this.#older = by < 64 ? this.#latest << (by - 32) : 0;
    this.#latest = by < 32 ? this.#latest << by : 0;
  }
}
