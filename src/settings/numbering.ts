// Settings of names and numbers: domains, devices, what is dialled, and whose name a caller has.
import {
  listLike,
  numberOr,
  oneOf,
  readHttpUrl,
  readSuffixes,
  readText,
  someOf,
  wholeNumber,
} from './readers.ts';
import type { Topic } from './setting.ts';

export const DOMAIN_SUFFIXES = {
  sip: {
    variable: 'TANDEM_SIP_DOMAIN_SUFFIXES',
    flag: 'sip-domain-suffixes',
    default: 'sip.twilio.com',
    meaning: 'what the names of SIP domains may end with, separated by commas',
    read: readSuffixes,
  },
  trunk: {
    variable: 'TANDEM_TRUNK_DOMAIN_SUFFIXES',
    flag: 'trunk-domain-suffixes',
    default: 'pstn.twilio.com',
    meaning: 'what the domain names of trunks may end with, separated by commas',
    read: readSuffixes,
  },
} as const satisfies Topic;

export const DEVICES = {
  digestAlgorithms: {
    variable: 'TANDEM_DIGEST_ALGORITHMS',
    flag: 'digest-algorithms',
    default: 'MD5',
    meaning: 'how SIP devices prove their password: MD5, SHA-256, or both; most take the first, known or not',
    read: someOf(['MD5', 'SHA-256']),
  },
  keepAliveS: {
    variable: 'TANDEM_NAT_KEEPALIVE_S',
    flag: 'nat-keepalive-s',
    default: '0',
    meaning: 'seconds between two OPTIONS to a phone behind NAT that registered over UDP; 0 for none',
    read: wholeNumber(0, 3600),
  },
} as const satisfies Topic;

export const NUMBERS = {
  emergency: {
    variable: 'TANDEM_EMERGENCY_NUMBERS',
    flag: 'emergency-numbers',
    default: '112,911',
    meaning: 'numbers of emergency services, separated by commas; or none',
    read: listLike(/^\d{2,6}$/, 'must be numbers of 2 to 6 digits such as 112, or none'),
  },
  /** First digits, with +. */
  tollFraudPrefixes: {
    variable: 'TANDEM_TOLLFRAUD_PREFIXES',
    flag: 'tollfraud-prefixes',
    default: 'none',
    meaning:
      'first digits of numbers that HighRiskTollfraudNumbersEnabled decides about, such as +37163,+2347',
    read: listLike(/^\+\d{1,15}$/, 'must be + and the first digits of numbers, or none'),
  },
} as const satisfies Topic;

export const TRUNKS = {
  callerIds: {
    variable: 'TANDEM_TRUNK_CALLER_IDS',
    flag: 'trunk-caller-ids',
    default: 'verified',
    meaning:
      'as whom a PBX may call over its trunk: verified (numbers of the account, verified caller IDs) or any number',
    read: oneOf(['verified', 'any']),
  },
  perSecond: {
    variable: 'TANDEM_TRUNK_CALLS_PER_SECOND',
    flag: 'trunk-calls-per-second',
    unset: 'TANDEM_CALLS_PER_SECOND',
    meaning: 'calls a PBX may begin in a second over its trunk; more are refused with 503',
    read: numberOr('unlimited', 1, 1_000_000),
  },
  maxCalls: {
    variable: 'TANDEM_TRUNK_MAX_CALLS',
    flag: 'trunk-max-calls',
    unset: 'unlimited',
    meaning: 'calls to and from a PBX at a time over its trunk; more that it begins are refused with 503',
    read: numberOr('unlimited', 1, 1_000_000),
  },
  callS: {
    variable: 'TANDEM_TRUNK_CALL_S',
    flag: 'trunk-call-s',
    default: '14400',
    meaning: 'seconds that a call over a trunk may last, from its answer',
    read: wholeNumber(1, 86_400),
  },
} as const satisfies Topic;

/** They exclude each other. */
export const CALLER_NAMES = {
  file: {
    variable: 'TANDEM_CNAM_FILE',
    flag: 'cnam-file',
    unset: 'none',
    meaning: 'CSV file of callers, a line each: +14155550100,Name; read again when it changes',
    read: readText,
  },
  url: {
    variable: 'TANDEM_CNAM_URL',
    unset: 'none',
    meaning: "asked for a caller's name: GET with Number, answered with the name as text",
    read: readHttpUrl,
  },
} as const satisfies Topic;
