// The non-INVITE server transaction (RFC 3261 §17.2.2 fig. 8).
//
//   trying ──1xx──▶ proceeding ──final──▶ completed ──J──▶ terminated

import { lifetimeMs, lingerMs, type Timers } from '../timers.ts';
import { END, SEND, type ServerInput, type Step, set, stay } from './machine.ts';

export interface NonInviteServerState {
  readonly phase: 'trying' | 'proceeding' | 'completed' | 'terminated';
}

export const NON_INVITE_SERVER: NonInviteServerState = { phase: 'trying' };

// Many transactions are in these at once: they share them.
const PROCEEDING: NonInviteServerState = { phase: 'proceeding' };
const COMPLETED: NonInviteServerState = { phase: 'completed' };
const TERMINATED: NonInviteServerState = { phase: 'terminated' };

export function stepNonInviteServer(
  state: NonInviteServerState,
  input: ServerInput,
  timers: Timers,
): Step<NonInviteServerState> {
  switch (state.phase) {
    case 'trying':
    case 'proceeding':
      if (input.type === 'request') return state.phase === 'proceeding' ? stay(state, SEND) : stay(state);
      if (input.type === 'respond') return respond(input.status, timers);
      // The client's timer F has fired: nobody waits for a response (RFC 4320 §4.2).
      if (input.type === 'timer' && input.timer === 'overdue') return stay(TERMINATED, END);
      return input.type === 'await' ? stay(state, set('overdue', lifetimeMs(timers))) : stay(state);
    case 'completed':
      if (input.type === 'request') return stay(state, SEND);
      return input.type === 'timer' && input.timer === 'J' ? stay(TERMINATED, END) : stay(state);
    case 'terminated':
      return stay(state);
  }
}

function respond(status: number, timers: Timers): Step<NonInviteServerState> {
  if (status < 200) return stay(PROCEEDING, SEND);
  return stay(COMPLETED, SEND, set('J', lingerMs(timers, lifetimeMs(timers))));
}
