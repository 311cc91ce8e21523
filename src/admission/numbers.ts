// The numbers of a call that comes in: whose the called one is, and whether the caller may show theirs.
import { account, incomingPhoneNumber, outgoingCallerId, type Row } from '../resources/index.ts';
import { assertedIdentities, parseNameAddr, parseUri, type RequestView } from '../sip/index.ts';
import type { Directory } from '../store/index.ts';

const E164 = /^\+[1-9]\d{1,14}$/;
/** Without its +: fewer digits are an extension of the PBX. */
const UNMARKED = /^[1-9]\d{6,14}$/;

export const isE164 = (text: string): boolean => E164.test(text);

/** Whether it is that of an emergency service: `911`, or `+911` as some devices write it. */
export const isEmergencyNumber = (number: string, emergency: readonly string[]): boolean =>
  emergency.includes(number.replace(/^\+/, ''));

/**
 * A number is looked up only among those of the account that the call came in by: its own, then its parent's, then, for
 * a parent, its subaccounts'. One subaccount never answers for another.
 */
export function ownedNumber(
  directory: Directory,
  accountSid: string,
  phoneNumber: string,
): Row<typeof incomingPhoneNumber> | undefined {
  if (!isE164(phoneNumber)) return undefined;
  const found = directory.findBy(incomingPhoneNumber, { phoneNumber });
  const parentOf = (sid: string) => directory.find(account, sid)?.accountSid;
  return (
    found.find((number) => number.accountSid === accountSid) ??
    found.find((number) => number.accountSid === parentOf(accountSid)) ??
    found.find((number) => parentOf(number.accountSid) === accountSid)
  );
}

/** Whether an account may call as this number: it owns it, or has shown that it may use it. */
export const mayCallAs = (directory: Directory, accountSid: string, phoneNumber: string): boolean =>
  directory.findBy(incomingPhoneNumber, { accountSid, phoneNumber }).length > 0 ||
  directory.findBy(outgoingCallerId, { accountSid, phoneNumber }).length > 0;

/** The caller's number in E.164: of From, else of Remote-Party-ID or P-Asserted-Identity. */
export function callerNumber(request: RequestView): string | undefined {
  const uris = [
    ...addressUri(request.header('From')),
    ...addressUri(request.header('Remote-Party-ID')),
    ...assertedIdentities(request).map(({ uri }) => uri),
  ];
  for (const uri of uris) {
    const user = userOf(uri).replaceAll(/[ ().-]/g, '');
    if (isE164(user)) return user;
    if (UNMARKED.test(user)) return `+${user}`;
  }
  return undefined;
}

function addressUri(value: string | undefined): readonly string[] {
  try {
    return value === undefined ? [] : [parseNameAddr(value).uri];
  } catch {
    return [];
  }
}

function userOf(uri: string): string {
  if (/^tel:/i.test(uri)) return uri.slice(4).split(';', 1)[0] ?? '';
  try {
    return parseUri(uri).user ?? '';
  } catch {
    return '';
  }
}
