// Calls to emergency services: refused unless somebody has seen to it that they arrive and can be called back. Pure.
import { isEmergencyNumber } from '../../admission/index.ts';
import { carrierRoute, domain, incomingPhoneNumber } from '../../resources/index.ts';
import type { Directory } from '../../store/index.ts';
import type { Carrier } from './plan.ts';

/** Twilio's codes for a destination that is blocked. */
const ERRORS = { dial: 13_225, api: 21_216, trunk: 32_203 } as const;

export interface EmergencyQuestion {
  readonly accountSid: string;
  /** What is called. */
  readonly to: string;
  readonly from: string;
  /** Who asks: TwiML's Dial, the REST API, or a PBX over its trunk. */
  readonly by: keyof typeof ERRORS;
  /** The SIP domain that the call came in by; a call placed over the API or a trunk has none. */
  readonly domainSid?: string;
}

export type EmergencyVerdict =
  /** It is none: everything goes its usual way. */
  | { readonly kind: 'no-emergency' }
  /** It goes out at once, by this carrier, past every limit and permission. */
  | {
      readonly kind: 'allowed';
      readonly carrier: Carrier;
      /** Without +, as it is dialled. */
      readonly to: string;
      readonly callerId: string;
    }
  /** `why` is for the call's Notification, the API's error or the RejectedCall, with Twilio's `code`. */
  | { readonly kind: 'refused'; readonly code: number; readonly why: string };

/**
 * A call by way of a SIP domain needs its EmergencyCallingEnabled, and shows its EmergencyCallerSid where that is set; a
 * call by no domain needs a caller that is a number of the account with EmergencyStatus Active. Both need a
 * CarrierRoute whose prefix is that very number (`+911`): a route for every number is no promise that this one arrives.
 */
export function judgeEmergency(
  question: EmergencyQuestion,
  numbers: readonly string[],
  directory: Directory,
): EmergencyVerdict {
  if (!isEmergencyNumber(question.to, numbers)) return { kind: 'no-emergency' };
  const to = question.to.replace(/^\+/, '');
  const caller =
    question.domainSid === undefined
      ? callerOfItsOwn(question, directory)
      : callerByDomain(question.domainSid, question.from, directory);
  if ('why' in caller) return refused(question, caller.why);
  const prefix = `+${to}`;
  const [route] = directory
    .findBy(carrierRoute, { accountSid: question.accountSid, prefix })
    .toSorted((a, b) => a.priority - b.priority);
  if (!route) return refused(question, `no CarrierRoute has the prefix ${prefix}`);
  const carrier = { routeSid: route.sid, trunkSid: route.byocTrunkSid };
  return { kind: 'allowed', carrier, to, callerId: caller.number };
}

const refused = ({ to, by }: EmergencyQuestion, why: string): EmergencyVerdict => ({
  kind: 'refused',
  code: ERRORS[by],
  why: `the emergency number ${to.replace(/^\+/, '')} cannot be called: ${why}`,
});

type Caller = { readonly number: string } | { readonly why: string };

function callerByDomain(domainSid: string, from: string, directory: Directory): Caller {
  const found = directory.find(domain, domainSid);
  if (!found?.emergencyCallingEnabled)
    return { why: `EmergencyCallingEnabled is off for ${found?.domainName ?? domainSid}` };
  const { emergencyCallerSid } = found;
  const caller =
    emergencyCallerSid === null ? undefined : directory.find(incomingPhoneNumber, emergencyCallerSid);
  return { number: caller?.phoneNumber ?? from };
}

function callerOfItsOwn({ accountSid, from }: EmergencyQuestion, directory: Directory): Caller {
  const [number] = directory.findBy(incomingPhoneNumber, { accountSid, phoneNumber: from });
  if (number?.emergencyStatus === 'Active') return { number: from };
  return { why: `the caller ${from} is no number of the account with EmergencyStatus Active` };
}
