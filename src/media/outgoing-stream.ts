// What we send to one peer: one SSRC, sequence numbers by packet, timestamps by the beat.
import type { Random } from '../lib/random.ts';
import type { SrtpParameters } from './engine.ts';
import { HEADER_BYTES, MAX_PACKET_BYTES, type RtpPacket, writeHeader } from './rtp.ts';
import { SRTP_OVERHEAD_BYTES, SrtpSender } from './srtp.ts';

export const FRAME_SAMPLES = 160; // 20 ms at 8 kHz: RFC 3551 §4.2

export class OutgoingStream {
  readonly ssrc: number;
  /** The payload is written here, from HEADER_BYTES on, before `finish`. */
  readonly datagram = Buffer.allocUnsafe(MAX_PACKET_BYTES + SRTP_OVERHEAD_BYTES);
  readonly #timestampBase: number;
  /** Its 32 bits are kept signed: larger numbers would be objects of their own. */
  readonly #header = { marker: false, payloadType: 0, sequence: 0, timestamp: 0, ssrc: 0 };
  #srtp: SrtpSender | undefined;
  /** The next packet starts a talkspurt (RFC 3551 §4.1). */
  #marker = true;
  #view: Buffer;
  #packets = 0;
  #octets = 0;

  constructor(random: Random) {
    const drawn = (below: number) => Math.floor(random.fraction() * below);
    this.ssrc = drawn(2 ** 32);
    this.#timestampBase = drawn(2 ** 32) | 0;
    this.#header.ssrc = this.ssrc | 0;
    // The lower half only: an SRTP receiver cannot tell an early roll-over from loss (RFC 3711 §3.3.1).
    this.#header.sequence = drawn(2 ** 15);
    this.#view = this.datagram.subarray(0, 0);
  }

  get packets(): number {
    return this.#packets;
  }

  /** Of payload, as a sender report counts them. */
  get octets(): number {
    return this.#octets;
  }

  secure(keys: SrtpParameters | undefined): void {
    this.#srtp = keys && new SrtpSender(keys.suite, keys.localKey);
  }

  timestampAt(frame: number): number {
    return (this.#timestampBase + frame * FRAME_SAMPLES) >>> 0;
  }

  /** The next packet is marked: silence on the wire came before it. */
  interrupted(): void {
    this.#marker = true;
  }

  /**
   * Completes the packet around a payload of so many bytes. The datagram's memory is used again for the next one.
   * @param marked Also for the start of a telephone-event.
   */
  finish(payloadType: number, timestamp: number, bytes: number, marked: boolean): Buffer {
    this.#head(this.datagram, payloadType, timestamp, marked);
    this.#packets++;
    this.#octets += bytes;
    return this.#seal(HEADER_BYTES + bytes);
  }

  /** Makes a packet of ours from another stream's plain one, with the type and the timestamp that `packet` has now. */
  forward(received: Buffer, packet: RtpPacket, marked: boolean): Buffer {
    const { start, end, payloadType, timestamp } = packet;
    const plain = HEADER_BYTES + end - start;
    const length = plain + (this.#srtp?.tagBytes ?? 0);
    // Where there is room for it, the packet leaves in the memory it came in.
    const stays = start === HEADER_BYTES && length <= received.length;
    const out = stays ? received : Buffer.allocUnsafe(length);
    if (!stays)
      for (let from = start, to = HEADER_BYTES; from < end; from++, to++) out[to] = received[from] as number;
    this.#head(out, payloadType, timestamp, marked);
    this.#packets++;
    this.#octets += end - start;
    this.#srtp?.protect(out, plain);
    return length === out.length ? out : out.subarray(0, length);
  }

  #seal(plain: number): Buffer {
    const length = this.#srtp?.protect(this.datagram, plain) ?? plain;
    if (this.#view.length !== length) this.#view = this.datagram.subarray(0, length);
    return this.#view;
  }

  #head(datagram: Buffer, payloadType: number, timestamp: number, marked: boolean): void {
    const header = this.#header;
    header.marker = this.#marker || marked;
    header.payloadType = payloadType;
    header.timestamp = timestamp | 0;
    writeHeader(header, datagram);
    header.sequence = (header.sequence + 1) & 0xffff;
    this.#marker = false;
  }
}
