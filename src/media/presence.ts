// Whether a peer is still there, by what comes from it. Pure.
import { FRAME_MS } from './pacer.ts';

export class Presence {
  readonly #limitFrames: number;
  #packets = -1;
  /** The beat at which something was last known to have come, or nothing was to be expected. */
  #since = 0;
  #isLost = false;

  /** @param limitMs for how long nothing may come; 0: for ever. */
  constructor(limitMs: number) {
    this.#limitFrames = limitMs > 0 ? Math.ceil(limitMs / FRAME_MS) : Number.POSITIVE_INFINITY;
  }

  /**
   * True once, when the limit is over; again after something has come.
   * @param packets all that have come so far, RTP and RTCP
   * @param isExpected false while the peer is held: then it may send nothing
   */
  isLost(frame: number, packets: number, isExpected: boolean): boolean {
    if (packets !== this.#packets || !isExpected) {
      this.#packets = packets;
      this.#since = frame;
      this.#isLost = false;
      return false;
    }
    if (this.#isLost || frame - this.#since < this.#limitFrames) return false;
    this.#isLost = true;
    return true;
  }
}
