// Time that is measured in pieces, by the clock that never jumps.
import type { Clock } from '../../lib/clock.ts';

export class Stopwatch {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #beforeMs = 0;
  /** Since when it runs; undefined while it stands. */
  #sinceMs: number | undefined;

  /** Runs at once. */
  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.start();
  }

  /** All pieces together. */
  get ms(): number {
    return this.#beforeMs + (this.#sinceMs === undefined ? 0 : this.#clock.monotonic() - this.#sinceMs);
  }

  start(): void {
    this.#sinceMs ??= this.#clock.monotonic();
  }

  stop(): void {
    this.#beforeMs = this.ms;
    this.#sinceMs = undefined;
  }
}
