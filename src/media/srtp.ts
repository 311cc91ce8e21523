// SRTP (RFC 3711): packets protected on the way out and opened on the way in, in place.
import type { SrtpSuite } from './engine.ts';
import { HEADER_BYTES, type RtpPacket } from './rtp.ts';
import { type SessionKeys, sameTag, sessionKeys, tagBytes } from './srtp-keys.ts';

/** Longest tag and trailer that protection adds to a packet. */
export const SRTP_OVERHEAD_BYTES = 14;

/** Our stream: the roll-over counter starts at 0 with the key. */
export class SrtpSender {
  readonly #keys: SessionKeys;
  readonly #tagBytes: number;
  #rollOver = 0;
  #sequence = -1;

  /** @throws {RangeError} where the key is not 30 bytes long. */
  constructor(suite: SrtpSuite, masterKey: Uint8Array) {
    this.#keys = sessionKeys(masterKey, 'rtp');
    this.#tagBytes = tagBytes(suite);
  }

  /** Protects the packet `datagram[0, length)` of a plain header; packets come in order. Returns its new length. */
  protect(datagram: Buffer, length: number): number {
    const sequence = datagram.readUInt16BE(2);
    if (sequence < this.#sequence) this.#rollOver++;
    this.#sequence = sequence;
    const index = this.#rollOver * 0x10000 + sequence;
    this.#keys.cipher.apply(datagram, { start: HEADER_BYTES, end: length }, datagram.readUInt32BE(8), index);
    const tag = this.#keys.authentication.tag(datagram, length, this.#rollOver);
    return length + tag.copy(datagram, length, 0, this.#tagBytes);
  }
}

const WINDOW = 128;
const HALF = 0x8000;

/** The peer's stream: one source at a time; another SSRC starts at roll-over 0 (RFC 3711 §3.2.3). */
export class SrtpReceiver {
  readonly #keys: SessionKeys;
  readonly #tagBytes: number;
  readonly #seen = new ReplayWindow(WINDOW);
  #ssrc = -1;
  #index = -1;

  /** @throws {RangeError} where the key is not 30 bytes long. */
  constructor(suite: SrtpSuite, masterKey: Uint8Array) {
    this.#keys = sessionKeys(masterKey, 'rtp');
    this.#tagBytes = tagBytes(suite);
  }

  /**
   * Opens `packet`, read from `datagram` by `readHeader`, in place, and takes the tag off its end. False, with nothing
   * changed, for a packet that is not authentic, was here before, or is too old.
   */
  unprotect(datagram: Buffer, packet: RtpPacket): boolean {
    const end = datagram.length - this.#tagBytes;
    if (packet.start >= end) return false;
    const known = packet.ssrc === this.#ssrc;
    const index = known ? indexNear(packet.sequence, this.#index) : packet.sequence;
    if (index < 0 || (known && this.#seen.has(index))) return false;
    const rollOver = Math.floor(index / 0x10000);
    const tag = this.#keys.authentication.tag(datagram, end, rollOver);
    if (!sameTag(tag, datagram, end, this.#tagBytes)) return false;
    this.#keys.cipher.apply(datagram, { start: packet.start, end }, packet.ssrc, index);
    if (!known) this.#seen.clear();
    this.#ssrc = packet.ssrc;
    this.#index = known ? Math.max(this.#index, index) : index;
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

/** Which of the latest indexes have been here (RFC 3711 §3.3.2). */
export class ReplayWindow {
  readonly #size: number;
  readonly #seen: Uint8Array;
  #highest = -1;

  constructor(size: number) {
    this.#size = size;
    this.#seen = new Uint8Array(size);
  }

  /** True also for an index too old to tell. */
  has(index: number): boolean {
    if (index > this.#highest) return false;
    return index <= this.#highest - this.#size || this.#seen[index % this.#size] === 1;
  }

  add(index: number): void {
    const skipped = Math.min(index - this.#highest - 1, this.#size);
    for (let at = 1; at <= skipped; at++) this.#seen[(index - at) % this.#size] = 0;
    this.#seen[index % this.#size] = 1;
    this.#highest = Math.max(this.#highest, index);
  }

  clear(): void {
    this.#seen.fill(0);
    this.#highest = -1;
  }
}
