// One direction of a recording: packets laid down by their timestamps, read off evenly; what never came is silence.

/** Reading stays so far behind, so that jitter is not heard. */
export const HOLD_SAMPLES = 2000; // 250 ms
const CAPACITY = 16_000;
/** A packet that would lie further ahead than this comes from another timeline. */
const MAX_AHEAD = 8000;

export class TrackBuffer {
  readonly #ring = new Int16Array(CAPACITY);
  #read = 0;
  #offset: number | undefined;
  #ssrc = -1;

  /**
   * Puts samples where their timestamp says, next to those before; a new source, or one whose clock jumped, at `now`.
   * @param now Position that is due to arrive about now.
   */
  write(samples: Int16Array, packet: { timestamp: number; ssrc: number; count: number }, now: number): void {
    let position = this.#positionOf(packet);
    if (position === undefined || position < this.#read || position > now + MAX_AHEAD) {
      // A packet from long ago begins a new timeline too: the network has become slower.
      position = Math.max(now, this.#read);
      this.#offset = (position - packet.timestamp) | 0;
      this.#ssrc = packet.ssrc;
    }
    const count = Math.min(packet.count, CAPACITY - (position - this.#read));
    for (let at = 0; at < count; at++) this.#ring[(position + at) % CAPACITY] = samples[at] as number;
  }

  /** Takes the next samples. */
  read(samples: Int16Array): void {
    for (let at = 0; at < samples.length; at++) {
      const from = (this.#read + at) % CAPACITY;
      samples[at] = this.#ring[from] as number;
      this.#ring[from] = 0;
    }
    this.#read += samples.length;
  }

  /** Timestamps wrap around; positions do not, within the twelve hours either way that 32 bits hold from the last one. */
  #positionOf({ timestamp, ssrc }: { timestamp: number; ssrc: number }): number | undefined {
    if (this.#offset === undefined || ssrc !== this.#ssrc) return undefined;
    const ahead = (timestamp + this.#offset - this.#read) | 0;
    return this.#read + ahead;
  }
}
