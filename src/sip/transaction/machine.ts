// What the transaction machines have in common: their actions, and how a step is written.
import type { Timers } from '../timers.ts';

/**
 * The timers of RFC 3261 §17 and RFC 6026 by their letters. `cancel` bounds the wait after giving up (§9.1),
 * `overdue` that for a user who never answers, `resend` and `unacknowledged` are those of a 2xx (§13.3.1.4).
 */
export type TimerName =
  | 'A'
  | 'B'
  | 'D'
  | 'E'
  | 'F'
  | 'G'
  | 'H'
  | 'I'
  | 'J'
  | 'K'
  | 'L'
  | 'M'
  | 'cancel'
  | 'overdue'
  | 'resend'
  | 'unacknowledged';

export type Action =
  /** Send the request, or the last response, (again). */
  | { readonly type: 'send' }
  /** Send the ACK of a non-2xx response. */
  | { readonly type: 'ack' }
  /** Send CANCEL. */
  | { readonly type: 'cancel' }
  /** Hand the message of this input to the transaction's user. */
  | { readonly type: 'pass' }
  | { readonly type: 'set'; readonly timer: TimerName; readonly delayMs: number }
  | { readonly type: 'stop'; readonly timer: TimerName }
  | { readonly type: 'fail'; readonly why: 'timeout' | 'transport'; readonly message: string }
  /** The transaction is over; all its timers stop. */
  | { readonly type: 'end' };

/** The actions that concern the shell's owner: timers are the shell's own matter. */
export type OwnerAction = Exclude<Action, { type: 'set' | 'stop' }>;

export type TimerInput = { readonly type: 'timer'; readonly timer: TimerName };

export type ClientInput =
  | { readonly type: 'start' }
  /** The user gave the INVITE up; nothing to a non-INVITE transaction. */
  | { readonly type: 'abandon' }
  | { readonly type: 'response'; readonly status: number }
  | { readonly type: 'transport-error'; readonly message: string }
  | TimerInput;

export type ServerInput =
  /** The request again. */
  | { readonly type: 'request' }
  | { readonly type: 'ack' }
  /** Nobody may answer this at all. */
  | { readonly type: 'await' }
  /** The user's response. */
  | { readonly type: 'respond'; readonly status: number }
  | TimerInput;

export interface Step<State> {
  readonly state: State;
  readonly actions: readonly Action[];
}

const NOTHING: readonly Action[] = [];

export const SEND: Action = { type: 'send' };
export const ACK: Action = { type: 'ack' };
export const CANCEL: Action = { type: 'cancel' };
export const PASS: Action = { type: 'pass' };
export const END: Action = { type: 'end' };
export const TIMED_OUT: Action = { type: 'fail', why: 'timeout', message: '' };

export const unsent = (message: string): Action => ({ type: 'fail', why: 'transport', message });
export const set = (timer: TimerName, delayMs: number): Action => ({ type: 'set', timer, delayMs });
/** Sets the first timer of a retransmission, where the transport may lose anything. */
export const repeat = (timers: Timers, timer: TimerName, delayMs: number): readonly Action[] =>
  timers.isReliable ? NOTHING : [set(timer, delayMs)];
export const stop = (timer: TimerName): Action => ({ type: 'stop', timer });
export const stay = <State>(state: State, ...actions: Action[]): Step<State> => ({
  state,
  actions: actions.length ? actions : NOTHING,
});
