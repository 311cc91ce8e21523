// What one account has to tell one host: so many at once, so many in memory, and the rest stays in the outbox. Pure.
import type { Timer } from '../../lib/clock.ts';

/** Requests under way at once to a host, for one account. */
export const MAX_ACTIVE = 16;
/** Callbacks of a lane in memory; of these, such that wait for another try. */
const MAX_HELD = 1000;
const MAX_RETRYING = 500;
/** Of all lanes together. Beyond, each lane keeps no more than it has under way. */
const MAX_TOTAL = 20_000;

/** Counted by the sender. */
export interface Lane {
  readonly name: string;
  /** In memory: waiting for their turn, under way, or for another try. */
  held: number;
  retrying: number;
  /** More wait in the outbox: what comes new goes behind them. */
  isOver: boolean;
  /** Whether the outbox is being asked. */
  isRefilling: boolean;
  /** How often something was left to the outbox. */
  shed: number;
  /** When the outbox is asked for what it alone holds. */
  nap: { readonly timer: Timer; readonly atMs: number } | undefined;
}

export const newLane = (name: string): Lane => ({
  name,
  held: 0,
  retrying: 0,
  isOver: false,
  isRefilling: false,
  shed: 0,
  nap: undefined,
});

/** Nothing is known of the lane that a new one would not know. */
export const isIdle = ({ held, isOver, isRefilling, nap }: Lane): boolean =>
  held === 0 && !isOver && !isRefilling && nap === undefined;

/** How many more the lane takes into memory. */
export const roomOf = ({ held }: Lane, total: number): number =>
  Math.max(0, (total >= MAX_TOTAL ? MAX_ACTIVE : MAX_HELD) - held);

/** Whether another retry may wait in memory. */
export const takesRetry = ({ isOver, retrying }: Lane): boolean => !isOver && retrying < MAX_RETRYING;

/** Whether it is time to ask the outbox: half of what was taken is done. */
export const wantsMore = (lane: Lane, total: number): boolean =>
  lane.isOver && !lane.isRefilling && (lane.held === 0 || roomOf(lane, total) >= MAX_HELD / 2);
