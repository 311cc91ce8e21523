// What a receiver counts of one source: packets expected and lost (RFC 3550 A.3), jitter of their arrival (A.8).

const TICKS_PER_MS = 8; // RTP timestamps of 8 kHz

/** A report block's figures about one source. */
export interface ReceptionReport {
  readonly ssrc: number;
  /** Of 256, since the last report. */
  readonly fractionLost: number;
  readonly lost: number;
  readonly highestSequence: number;
  /** In timestamp units. */
  readonly jitter: number;
}

export class Reception {
  #ssrc = -1;
  #firstSequence = 0;
  #highest = 0;
  #received = 0;
  /** Between a packet's timestamp and its arrival, modulo 2^32; only differences mean anything. */
  #transit = 0;
  #hasTransit = false;
  #jitter = 0;
  /** Of the sources before. */
  #lostBefore = 0;
  #reported = { expected: 0, received: 0 };

  /** A packet that was accepted, in order of sequence. */
  received(
    packet: { ssrc: number; sequence: number; timestamp: number },
    nowMs: number,
    audio: boolean,
  ): void {
    if (packet.ssrc !== this.#ssrc) this.#restart(packet);
    this.#received++;
    this.#highest += (packet.sequence - this.#highest) & 0xffff;
    // Every packet of a telephone-event has its first one's timestamp: it says nothing about arrival.
    if (audio) this.#measureArrival(packet.timestamp, nowMs);
  }

  get lost(): number {
    return this.#lostBefore + this.#missing;
  }

  get jitterMs(): number {
    return this.#jitter / TICKS_PER_MS;
  }

  /** Undefined until something was received; the next one's fraction counts from here. */
  report(): ReceptionReport | undefined {
    if (this.#ssrc < 0) return undefined;
    const expected = this.#expected - this.#reported.expected;
    const missing = expected - (this.#received - this.#reported.received);
    this.#reported = { expected: this.#expected, received: this.#received };
    return {
      ssrc: this.#ssrc,
      fractionLost: expected > 0 && missing > 0 ? Math.min(255, Math.floor((missing * 256) / expected)) : 0,
      lost: this.#missing,
      highestSequence: this.#highest,
      jitter: Math.floor(this.#jitter),
    };
  }

  get #expected(): number {
    return this.#ssrc < 0 ? 0 : this.#highest - this.#firstSequence + 1;
  }

  get #missing(): number {
    return Math.max(0, this.#expected - this.#received);
  }

  #restart({ ssrc, sequence }: { ssrc: number; sequence: number }): void {
    this.#lostBefore += this.#missing;
    this.#ssrc = ssrc;
    this.#firstSequence = sequence;
    this.#highest = sequence;
    this.#received = 0;
    this.#hasTransit = false;
    this.#jitter = 0;
    this.#reported = { expected: 0, received: 0 };
  }

  #measureArrival(timestamp: number, nowMs: number): void {
    const transit = (Math.round(nowMs * TICKS_PER_MS) - timestamp) | 0;
    if (this.#hasTransit) {
      const difference = Math.abs((transit - this.#transit) | 0);
      this.#jitter += (difference - this.#jitter) / 16;
    }
    this.#transit = transit;
    this.#hasTransit = true;
  }
}
