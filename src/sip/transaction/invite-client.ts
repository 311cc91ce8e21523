// The INVITE client transaction (RFC 3261 §17.1.1 fig. 5, RFC 6026 §7.2), with giving up.
//
//   calling ──1xx──▶ proceeding        any of them ──300+──▶ completed (ACK) ──D──▶ terminated
//      └───────────────┴───2xx──▶ accepted ──M──▶ terminated

import { lifetimeMs, lingerMs, type Timers } from '../timers.ts';
import {
  ACK,
  CANCEL,
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

export interface InviteClientState {
  readonly phase: 'initial' | 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated';
  /** Interval of timer A. */
  readonly intervalMs: number;
  /** The user gave up: nothing is retransmitted, CANCEL goes out once a provisional was seen. */
  readonly abandoned: boolean;
}

export const INVITE_CLIENT: InviteClientState = { phase: 'initial', intervalMs: 0, abandoned: false };

type Result = Step<InviteClientState>;

// Many transactions are in these at once, and have nothing to tell apart: they share them.
const PROCEEDING: InviteClientState = { ...INVITE_CLIENT, phase: 'proceeding' };
const COMPLETED: InviteClientState = { ...INVITE_CLIENT, phase: 'completed' };
const ACCEPTED: InviteClientState = { ...INVITE_CLIENT, phase: 'accepted' };
const TERMINATED: InviteClientState = { ...INVITE_CLIENT, phase: 'terminated' };
/** Nothing is waited for but the lifetime of the answer. */
const QUIET = [stop('A'), stop('B'), stop('cancel')];

export function stepInviteClient(state: InviteClientState, input: ClientInput, timers: Timers): Result {
  if (input.type === 'abandon') return abandon(state, timers);
  switch (state.phase) {
    case 'initial':
      if (input.type !== 'start') return stay(state);
      return stay(
        { ...state, phase: 'calling', intervalMs: timers.t1Ms },
        SEND,
        ...repeat(timers, 'A', timers.t1Ms),
        set('B', lifetimeMs(timers)),
      );
    case 'calling':
      return calling(state, input, timers);
    case 'proceeding':
      if (input.type === 'response') return response(state, input.status, timers);
      return input.type === 'timer' && input.timer === 'cancel' ? terminate() : stay(state);
    case 'completed':
      if (input.type === 'response') return input.status >= 300 ? stay(state, ACK) : stay(state);
      return input.type === 'timer' && input.timer === 'D' ? terminate() : stay(state);
    case 'accepted':
      // RFC 6026 §7.2: every 2xx, retransmitted or forked, is the user's to acknowledge.
      if (input.type === 'response') return isSuccess(input.status) ? stay(state, PASS) : stay(state);
      return input.type === 'timer' && input.timer === 'M' ? terminate() : stay(state);
    case 'terminated':
      return stay(state);
  }
}

function calling(state: InviteClientState, input: ClientInput, timers: Timers): Result {
  if (input.type === 'response') return response(state, input.status, timers);
  if (input.type === 'transport-error')
    return state.abandoned ? stay(state) : terminate(unsent(input.message));
  if (input.type !== 'timer') return stay(state);
  if (input.timer === 'A') {
    const intervalMs = state.intervalMs * 2;
    return stay({ ...state, intervalMs }, SEND, set('A', intervalMs));
  }
  if (input.timer === 'B') return terminate(TIMED_OUT);
  return input.timer === 'cancel' ? terminate() : stay(state);
}

function response(state: InviteClientState, status: number, timers: Timers): Result {
  if (status < 200) return provisional(state, timers);
  if (isSuccess(status)) {
    return stay(ACCEPTED, ...QUIET, PASS, set('M', lifetimeMs(timers)));
  }
  // RFC 3261 §17.1.1.2: D is at least 32 s, which is 64·T1 at the default T1.
  return stay(COMPLETED, ...QUIET, ACK, PASS, set('D', lingerMs(timers, lifetimeMs(timers))));
}

function provisional(state: InviteClientState, timers: Timers): Result {
  if (state.phase === 'proceeding') return stay(state, PASS);
  if (!state.abandoned) return stay(PROCEEDING, stop('A'), stop('B'), PASS);
  return stay({ ...state, phase: 'proceeding' }, CANCEL, PASS, set('cancel', lifetimeMs(timers)));
}

/** RFC 3261 §9.1: no CANCEL before a provisional response. */
function abandon(state: InviteClientState, timers: Timers): Result {
  if (state.abandoned || (state.phase !== 'calling' && state.phase !== 'proceeding')) return stay(state);
  const next: InviteClientState = { ...state, abandoned: true };
  const wait = set('cancel', lifetimeMs(timers));
  return state.phase === 'calling' ? stay(next, stop('A'), stop('B'), wait) : stay(next, CANCEL, wait);
}

const isSuccess = (status: number): boolean => status >= 200 && status < 300;

const terminate = (...reports: (typeof TIMED_OUT)[]): Result => stay(TERMINATED, ...reports, END);
