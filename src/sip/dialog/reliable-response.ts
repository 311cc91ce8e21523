// A provisional response sent again and again until its PRACK comes (RFC 3262 §3).
import { END, SEND, type Step, set, stay, TIMED_OUT, type TimerInput } from '../transaction/machine.ts';
import { lifetimeMs, type Timers } from '../transaction/timers.ts';

export interface ReliableResponseState {
  readonly phase: 'initial' | 'unacknowledged' | 'over';
  readonly intervalMs: number;
}

export type ReliableResponseInput = { readonly type: 'start' } | { readonly type: 'prack' } | TimerInput;

export const RELIABLE_RESPONSE: ReliableResponseState = { phase: 'initial', intervalMs: 0 };

/** The first copy is sent by the transaction, so `start` only sets the timers. Unlike a 2xx's, the interval has no bound. */
export function stepReliableResponse(
  state: ReliableResponseState,
  input: ReliableResponseInput,
  timers: Timers,
): Step<ReliableResponseState> {
  if (state.phase === 'initial' && input.type === 'start') {
    return stay(
      { phase: 'unacknowledged', intervalMs: timers.t1Ms },
      set('resend', timers.t1Ms),
      set('unacknowledged', lifetimeMs(timers)),
    );
  }
  if (state.phase !== 'unacknowledged') return stay(state);
  if (input.type === 'prack') return stay({ ...state, phase: 'over' }, END);
  if (input.type !== 'timer') return stay(state);
  if (input.timer === 'unacknowledged') return stay({ ...state, phase: 'over' }, TIMED_OUT, END);
  const intervalMs = state.intervalMs * 2;
  return stay({ ...state, intervalMs }, SEND, set('resend', intervalMs));
}

/** The RSeq, CSeq number and method that a PRACK's RAck names; undefined when it is malformed. */
export function parseRAck(value: string | undefined): { rseq: number; seq: number; method: string } | undefined {
  const [, rseq, seq, method = ''] = /^(\d{1,10})[ \t]+(\d{1,10})[ \t]+(\S+)$/.exec(value ?? '') ?? [];
  return rseq === undefined ? undefined : { rseq: Number(rseq), seq: Number(seq), method };
}
