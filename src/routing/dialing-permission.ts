// Whether an account lets a number be called: by the country it is in, and the kind of number that it is there. Pure.
import {
  type CountryCode,
  getCountries,
  getCountryCallingCode,
  type PhoneNumber,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max';
import { account, dialingPermissionsCountry, dialingPermissionsSettings } from '../resources/index.ts';
import type { Directory } from '../store/index.ts';

/** What may be called of one country's numbers. */
export interface CountryPermissions {
  readonly lowRiskNumbersEnabled: boolean;
  readonly highRiskSpecialNumbersEnabled: boolean;
  readonly highRiskTollfraudNumbersEnabled: boolean;
}

export interface DialingPermissions {
  /** What the account says of a country (ISO 3166-1 alpha-2); undefined where it has said nothing, which allows all. */
  of(isoCode: string): CountryPermissions | undefined;
  /** Whether the account has said nothing of any country, as most do: no number need be looked at. */
  readonly areOpen: boolean;
  /** First digits, with their +, of numbers that are known for toll fraud. */
  readonly tollFraudPrefixes: readonly string[];
}

/** `isoCode` and `permission`: what would have to be enabled. */
export type DialVerdict =
  | { readonly kind: 'allowed' }
  | {
      readonly kind: 'forbidden';
      readonly isoCode: string;
      readonly permission: keyof CountryPermissions;
    };

const ALLOWED: DialVerdict = { kind: 'allowed' };

/** Kinds of number that earn money for whom they are called at, or cost more than they look. */
const SPECIAL_TYPES: readonly unknown[] = ['PREMIUM_RATE', 'SHARED_COST', 'PERSONAL_NUMBER', 'PAGER'];

/**
 * A number whose country cannot be told (such as a range that no plan lists) may be called as soon as one country of
 * its calling code may; a number of no country (freephone +800, satellites) always.
 * @param number E.164, with its +
 */
export function mayDial(number: string, permissions: DialingPermissions): DialVerdict {
  if (permissions.areOpen) return ALLOWED;
  const parsed = parsePhoneNumberFromString(number);
  if (!parsed) return ALLOWED;
  const permission = kindOf(parsed, permissions.tollFraudPrefixes);
  let refused: DialVerdict = ALLOWED;
  for (const isoCode of countriesOf(parsed)) {
    const allows = permissions.of(isoCode)?.[permission] ?? true;
    if (allows) return ALLOWED;
    if (refused === ALLOWED) refused = { kind: 'forbidden', isoCode, permission };
  }
  return refused;
}

function kindOf(number: PhoneNumber, tollFraudPrefixes: readonly string[]): keyof CountryPermissions {
  if (tollFraudPrefixes.some((prefix) => number.number.startsWith(prefix))) {
    return 'highRiskTollfraudNumbersEnabled';
  }
  return SPECIAL_TYPES.includes(number.getType()) ? 'highRiskSpecialNumbersEnabled' : 'lowRiskNumbersEnabled';
}

const countriesOf = ({ country, countryCallingCode }: PhoneNumber): readonly CountryCode[] =>
  country === undefined
    ? getCountries().filter((each) => getCountryCallingCode(each) === countryCallingCode)
    : [country];

/** An account's permissions: its own, or its parent's where it is a subaccount that inherits (the default). */
export function dialingPermissionsOf(
  accountSid: string,
  directory: Directory,
  tollFraudPrefixes: readonly string[],
): DialingPermissions {
  const owner = permissionOwner(accountSid, directory);
  return {
    tollFraudPrefixes,
    areOpen: directory.findBy(dialingPermissionsCountry, { accountSid: owner }).length === 0,
    of: (isoCode) => directory.findBy(dialingPermissionsCountry, { accountSid: owner, isoCode })[0],
  };
}

function permissionOwner(accountSid: string, directory: Directory): string {
  const [settings] = directory.findBy(dialingPermissionsSettings, { accountSid });
  const inherits = settings?.dialingPermissionsInheritance ?? true;
  return (inherits ? directory.find(account, accountSid)?.accountSid : undefined) ?? accountSid;
}
