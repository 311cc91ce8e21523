// Pings on connections that this side opened: a flow whose peer has gone is found before a call needs it (RFC 5626 §4.4.1).
import type { Clock, Timer } from '../../lib/clock.ts';

export const PING = '\r\n\r\n';
export const PONG = '\r\n';

export interface KeepAliveOptions {
  readonly clock: Clock;
  /** From one ping to the next. */
  readonly pingMs: number;
  /** From a ping to the peer's word of any kind. */
  readonly pongMs: number;
  readonly ping: () => void;
  readonly lost: () => void;
}

/**
 * Pings again and again from when it is made until it is stopped. Who never sent a pong may know of none, and is left in peace; who did
 * and then keeps silent is lost.
 */
export class KeepAlive {
  readonly #options: KeepAliveOptions;
  #pingTimer: Timer | undefined;
  #pongTimer: Timer | undefined;
  #isAwaiting = false;
  #hasPonged = false;

  constructor(options: KeepAliveOptions) {
    this.#options = options;
    this.#wait();
  }

  /** Whether the next empty line is a pong. */
  get isAwaiting(): boolean {
    return this.#isAwaiting;
  }

  /** The peer said something. */
  heard(isPong: boolean): void {
    this.#options.clock.cancel(this.#pongTimer);
    if (!isPong) return;
    this.#isAwaiting = false;
    this.#hasPonged = true;
  }

  stop(): void {
    this.#options.clock.cancel(this.#pingTimer);
    this.#options.clock.cancel(this.#pongTimer);
  }

  #wait(): void {
    this.#pingTimer = this.#options.clock.after(this.#options.pingMs, () => this.#ping());
  }

  #ping(): void {
    const { clock, pongMs, ping, lost } = this.#options;
    this.#wait();
    this.#isAwaiting = true;
    if (this.#hasPonged) this.#pongTimer = clock.after(pongMs, lost);
    ping();
  }
}
