// How a route's outcome reads as a Twilio call: CallStatus, SIP code and the error that explains it, in one table.
import type { RouteOutcome } from '../routing/index.ts';
import type { Recorded } from './recording/outcome.ts';
import type { Callee, PlanFailure } from './route/plan-sip.ts';

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

const ERROR_CODES = { 'no-target': 32010, 'redirect-failed': 32219 } as const;
const CARRIERS_FAILED = 32400;
/** Twilio: the address of a `<Sip>` has no host that may be called. */
const NO_HOST = 13254;

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

/** @param callee of a call to a SIP URI; without it, carriers or a PBX were called. */
export function endingOf(outcome: Exclude<RouteOutcome, { kind: 'answered' }>, callee?: Callee): CallEnding {
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
        status: refusedStatus(outcome.sipStatus, callee),
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
      return {
        status: 'failed',
        sipStatus: outcome.sipStatus,
        errorCode: exhaustedCode(outcome, callee),
        why: outcome.why,
      };
    case 'redirect-failed':
      return {
        status: 'failed',
        sipStatus: outcome.sipStatus,
        errorCode: ERROR_CODES[outcome.kind],
        why: outcome.why,
      };
  }
}

function exhaustedCode({ unlocated }: RouteOutcome & { kind: 'exhausted' }, callee?: Callee): number {
  if (callee === undefined) return CARRIERS_FAILED;
  return callee === 'address' && unlocated ? NO_HOST : ATTEMPT_FAILED;
}

/** A registered user's 603 says that they want no calls now. */
function refusedStatus(sipStatus: number, callee?: Callee): FinalStatus {
  if (BUSY.has(sipStatus) || (callee === 'devices' && sipStatus === DECLINE)) return 'busy';
  return NO_ANSWER.has(sipStatus) ? 'no-answer' : 'failed';
}

/** Of a caller who was never answered (Twilio: `<Reject>`). */
export const refusedByTwiml = (reason: 'rejected' | 'busy'): CallEnding & { readonly sipStatus: number } => ({
  status: reason === 'busy' ? 'busy' : 'no-answer',
  sipStatus: reason === 'busy' ? 486 : 404,
  errorCode: undefined,
  why: `<Reject> as ${reason}`,
});
