// A clock that stands still until told otherwise; timers fire in order of their time, then of their setting.
import type { Clock, Timer } from '../../src/lib/clock.ts';

interface FakeTimer {
  dueMs: number;
  task: () => void;
}

export class FakeClock implements Clock {
  readonly #timers = new Set<FakeTimer>();
  #nowMs: number;

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void): Timer {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), task };
    this.#timers.add(timer);
    return timer;
  }

  cancel(timer: Timer | undefined): void {
    if (timer) this.#timers.delete(timer as FakeTimer);
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** When the next timer is due; undefined where none is set. */
  get nextMs(): number | undefined {
    return this.#nextDue(Number.POSITIVE_INFINITY)?.dueMs;
  }

  /** Moves time on by `ms`, firing every timer that falls due, also those set on the way. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let next = this.#nextDue(endMs); next; next = this.#nextDue(endMs)) {
      this.#timers.delete(next);
      this.#nowMs = next.dueMs;
      next.task();
    }
    this.#nowMs = endMs;
  }

  #nextDue(endMs: number): FakeTimer | undefined {
    let first: FakeTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= endMs && (!first || timer.dueMs < first.dueMs)) first = timer;
    }
    return first;
  }
}
