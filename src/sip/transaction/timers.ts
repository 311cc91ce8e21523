// The base times of RFC 3261 §17.1.1.1 (table 4); everything else is a multiple of them.

export interface Timers {
  /** Round-trip estimate. */
  readonly t1Ms: number;
  /** Longest interval between retransmissions of non-INVITE requests and INVITE responses. */
  readonly t2Ms: number;
  /** How long a message may stay in the network. */
  readonly t4Ms: number;
}

export const RFC_TIMERS: Timers = { t1Ms: 500, t2Ms: 4000, t4Ms: 5000 };

/** 64·T1: timers B, D, F, H, J, L and M over an unreliable transport. */
export const lifetimeMs = (timers: Timers): number => 64 * timers.t1Ms;
