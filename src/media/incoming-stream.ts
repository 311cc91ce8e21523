// What comes to our port: whether it is the peer's, and what was lost on the way.
import { normaliseAddress } from '../lib/networks.ts';
import type { PeerMedia } from './engine.ts';
import { Latch, type Source } from './latch.ts';
import { Reception } from './reception.ts';
import { type RtpPacket, readHeader, removePadding } from './rtp.ts';
import { SrtpReceiver } from './srtp.ts';

export class IncomingStream {
  readonly reception = new Reception();
  #latch: Latch | undefined;
  #srtp: SrtpReceiver | undefined;
  #dtmfPayloadType: number | undefined;
  #listens = true;
  #received = 0;
  #refused = 0;

  get received(): number {
    return this.#received;
  }

  /** Whether the peer may send: it is not held. */
  get listens(): boolean {
    return this.#listens;
  }

  get refused(): number {
    return this.#refused;
  }

  /** Where the peer is; undefined before `connect`. */
  get destination(): Source | undefined {
    return this.#latch?.destination;
  }

  connect(peer: PeerMedia, nowMs: number): void {
    const { address, port, signalledFrom } = peer;
    this.#dtmfPayloadType = peer.dtmfPayloadType;
    this.#listens = peer.direction !== 'sendonly' && peer.direction !== 'inactive';
    this.#latch = new Latch(
      {
        address: normaliseAddress(address),
        port,
        ...(signalledFrom !== undefined && { signalledFrom: normaliseAddress(signalledFrom) }),
      },
      nowMs,
    );
  }

  secure(keys: PeerMedia['srtp']): void {
    this.#srtp = keys && new SrtpReceiver(keys.suite, keys.remoteKey);
  }

  /** Reads the datagram into `packet`, opened; false, and counted, where it is not one of the peer's. */
  receive(datagram: Buffer, packet: RtpPacket, from: Source, nowMs: number): boolean {
    const latch = this.#latch;
    const accepted =
      this.#listens &&
      latch !== undefined &&
      readHeader(datagram, packet) &&
      this.#understands(packet.payloadType) &&
      // Strangers are turned away before their packets cost a hash, and nobody latches without the key.
      (!this.#srtp || (latch.considers(packet, from, nowMs) && this.#srtp.unprotect(datagram, packet))) &&
      removePadding(datagram, packet) &&
      latch.accepts(packet, from, nowMs);
    if (!accepted) {
      this.#refused++;
      return false;
    }
    this.#received++;
    this.reception.received(packet, nowMs, packet.payloadType !== this.#dtmfPayloadType);
    return true;
  }

  /** The peer's source, once no other one can take its place. */
  settled(nowMs: number): Source | undefined {
    return this.#latch?.settled(nowMs);
  }

  #understands(payloadType: number): boolean {
    return payloadType === 0 || payloadType === 8 || payloadType === this.#dtmfPayloadType;
  }
}
