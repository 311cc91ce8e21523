// Carries one stream's timestamps over to another: the same steps, from where the other's beat is.

/** A source this far from our beat has jumped, or has drifted for hours. */
const MAX_DRIFT = 16_000; // 2 s at 8 kHz

export class RelayClock {
  // 32 bits are kept signed: larger numbers would be objects of their own, to be fetched for every packet.
  #isOn = false;
  #ssrc = 0;
  #offset = 0;
  #restarted = false;
  /** The telephone-event that came last. */
  #hasEvent = false;
  #eventSsrc = 0;
  #eventSource = 0;
  #eventMapped = 0;

  /** Whether the last packet began anew: it is then to be marked. */
  get restarted(): boolean {
    return this.#restarted;
  }

  /** The next packet begins anew. */
  reset(): void {
    this.#isOn = false;
  }

  /**
   * @param now Our own timestamp of this moment.
   * @param event Of a telephone-event: it keeps its first packet's timestamp, however long it lasts.
   */
  map(packet: { ssrc: number; timestamp: number }, now: number, event: boolean): number {
    if (event && this.#isSameEvent(packet)) {
      // Also after a reset: with another timestamp the rest of a press would be a press of its own (RFC 4733 §2.5.1.2).
      this.#restarted = false;
      return this.#eventMapped >>> 0;
    }
    const timestamp = this.#carry(packet, now, event);
    if (event) this.#keepEvent(packet, timestamp);
    return timestamp;
  }

  #isSameEvent({ ssrc, timestamp }: { ssrc: number; timestamp: number }): boolean {
    return this.#hasEvent && (ssrc | 0) === this.#eventSsrc && (timestamp | 0) === this.#eventSource;
  }

  #keepEvent({ ssrc, timestamp }: { ssrc: number; timestamp: number }, mapped: number): void {
    this.#hasEvent = true;
    this.#eventSsrc = ssrc | 0;
    this.#eventSource = timestamp | 0;
    this.#eventMapped = mapped | 0;
  }

  #carry(packet: { ssrc: number; timestamp: number }, now: number, event: boolean): number {
    const drift = (packet.timestamp + this.#offset - now) | 0;
    this.#restarted =
      !this.#isOn || (packet.ssrc | 0) !== this.#ssrc || (!event && Math.abs(drift) > MAX_DRIFT);
    if (this.#restarted) {
      this.#isOn = true;
      this.#ssrc = packet.ssrc | 0;
      this.#offset = (now - packet.timestamp) | 0;
    }
    return (packet.timestamp + this.#offset) >>> 0;
  }
}
