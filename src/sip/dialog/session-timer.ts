// The session timer of one dialog (RFC 4028 §10): says when to refresh, and when to give up.
import type { Clock, Timer } from '../../lib/clock.ts';
import { dueMs, type SessionInterval } from './session-interval.ts';

interface SessionTimerOptions {
  readonly clock: Clock;
  /** It is our turn to refresh. */
  readonly refresh: () => void;
  /** No refresh came in time. */
  readonly expired: () => void;
}

export class SessionTimer {
  readonly #options: SessionTimerOptions;
  #interval: SessionInterval | undefined;
  #timer: Timer | undefined;

  constructor(options: SessionTimerOptions) {
    this.#options = options;
  }

  /** What was agreed last; undefined without a session timer. */
  get interval(): SessionInterval | undefined {
    return this.#interval;
  }

  /** The session was set up or refreshed. */
  restart(interval: SessionInterval | undefined): void {
    this.stop();
    this.#interval = interval;
    if (!interval) return;
    const { expired } = this.#options;
    this.#wait(dueMs(interval), interval.refresher === 'us' ? () => this.#refresh(interval) : expired);
  }

  stop(): void {
    this.#options.clock.cancel(this.#timer);
  }

  /** Half of the interval is left for the refresh to succeed in. */
  #refresh({ expiresS }: SessionInterval): void {
    const { refresh, expired } = this.#options;
    this.#wait(dueMs({ expiresS: expiresS / 2, refresher: 'them' }), expired);
    refresh();
  }

  #wait(delayMs: number, task: () => void): void {
    this.#timer = this.#options.clock.after(delayMs, task);
  }
}
