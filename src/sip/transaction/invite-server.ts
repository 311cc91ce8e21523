// The INVITE server transaction (RFC 3261 §17.2.1 fig. 7, RFC 6026 §7.1).
//
//   proceeding ──2xx──▶ accepted ──L──▶ terminated
//        └───300+──▶ completed ──ACK──▶ confirmed ──I──▶ terminated

import { lifetimeMs, lingerMs, type Timers } from '../timers.ts';
import {
  END,
  PASS,
  repeat,
  SEND,
  type ServerInput,
  type Step,
  set,
  stay,
  stop,
  TIMED_OUT,
} from './machine.ts';

export interface InviteServerState {
  readonly phase: 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated';
  /** Interval of timer G. */
  readonly intervalMs: number;
  /** Whether there is a response to send again. */
  readonly answered: boolean;
}

export const INVITE_SERVER: InviteServerState = { phase: 'proceeding', intervalMs: 0, answered: false };

type Result = Step<InviteServerState>;

// Many transactions are in these at once, and have nothing to tell apart: they share them.
const PROCEEDING: InviteServerState = { ...INVITE_SERVER, answered: true };
const CONFIRMED: InviteServerState = { ...INVITE_SERVER, phase: 'confirmed', answered: true };
const ACCEPTED: InviteServerState = { ...INVITE_SERVER, phase: 'accepted', answered: true };
const TERMINATED: InviteServerState = { ...INVITE_SERVER, phase: 'terminated', answered: true };

export function stepInviteServer(state: InviteServerState, input: ServerInput, timers: Timers): Result {
  switch (state.phase) {
    case 'proceeding':
      if (input.type === 'respond') return respond(input.status, timers);
      return input.type === 'request' && state.answered ? stay(state, SEND) : stay(state);
    case 'completed':
      return completed(state, input, timers);
    case 'confirmed':
      return input.type === 'timer' && input.timer === 'I' ? terminate() : stay(state);
    case 'accepted':
      // RFC 6026 §7.1: the 2xx is retransmitted by the user alone, a retransmitted INVITE is absorbed.
      if (input.type === 'ack') return stay(state, PASS);
      return input.type === 'timer' && input.timer === 'L' ? terminate() : stay(state);
    case 'terminated':
      return stay(state);
  }
}

function respond(status: number, timers: Timers): Result {
  if (status < 200) return stay(PROCEEDING, SEND);
  if (status < 300) {
    return stay(ACCEPTED, SEND, set('L', lifetimeMs(timers)));
  }
  return stay(
    { phase: 'completed', intervalMs: timers.t1Ms, answered: true },
    SEND,
    ...repeat(timers, 'G', timers.t1Ms),
    set('H', lifetimeMs(timers)),
  );
}

function completed(state: InviteServerState, input: ServerInput, timers: Timers): Result {
  if (input.type === 'request') return stay(state, SEND);
  if (input.type === 'ack') {
    return stay(CONFIRMED, stop('G'), stop('H'), set('I', lingerMs(timers, timers.t4Ms)));
  }
  if (input.type !== 'timer') return stay(state);
  if (input.timer === 'H') return terminate(TIMED_OUT);
  if (input.timer !== 'G') return stay(state);
  const intervalMs = Math.min(state.intervalMs * 2, timers.t2Ms);
  return stay({ ...state, intervalMs }, SEND, set('G', intervalMs));
}

const terminate = (...reports: (typeof TIMED_OUT)[]): Result => stay(TERMINATED, ...reports, END);
