// What the numbers of a call must be, and whose turn it is: Twilio's checks of a trunk's calls, and the limits of all.
import { dialingPermissionsOf, mayDial } from '../routing/index.ts';
import { parseUri, type RequestView } from '../sip/index.ts';
import { callerNumber, isE164, isEmergencyNumber, mayCallAs } from './numbers.ts';
import { accountOf, type Facts, nameOf, type Question } from './question.ts';
import { type Refusal, refuse } from './refusal.ts';

export const calledUser = ({ uri }: RequestView): string => parseUri(uri).user ?? '';

/** Whether a call is for an emergency service that may be called from there: nothing that counts calls stops it. */
function isEmergency({ request, place, numbers }: Question): boolean {
  const isOpen = place.kind === 'trunk' || place.domain.emergencyCallingEnabled;
  return isOpen && isEmergencyNumber(calledUser(request), numbers.emergency);
}

/** No Retry-After: it would have the other side send nothing at all for so long (RFC 3261 §21.5.4). */
export function turn(question: Question): Refusal | undefined {
  if (isEmergency(question)) return undefined;
  const verdict = question.takeTurn();
  const { name } = nameOf(question.place);
  const account = `account ${accountOf(question.place)}`;
  switch (verdict) {
    case 'now':
      return undefined;
    case 'trunk-too-fast':
      return refuse(503, 32_001, {
        reason: 'Trunk CPS limit exceeded',
        why: `more calls a second came over ${name} than TANDEM_TRUNK_CALLS_PER_SECOND or TANDEM_CALLS_PER_SECOND allows`,
        fix: 'have the PBX call more slowly, or raise the one that is set',
      });
    case 'trunk-too-many-calls':
      return refuse(503, 10_004, {
        why: `${name} has as many calls as TANDEM_TRUNK_MAX_CALLS allows`,
        fix: 'end calls, or raise TANDEM_TRUNK_MAX_CALLS',
      });
    case 'account-too-fast':
      return refuse(503, question.place.kind === 'trunk' ? 32_012 : 32_013, {
        why: `more calls a second came in for ${account} than TANDEM_CALLS_PER_SECOND allows`,
        fix: 'spread the calls, or raise TANDEM_CALLS_PER_SECOND',
      });
    case 'too-many-calls':
      return refuse(503, 10_004, {
        why: `${account} has as many calls as TANDEM_MAX_CALLS allows`,
        fix: 'end calls, or raise TANDEM_MAX_CALLS',
      });
  }
}

export function calledNumber({ request, place, numbers }: Question): Facts | Refusal {
  const to = calledUser(request);
  if (isE164(to) || isEmergencyNumber(to, numbers.emergency)) return { to };
  return refuse(400, 32_101, {
    why: `"${to}" is no number in E.164`,
    fix: `have the PBX call + and the country code over ${nameOf(place).name}, such as +14155550100`,
  });
}

export function callerId({ request, place, directory, numbers }: Question): Facts | Refusal {
  const number = callerNumber(request);
  if (number === undefined) {
    return refuse(403, 32_206, {
      why: 'neither From nor Remote-Party-ID nor P-Asserted-Identity has a number',
      fix: 'have the PBX send its number in E.164 as the user of From',
    });
  }
  if (numbers.anyCallerId || mayCallAs(directory, accountOf(place), number)) return { callerId: number };
  return refuse(403, 32_204, {
    why: `${number} is neither a number nor a verified caller ID of the account`,
    fix: `add ${number} to IncomingPhoneNumbers or OutgoingCallerIds, or set TANDEM_TRUNK_CALLER_IDS=any`,
  });
}

/** Geographic permission (Twilio's 32205). */
export function dialingPermission(question: Question): Refusal | undefined {
  if (isEmergency(question)) return undefined;
  const { request, place, directory, numbers } = question;
  const to = calledUser(request);
  const permissions = dialingPermissionsOf(accountOf(place), directory, numbers.tollFraudPrefixes);
  const verdict = mayDial(to, permissions);
  if (verdict.kind === 'allowed') return undefined;
  return refuse(403, 32_205, {
    why: `${to} may not be called: ${pascalCase(verdict.permission)} is off for ${verdict.isoCode}`,
    fix: `set it for ${verdict.isoCode} under DialingPermissions`,
  });
}

/** As the API writes the parameter. */
const pascalCase = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
