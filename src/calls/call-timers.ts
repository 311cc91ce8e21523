// What the clock does to a call that is up: its record's heartbeat, and the end at its time limit.
import type { Clock, Timer } from '../lib/clock.ts';

/** How often a live call's record says that it is alive: after a crash, its duration is known this exactly. */
const HEARTBEAT_MS = 10_000;

interface CallTimersGivens {
  readonly clock: Clock;
  /** The time that the call's record goes by. */
  readonly now: () => number;
  readonly beat: () => void;
  readonly tooLong: (limitS: number) => void;
}

export class CallTimers {
  readonly #givens: CallTimersGivens;
  #limitS: number;
  /** Undefined until it is up. */
  #answeredAtMs: number | undefined;
  #limit: Timer | undefined;
  #heartbeat: Timer | undefined;

  constructor(givens: CallTimersGivens, limitS: number) {
    this.#givens = givens;
    this.#limitS = limitS;
  }

  connected(answeredAtMs: number): void {
    this.#answeredAtMs = answeredAtMs;
    this.#arm();
    this.#beatLater();
  }

  /** Counts from the answer, also where it is changed later. */
  setLimit(limitS: number): void {
    this.#limitS = limitS;
    this.#arm();
  }

  stop(): void {
    const { clock } = this.#givens;
    this.#answeredAtMs = undefined;
    clock.cancel(this.#limit);
    clock.cancel(this.#heartbeat);
  }

  #arm(): void {
    const { clock, now, tooLong } = this.#givens;
    if (this.#answeredAtMs === undefined) return;
    clock.cancel(this.#limit);
    const leftMs = this.#answeredAtMs + this.#limitS * 1000 - now();
    this.#limit = clock.after(Math.max(0, leftMs), () => tooLong(this.#limitS));
  }

  #beatLater(): void {
    const { clock, beat } = this.#givens;
    this.#heartbeat = clock.after(HEARTBEAT_MS, () => {
      beat();
      this.#beatLater();
    });
  }
}
