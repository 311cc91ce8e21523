// What a receiver counts of one source: packets expected and lost (RFC 3550 A.3), jitter of their arrival (A.8).

const TICKS_PER_MS = 8; // RTP timestamps of 8 kHz
/** The jitter is kept in whole parts of a tick: a fraction would be an object of its own, to be fetched for every packet. */
const JITTER_PARTS = 1024;
/** Where a stream's timestamps jump further, the jitter says nothing anyway: two minutes. */
const MAX_DIFFERENCE = 2 ** 20 - 1;

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
  #hasSource = false;
  #ssrc = 0; // signed
  #firstSequence = 0;
  #highest = 0;
  #received = 0;
  /** Between a packet's timestamp and its arrival, modulo 2^32; only differences mean anything. */
  #transit = 0;
  #hasTransit = false;
  #jitter = 0;
  /** Of the sources before. */
  #lostBefore = 0;
  #reportedExpected = 0;
  #reportedReceived = 0;

  /** A packet that was accepted, in order of sequence. */
  received(
    packet: { ssrc: number; sequence: number; timestamp: number },
    nowMs: number,
    audio: boolean,
  ): void {
    if ((packet.ssrc | 0) !== this.#ssrc || !this.#hasSource) this.#restart(packet);
    this.#received++;
    this.#highest += (packet.sequence - this.#highest) & 0xffff;
    // Every packet of a telephone-event has its first one's timestamp: it says nothing about arrival.
    if (audio) this.#measureArrival(packet.timestamp, nowMs);
  }

  get lost(): number {
    return this.#lostBefore + this.#missing;
  }

  get jitterMs(): number {
    return this.#jitter / JITTER_PARTS / TICKS_PER_MS;
  }

  /** Undefined until something was received; the next one's fraction counts from here. */
  report(): ReceptionReport | undefined {
    if (!this.#hasSource) return undefined;
    const expected = this.#expected - this.#reportedExpected;
    const missing = expected - (this.#received - this.#reportedReceived);
    this.#reportedExpected = this.#expected;
    this.#reportedReceived = this.#received;
    return {
      ssrc: this.#ssrc >>> 0,
      fractionLost: expected > 0 && missing > 0 ? Math.min(255, Math.floor((missing * 256) / expected)) : 0,
      lost: this.#missing,
      highestSequence: this.#highest,
      jitter: Math.floor(this.#jitter / JITTER_PARTS),
    };
  }

  get #expected(): number {
    return !this.#hasSource ? 0 : this.#highest - this.#firstSequence + 1;
  }

  get #missing(): number {
    return Math.max(0, this.#expected - this.#received);
  }

  #restart({ ssrc, sequence }: { ssrc: number; sequence: number }): void {
    this.#lostBefore += this.#missing;
    this.#hasSource = true;
    this.#ssrc = ssrc | 0;
    this.#firstSequence = sequence;
    this.#highest = sequence;
    this.#received = 0;
    this.#hasTransit = false;
    this.#jitter = 0;
    this.#reportedExpected = 0;
    this.#reportedReceived = 0;
  }

  #measureArrival(timestamp: number, nowMs: number): void {
    const transit = (Math.round(nowMs * TICKS_PER_MS) - timestamp) | 0;
    if (this.#hasTransit) {
      const difference = Math.min(Math.abs((transit - this.#transit) | 0), MAX_DIFFERENCE);
      this.#jitter += Math.round((difference * JITTER_PARTS - this.#jitter) / 16);
    }
    this.#transit = transit;
    this.#hasTransit = true;
  }
}
