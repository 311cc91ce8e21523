// A bounded queue between a peer's uneven packets and our even clock: what `echo` sends back.

/** Waits for so many frames before the first leaves, so that jitter of one frame is not heard. */
const STARTING_FRAMES = 2;
const MAX_FRAMES = 10;

export class SampleQueue {
  readonly #ring: Int16Array;
  readonly #frameSamples: number;
  #read = 0;
  #length = 0;
  #flowing = false;

  constructor(frameSamples: number) {
    this.#frameSamples = frameSamples;
    this.#ring = new Int16Array(frameSamples * MAX_FRAMES);
  }

  /** Appends `samples[0, count)`; the oldest are dropped when the queue is full. */
  push(samples: Int16Array, count: number): void {
    const size = this.#ring.length;
    for (let at = Math.max(0, count - size); at < count; at++) {
      this.#ring[(this.#read + this.#length) % size] = samples[at] as number;
      if (this.#length === size) this.#read = (this.#read + 1) % size;
      else this.#length++;
    }
  }

  /** Fills `frame`; false when too little is queued, and then the queue gathers anew. */
  take(frame: Int16Array): boolean {
    const wanted = this.#flowing ? this.#frameSamples : this.#frameSamples * STARTING_FRAMES;
    this.#flowing = this.#length >= wanted;
    if (!this.#flowing) return false;
    for (let at = 0; at < frame.length; at++)
      frame[at] = this.#ring[(this.#read + at) % this.#ring.length] as number;
    this.#read = (this.#read + frame.length) % this.#ring.length;
    this.#length -= frame.length;
    return true;
  }

  clear(): void {
    this.#length = 0;
    this.#flowing = false;
  }
}
