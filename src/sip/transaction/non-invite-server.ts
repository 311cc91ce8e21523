// The non-INVITE server transaction over an unreliable transport (RFC 3261 §17.2.2 fig. 8).
//
//   trying ──1xx──▶ proceeding ──final──▶ completed ──J──▶ terminated
import { END, SEND, type ServerInput, type Step, set, stay } from './machine.ts';
import { lifetimeMs, type Timers } from './timers.ts';

export interface NonInviteServerState {
  readonly phase: 'trying' | 'proceeding' | 'completed' | 'terminated';
}

export const NON_INVITE_SERVER: NonInviteServerState = { phase: 'trying' };

export function stepNonInviteServer(
  state: NonInviteServerState,
  input: ServerInput,
  timers: Timers,
): Step<NonInviteServerState> {
  switch (state.phase) {
    case 'trying':
    case 'proceeding':
      if (input.type === 'request') return state.phase === 'proceeding' ? stay(state, SEND) : stay(state);
      if (input.type !== 'respond') return stay(state);
      return input.status < 200
        ? stay({ phase: 'proceeding' }, SEND)
        : stay({ phase: 'completed' }, SEND, set('J', lifetimeMs(timers)));
    case 'completed':
      if (input.type === 'request') return stay(state, SEND);
      return input.type === 'timer' && input.timer === 'J' ? stay({ phase: 'terminated' }, END) : stay(state);
    case 'terminated':
      return stay(state);
  }
}
