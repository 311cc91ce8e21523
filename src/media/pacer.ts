// When frames are due: every 20 ms counted from one start, so that late timers never add up.

export const FRAME_MS = 20;

/** After a stall, at most so many frames leave at once; older ones are never sent. */
const MAX_BURST = 5;

export class Pacer {
  readonly #startMs: number;
  #next = 1;

  /** @param startMs Reading of a clock that never jumps; the first frame is due one interval later. */
  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  /** Number of the last frame that was due. */
  get frame(): number {
    return this.#next - 1;
  }

  /** Milliseconds from `nowMs` until the next frame is due; 0 where it is late. */
  delayMs(nowMs: number): number {
    return Math.max(0, this.#startMs + this.#next * FRAME_MS - nowMs);
  }

  /** Numbers of the frames due by `nowMs`, `[first, end)`; a gap to the range before was a stall. */
  due(nowMs: number): { readonly first: number; readonly end: number } {
    const end = Math.max(this.#next, Math.floor((nowMs - this.#startMs) / FRAME_MS) + 1);
    const first = Math.max(this.#next, end - MAX_BURST);
    this.#next = end;
    return { first, end };
  }
}
