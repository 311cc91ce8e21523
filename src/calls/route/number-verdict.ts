// Whether an account may call a number: an emergency service by rules of its own, any other by the DialingPermissions. Pure.
import { dialingPermissionsOf, mayDial } from '../../routing/index.ts';
import type { Directory } from '../../store/index.ts';
import { type EmergencyQuestion, type EmergencyVerdict, judgeEmergency } from './emergency.ts';

/** Twilio's codes for a country that the account may not call. */
const ERRORS = { dial: 13_227, api: 21_215 } as const;

export interface NumberQuestion extends EmergencyQuestion {
  readonly by: keyof typeof ERRORS;
}

export interface NumberWorld {
  readonly directory: Directory;
  /** Of emergency services, without +. */
  readonly emergencyNumbers: readonly string[];
  /** First digits, with +. */
  readonly tollFraudPrefixes: readonly string[];
}

/** A SIP address, and a number that is not in E.164, stand under no country's permissions. */
export function judgeNumber(question: NumberQuestion, world: NumberWorld): EmergencyVerdict {
  const { accountSid, to, by } = question;
  const { directory, emergencyNumbers, tollFraudPrefixes } = world;
  const emergency = judgeEmergency(question, emergencyNumbers, directory);
  if (emergency.kind !== 'no-emergency' || !to.startsWith('+')) return emergency;
  const verdict = mayDial(to, dialingPermissionsOf(accountSid, directory, tollFraudPrefixes));
  if (verdict.kind === 'allowed') return emergency;
  const permission = verdict.permission.replace(/^./, (first) => first.toUpperCase());
  const why = `${to} may not be called: ${permission} is off for ${verdict.isoCode}`;
  return { kind: 'refused', code: ERRORS[by], why };
}
