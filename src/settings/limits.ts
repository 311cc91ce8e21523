// Settings of how much: requests, calls, callbacks, and who hears recordings.
import { numberOr, readYesOrNo, wholeNumber } from './readers.ts';
import type { Topic } from './setting.ts';

export const API = {
  publicRecordings: {
    variable: 'TANDEM_PUBLIC_RECORDINGS',
    flag: 'public-recordings',
    default: 'no',
    meaning:
      'yes: whoever knows the address of a recording may hear it, as with Twilio; no: its account alone',
    read: readYesOrNo,
  },
  requestsPerSecond: {
    variable: 'TANDEM_API_REQUESTS_PER_SECOND',
    flag: 'api-requests-per-second',
    unset: 'unlimited',
    meaning: 'REST requests an account may make in a second; more are answered 429',
    read: numberOr('unlimited', 1, 1_000_000),
  },
} as const satisfies Topic;

/** Of each account. */
export const CALL_LIMITS = {
  perSecond: {
    variable: 'TANDEM_CALLS_PER_SECOND',
    flag: 'calls-per-second',
    unset: 'unlimited',
    meaning:
      'calls an account may start in a second, more wait in order; and that may come in, more are refused',
    read: numberOr('unlimited', 1, 1_000_000),
  },
  maxCalls: {
    variable: 'TANDEM_MAX_CALLS',
    flag: 'max-calls',
    unset: 'unlimited',
    meaning:
      'calls an account may have at a time, queued ones included; more are answered 429, or 503 by SIP',
    read: numberOr('unlimited', 1, 1_000_000),
  },
} as const satisfies Topic;

export const SESSIONS = {
  expiresS: {
    variable: 'TANDEM_SESSION_EXPIRES_S',
    flag: 'session-expires-s',
    unset: 'as the other side asks',
    meaning:
      'seconds within which each party of a call must show that it is there, by SIP session timers (RFC 4028)',
    read: wholeNumber(90, 86_400),
  },
  mediaTimeoutS: {
    variable: 'TANDEM_MEDIA_TIMEOUT_S',
    flag: 'media-timeout-s',
    default: '300',
    meaning:
      'seconds without RTP and RTCP of a party that is not held, after which its call ends (32014); 0 for never',
    read: wholeNumber(0, 86_400),
  },
} as const satisfies Topic;

export const CALLBACKS = {
  callbackRetries: {
    variable: 'TANDEM_CALLBACK_RETRIES',
    flag: 'callback-retries',
    default: '8',
    meaning: 'how often a status callback that failed is sent again; 0 is what Twilio does',
    read: wholeNumber(0, 100),
  },
  /** A status of SIP. */
  appFailure: {
    variable: 'TANDEM_APP_FAILURE',
    flag: 'app-failure',
    default: 'apology',
    meaning:
      'what a call that came in gets, before its answer, when app and fallback fail: apology, or a status as 503',
    read: numberOr('apology', 400, 699),
  },
} as const satisfies Topic;

/** How long, and how many, webhooks are listed that are over. */
export const WEBHOOKS_KEPT = {
  days: {
    variable: 'TANDEM_WEBHOOK_DAYS',
    flag: 'webhook-days',
    default: '7',
    meaning: 'days that status callbacks stay in the list of webhooks once they are over',
    read: wholeNumber(0, 3650),
  },
  rows: {
    variable: 'TANDEM_WEBHOOK_ROWS',
    flag: 'webhook-rows',
    default: '100000',
    meaning: 'how many status callbacks that are over stay in the list of webhooks, of all accounts',
    read: wholeNumber(0, 100_000_000),
  },
} as const satisfies Topic;
