// Time as a port: state machines and shells take a Clock, tests hand them a fake one.

/** A timer that was set; opaque to its owner. */
export type Timer = object;

export interface Clock {
  /** Wall-clock time in milliseconds since the epoch. */
  now(): number;
  /** Milliseconds on a clock that never jumps; only differences mean anything. */
  monotonic(): number;
  /** Runs `task` once after `delayMs`. */
  after(delayMs: number, task: () => void): Timer;
  /** Cancels a timer; one that has fired, or `undefined`, is ignored. */
  cancel(timer: Timer | undefined): void;
}

/**
 * The time of one thing that lasts: milliseconds since the epoch that go on steadily from `startMs`, also where the wall
 * clock is set.
 */
export function steadyTime(clock: Pick<Clock, 'monotonic'>, startMs: number): () => number {
  const offsetMs = startMs - clock.monotonic();
  return () => Math.round(offsetMs + clock.monotonic());
}

/** So late a timer was held up by this process itself, in which nothing was read either. */
const HELD_UP_MS = 50;

/** A timer of the system that may have been put off. */
class SystemTimer {
  #handle: NodeJS.Timeout | NodeJS.Immediate;

  constructor(delayMs: number, task: () => void) {
    const dueMs = performance.now() + delayMs;
    this.#handle = setTimeout(() => {
      if (performance.now() - dueMs < HELD_UP_MS) return task();
      this.#handle = setImmediate(task);
    }, delayMs);
  }

  cancel(): void {
    clearTimeout(this.#handle as NodeJS.Timeout);
    clearImmediate(this.#handle as NodeJS.Immediate);
  }
}

/** Where a timer rings late, what has arrived meanwhile is read first: an answer in time is not taken for silence. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, task) => new SystemTimer(delayMs, task),
  cancel: (timer) => (timer as SystemTimer | undefined)?.cancel(),
};
