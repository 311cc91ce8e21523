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
    this.#timestampBase = drawn(2 ** 32);
    this.#header.ssrc = this.ssrc;
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
    // Nothing but the header differs, so the packet leaves in the memory it came in.
    if (!this.#srtp && start === HEADER_BYTES && end === received.length) {
      this.#head(received, payloadType, timestamp, marked);
      this.#packets++;
      this.#octets += end - start;
      return received;
    }
    received.copy(this.datagram, HEADER_BYTES, start, end);
    return this.finish(payloadType, timestamp, end - start, marked);
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
    header.timestamp = timestamp;
    writeHeader(header, datagram);
    header.sequence = (header.sequence + 1) & 0xffff;
    this.#marker = false;
  }
}
