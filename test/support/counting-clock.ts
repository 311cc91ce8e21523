// The real clock, counting the timers that are set: how a test sees that a call leaves none behind.
import { type Clock, systemClock, type Timer } from '../../src/lib/clock.ts';

export class CountingClock implements Clock {
  readonly #live = new Map<Timer, { readonly delayMs: number; readonly task: () => void }>();

  #setMs = 0;

  monotonic = systemClock.monotonic;

  now(): number {
    return systemClock.now() + this.#setMs;
  }

  /** Sets the wall clock, as somebody who corrects it does. */
  set(byMs: number): void {
    this.#setMs += byMs;
  }

  after(delayMs: number, task: () => void): Timer {
    const timer = systemClock.after(delayMs, () => {
      this.#live.delete(timer);
      task();
    });
    this.#live.set(timer, { delayMs, task });
    return timer;
  }

  cancel(timer: Timer | undefined): void {
    if (timer) this.#live.delete(timer);
    systemClock.cancel(timer);
  }

  /** Fires every timer that is set now, or those of one delay, as if their time had come; says how many. */
  hurry(ofMs?: number): number {
    const setNow = [...this.#live].filter(([, { delayMs }]) => ofMs === undefined || delayMs === ofMs);
    for (const [timer, { task }] of setNow) {
      if (!this.#live.has(timer)) continue;
      this.cancel(timer);
      task();
    }
    return setNow.length;
  }

  get pending(): number {
    return this.#live.size;
  }
}
