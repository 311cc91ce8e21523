// How a route's outcome reads as a Twilio call: CallStatus, SIP code and the error that explains it, in one table.
import type { RouteOutcome } from '../routing/index.ts';
import type { Recorded } from './recording/outcome.ts';
import type { PlanFailure } from './route/plan-sip.ts';

export type FinalStatus = 'completed' | 'busy' | 'no-answer' | 'failed' | 'canceled';

export interface CallEnding {
  readonly status: FinalStatus;
  /** The last final SIP response, where there was one. */
  readonly sipStatus: number | undefined;
  /** Twilio's error code, where the call failed for a reason that has one. */
  readonly errorCode: number | undefined;
  readonly why: string;
  /** The recording of the call, where there is one. */
  readonly recorded?: Recorded | undefined;
}

/** Busy at the callee's own phone, or everywhere (RFC 3261 §21.4.24, §21.6.1). */
const BUSY = new Set([486, 600]);
const DECLINE = 603;
/** Final only after ringing; before it they send the call to the next target. */
const NO_ANSWER = new Set([408, 480, 487]);

/** Twilio: a server that the call was sent to could not take it; the call goes on to the next. */
export const ATTEMPT_FAILED = 32011;

/** Twilio: nothing rang in time. */
export const NEVER_RANG = 32016;

const ERROR_CODES = { 'no-target': 32010, exhausted: 32400, 'redirect-failed': 32219 } as const;

export const completed = (why: string): CallEnding => ({
  status: 'completed',
  sipStatus: 200,
  errorCode: undefined,
  why,
});

export const failed = (why: string): CallEnding => ({
  status: 'failed',
  sipStatus: undefined,
  errorCode: undefined,
  why,
});

/** Nobody could be called. */
export const uncallable = ({ code, sipStatus, why }: PlanFailure): CallEnding => ({
  ...failed(why),
  sipStatus,
  errorCode: code,
});

/** A callee whom the caller, or another callee, was quicker than. */
export const givenUp = (why: string): CallEnding => ({
  status: 'no-answer',
  sipStatus: undefined,
  errorCode: undefined,
  why,
});

export const canceled: CallEnding = {
  status: 'canceled',
  sipStatus: undefined,
  errorCode: undefined,
  why: 'canceled before an answer',
};

/** @param isDevice the callee is a registered user, whose 603 says that they want no calls now. */
export function endingOf(outcome: Exclude<RouteOutcome, { kind: 'answered' }>, isDevice = false): CallEnding {
  switch (outcome.kind) {
    case 'canceled':
      return canceled;
    case 'no-answer':
      return {
        status: 'no-answer',
        sipStatus: outcome.sipStatus,
        errorCode: outcome.neverRang ? NEVER_RANG : undefined,
        why: outcome.why,
      };
    case 'refused':
      return {
        status: isDevice && outcome.sipStatus === DECLINE ? 'busy' : refusedStatus(outcome.sipStatus),
        sipStatus: outcome.sipStatus,
        errorCode: undefined,
        why: outcome.why,
      };
    case 'no-target':
      return {
        status: 'failed',
        sipStatus: undefined,
        errorCode: ERROR_CODES[outcome.kind],
        why: outcome.why,
      };
    case 'exhausted':
    case 'redirect-failed':
      return {
        status: 'failed',
        sipStatus: outcome.sipStatus,
        errorCode: ERROR_CODES[outcome.kind],
        why: outcome.why,
      };
  }
}

function refusedStatus(sipStatus: number): FinalStatus {
  if (BUSY.has(sipStatus)) return 'busy';
  return NO_ANSWER.has(sipStatus) ? 'no-answer' : 'failed';
}

/** Of a caller who was never answered (Twilio: `<Reject>`). */
export const refusedByTwiml = (reason: 'rejected' | 'busy'): CallEnding & { readonly sipStatus: number } => ({
  status: reason === 'busy' ? 'busy' : 'no-answer',
  sipStatus: reason === 'busy' ? 486 : 404,
  errorCode: undefined,
  why: `<Reject> as ${reason}`,
});
