// Carries one stream's timestamps over to another: the same steps, from where the other's beat is.

/** A source this far from our beat has jumped, or has drifted for hours. */
const MAX_DRIFT = 16_000; // 2 s at 8 kHz

export class RelayClock {
  #ssrc = -1;
  #offset = 0;
  #restarted = false;
  /** The telephone-event that came last. */
  #event = { ssrc: -1, source: 0, mapped: 0 };

  /** Whether the last packet began anew: it is then to be marked. */
  get restarted(): boolean {
    return this.#restarted;
  }

  /** The next packet begins anew. */
  reset(): void {
    this.#ssrc = -1;
  }

  /**
   * @param now Our own timestamp of this moment.
   * @param event Of a telephone-event: it keeps its first packet's timestamp, however long it lasts.
   */
  map(packet: { ssrc: number; timestamp: number }, now: number, event: boolean): number {
    const { ssrc, source, mapped } = this.#event;
    if (event && packet.ssrc === ssrc && packet.timestamp === source) {
      // Also after a reset: with another timestamp the rest of a press would be a press of its own (RFC 4733 §2.5.1.2).
      this.#restarted = false;
      return mapped;
    }
    const timestamp = this.#carry(packet, now, event);
    if (event) this.#event = { ssrc: packet.ssrc, source: packet.timestamp, mapped: timestamp };
    return timestamp;
  }

  #carry(packet: { ssrc: number; timestamp: number }, now: number, event: boolean): number {
    const drift = (packet.timestamp + this.#offset - now) | 0;
    this.#restarted = packet.ssrc !== this.#ssrc || (!event && Math.abs(drift) > MAX_DRIFT);
    if (this.#restarted) {
      this.#ssrc = packet.ssrc;
      this.#offset = (now - packet.timestamp) | 0;
    }
    return (packet.timestamp + this.#offset) >>> 0;
  }
}
