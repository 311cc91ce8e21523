// The base times of RFC 3261 §17.1.1.1 (table 4); everything else is a multiple of them.

export interface Timers {
  /** Round-trip estimate. */
  readonly t1Ms: number;
  /** Longest interval between retransmissions of non-INVITE requests and INVITE responses. */
  readonly t2Ms: number;
  /** How long a message may stay in the network. */
  readonly t4Ms: number;
  /** Over TCP and TLS nothing is sent twice (timers A, E, G), and nothing late is waited for (D, I, J, K). */
  readonly isReliable: boolean;
}

export const RFC_TIMERS: Timers = { t1Ms: 500, t2Ms: 4000, t4Ms: 5000, isReliable: false };

/** 64·T1: timers B, F, H, L and M, and over an unreliable transport D and J. */
export const lifetimeMs = (timers: Timers): number => 64 * timers.t1Ms;

/** How long an ended transaction waits for what is late: not at all over a reliable transport. */
export const lingerMs = (timers: Timers, ms: number): number => (timers.isReliable ? 0 : ms);
