// The real clock, counting the timers that are set: how a test sees that a call leaves none behind.
import { type Clock, systemClock, type Timer } from '../../src/lib/clock.ts';

export class CountingClock implements Clock {
  readonly #live = new Set<Timer>();

  now = systemClock.now;
  monotonic = systemClock.monotonic;

  after(delayMs: number, task: () => void): Timer {
    const timer = systemClock.after(delayMs, () => {
      this.#live.delete(timer);
      task();
    });
    this.#live.add(timer);
    return timer;
  }

  cancel(timer: Timer | undefined): void {
    if (timer) this.#live.delete(timer);
    systemClock.cancel(timer);
  }

  get pending(): number {
    return this.#live.size;
  }
}
