// What a trunk's caller is refused with when nobody took the call: the callee's status, and Twilio's error. Pure.
import type { HeaderField } from '../../sip/index.ts';
import type { CallEnding } from '../outcome.ts';

export interface CallerRefusal {
  readonly status: number;
  readonly headers: readonly HeaderField[];
}

/** Of `X-Twilio-Error`. */
const WORDS: Readonly<Record<number, string>> = {
  32010: 'SIP: No usable origination URL or target',
  32011: 'SIP: Error communicating with your SIP communications infrastructure',
  32016: 'SIP: Post dial delay is too long',
  32017: 'SIP: The carrier blocked the caller ID',
  32219: 'SIP: Call redirect failed',
  32400: 'SIP: BYOC routing failed',
};

const NO_ANSWER = 480;
/** The caller may try another way. */
const UNAVAILABLE = 503;
/** Ringing ended without an answer. */
const RANG = new Set([408, 480, 487]);
/** They speak of our own request: of our password, our extensions, our session timer. */
const OURS = new Set([401, 407, 412, 420, 421, 422, 424, 428, 429, 436, 437, 438, 489, 491, 493, 494]);

export function refusalOf({ status, sipStatus, errorCode }: CallEnding): CallerRefusal {
  const words = errorCode === undefined ? undefined : WORDS[errorCode];
  return {
    status: statusOf(status, sipStatus),
    headers: words === undefined ? [] : [['X-Twilio-Error', `${errorCode} ${words}`]],
  };
}

function statusOf(status: CallEnding['status'], sipStatus: number | undefined): number {
  if (status === 'canceled') return NO_ANSWER;
  // Of a call that nobody answered in time, an earlier target's status tells nothing.
  if (status === 'no-answer') return sipStatus !== undefined && RANG.has(sipStatus) ? sipStatus : NO_ANSWER;
  if (sipStatus === undefined || sipStatus < 400 || OURS.has(sipStatus)) return UNAVAILABLE;
  return sipStatus;
}
