// The 2xx to an INVITE, sent again and again until its ACK comes (RFC 3261 §13.3.1.4).

import { lifetimeMs, type Timers } from '../timers.ts';
import { END, SEND, type Step, set, stay, TIMED_OUT, type TimerInput } from '../transaction/machine.ts';

export interface SuccessResponseState {
  readonly phase: 'initial' | 'unacknowledged' | 'over';
  readonly intervalMs: number;
}

export type SuccessResponseInput = { readonly type: 'start' } | { readonly type: 'ack' } | TimerInput;

export const SUCCESS_RESPONSE: SuccessResponseState = { phase: 'initial', intervalMs: 0 };

/** The first copy is sent by the transaction, so `start` only sets the timers. */
export function stepSuccessResponse(
  state: SuccessResponseState,
  input: SuccessResponseInput,
  timers: Timers,
): Step<SuccessResponseState> {
  if (state.phase === 'initial' && input.type === 'start') {
    return stay(
      { phase: 'unacknowledged', intervalMs: timers.t1Ms },
      set('resend', timers.t1Ms),
      set('unacknowledged', lifetimeMs(timers)),
    );
  }
  if (state.phase !== 'unacknowledged') return stay(state);
  if (input.type === 'ack') return stay({ ...state, phase: 'over' }, END);
  if (input.type !== 'timer') return stay(state);
  if (input.timer === 'unacknowledged') return stay({ ...state, phase: 'over' }, TIMED_OUT, END);
  const intervalMs = Math.min(state.intervalMs * 2, timers.t2Ms);
  return stay({ ...state, intervalMs }, SEND, set('resend', intervalMs));
}
