// The non-INVITE client transaction (RFC 3261 §17.1.2 fig. 6).
//
//   trying ──1xx──▶ proceeding ──final──▶ completed ──K──▶ terminated

import { lifetimeMs, lingerMs, type Timers } from '../timers.ts';
import {
  type ClientInput,
  END,
  PASS,
  repeat,
  SEND,
  type Step,
  set,
  stay,
  stop,
  TIMED_OUT,
  unsent,
} from './machine.ts';

export interface NonInviteClientState {
  readonly phase: 'initial' | 'trying' | 'proceeding' | 'completed' | 'terminated';
  /** Interval of timer E. */
  readonly intervalMs: number;
}

export const NON_INVITE_CLIENT: NonInviteClientState = { phase: 'initial', intervalMs: 0 };

type Result = Step<NonInviteClientState>;

// Many transactions are in these at once, and have nothing to tell apart: they share them.
const COMPLETED: NonInviteClientState = { ...NON_INVITE_CLIENT, phase: 'completed' };
const TERMINATED: NonInviteClientState = { ...NON_INVITE_CLIENT, phase: 'terminated' };

export function stepNonInviteClient(state: NonInviteClientState, input: ClientInput, timers: Timers): Result {
  switch (state.phase) {
    case 'initial':
      if (input.type !== 'start') return stay(state);
      return stay(
        { phase: 'trying', intervalMs: timers.t1Ms },
        SEND,
        ...repeat(timers, 'E', timers.t1Ms),
        set('F', lifetimeMs(timers)),
      );
    case 'trying':
    case 'proceeding':
      return unanswered(state, input, timers);
    case 'completed':
      return input.type === 'timer' && input.timer === 'K' ? terminate() : stay(state);
    case 'terminated':
      return stay(state);
  }
}

function unanswered(state: NonInviteClientState, input: ClientInput, timers: Timers): Result {
  if (input.type === 'transport-error') return terminate(unsent(input.message));
  if (input.type === 'response') {
    if (input.status < 200) return stay({ ...state, phase: 'proceeding' }, PASS);
    return stay(COMPLETED, stop('E'), stop('F'), PASS, set('K', lingerMs(timers, timers.t4Ms)));
  }
  if (input.type !== 'timer') return stay(state);
  if (input.timer === 'F') return terminate(TIMED_OUT);
  if (input.timer !== 'E') return stay(state);
  const doubled = Math.min(state.intervalMs * 2, timers.t2Ms);
  const intervalMs = state.phase === 'proceeding' ? timers.t2Ms : doubled;
  return stay({ ...state, intervalMs }, SEND, set('E', intervalMs));
}

const terminate = (...reports: (typeof TIMED_OUT)[]): Result => stay(TERMINATED, ...reports, END);
