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

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, task) => setTimeout(task, delayMs),
  cancel: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
};
