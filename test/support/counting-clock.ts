// The real clock, counting the timers that are set: how a test sees that a call leaves none behind.
import { type Clock, systemClock, type Timer } from '../../src/lib/clock.ts';

export class CountingClock implements Clock {
  readonly #live = new Map<Timer, () => void>();

  now = systemClock.now;
  monotonic = systemClock.monotonic;

  after(delayMs: number, task: () => void): Timer {
    const timer = systemClock.after(delayMs, () => {
      this.#live.delete(timer);
      task();
    });
    this.#live.set(timer, task);
    return timer;
  }

  cancel(timer: Timer | undefined): void {
    if (timer) this.#live.delete(timer);
    systemClock.cancel(timer);
  }

  /** Fires every timer that is set now, as if its time had come. */
  hurry(): void {
    const setNow = [...this.#live];
    for (const [timer, task] of setNow) {
      if (!this.#live.has(timer)) continue;
      this.cancel(timer);
      task();
    }
  }

  get pending(): number {
    return this.#live.size;
  }
}
