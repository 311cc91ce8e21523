// Why somebody is not let in: what the SIP response says, and what the one who may change it is told.
import type { HeaderField } from '../sip/index.ts';

/** Twilio's error codes at the door, with the words of `X-Twilio-Error`. */
const WORDS = {
  10_004: 'Call concurrency limit exceeded',
  32_001: 'SIP: Trunk CPS limit exceeded',
  32_002: 'SIP: Twilio SIP domain does not exist',
  32_005: 'SIP: Voice is disabled for the account',
  32_006: 'SIP: Max-Forwards reached',
  32_007: 'SIP: Too many registered contacts for the address of record',
  32_008: 'SIP: Too many registrations per second for the address of record',
  32_012: 'SIP: Trunk CPS limit of the account exceeded',
  32_013: 'SIP: CPS limit exceeded',
  32_101: 'SIP: Called number is not in E.164 format',
  32_102: 'SIP: Bad SDP',
  32_103: 'SIP: Missing SDP',
  32_105: 'SIP: Loopback address in Contact',
  32_106: 'SIP: Authenticated user is not the user of the address of record',
  32_200: 'Authentication failure - no ACL or credential list is mapped',
  32_201: 'Authentication failure - source IP Address not in ACL',
  32_202: 'Authentication failure - bad user credentials',
  32_203: 'SIP: Destination is blocked',
  32_204: 'Invalid Caller ID',
  32_205: 'SIP: No permission to call the country of the number',
  32_206: 'SIP: Malformed From',
  32_207: 'SIP: Secure media offered, but not enabled',
  32_208: 'SIP: Secure media required',
  32_209: 'SIP: Secure transport required',
  32_210: 'SIP: Registration is not enabled for the domain',
  32_212: 'SIP: No credential list is mapped for registrations',
} as const;

export type RefusalCode = keyof typeof WORDS;

export interface Refusal {
  readonly status: number;
  /** In place of the status' own phrase. */
  readonly reason?: string;
  readonly headers: readonly HeaderField[];
  readonly errorCode?: RefusalCode;
  /** In plain words, for the account's owner; never sent. */
  readonly why: string;
  /** The smallest change that would let the next one in. */
  readonly fix?: string;
  /** They have not shown who they are: answered statelessly, or not at all where they come too often. */
  readonly stranger?: boolean;
  /** Whose password was wrong. */
  readonly failedUser?: string;
  /** The first step of digest authentication: nothing is wrong yet. */
  readonly challenge?: boolean;
  /** Nothing is sent: they failed too often, or come too often. */
  readonly silent?: boolean;
}

type Given = Omit<Refusal, 'headers' | 'errorCode' | 'status'> & {
  readonly headers?: readonly HeaderField[];
  readonly fix: string;
};

/** A refusal that `X-Twilio-Error` explains. */
export const refuse = (status: number, errorCode: RefusalCode, given: Given): Refusal => ({
  ...given,
  status,
  errorCode,
  headers: [['X-Twilio-Error', `${errorCode} ${WORDS[errorCode]}`], ...(given.headers ?? [])],
});

/** A refusal that Twilio has no code for. */
export const refuseWithoutCode = (status: number, given: Given): Refusal => ({
  ...given,
  status,
  headers: given.headers ?? [],
});
