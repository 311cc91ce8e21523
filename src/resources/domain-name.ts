// Host names of SIP domains and trunks: how one is written, whose it may be, and which name is above it.
import type { DomainSuffixes } from './domain-suffixes.ts';
import type { Field } from './field.ts';
import { text } from './fields.ts';
import { type AnyResource, Refusal, type Surroundings, type Values } from './resource.ts';

/** Twilio's codes differ between SIP domains and trunks. */
interface DomainRules {
  readonly kind: keyof DomainSuffixes;
  /** A name that is written wrongly or has another suffix. */
  readonly invalidCode: number;
  /** An account's SID that stands in another account's name. */
  readonly foreignCode: number;
  /** A subdomain whose parent is not there, or not ours. */
  readonly orphanCode: number;
  readonly definition: AnyResource;
}

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const ACCOUNT_LABEL = /^ac[0-9a-f]{32}$/;
const MAX_NAME_LENGTH = 253;

/** Host names mean the same in either case (RFC 4343): kept in lower case, so that they compare as text. */
export const domainName = (): Field<string | null> => text({ max: MAX_NAME_LENGTH });

/** Gives the name in lower case and the name of the domain it is below, or says why the account may not have it. */
export function settleDomainName(
  given: Values,
  surroundings: Surroundings,
  rules: DomainRules,
): Values | Refusal {
  if (given.domainName === undefined || given.domainName === null) {
    return given.domainName === null ? { ...given, parentDomainName: null } : given;
  }
  const name = String(given.domainName).toLowerCase();
  const suffixes = surroundings.suffixes[rules.kind];
  const suffix = suffixes.find((each) => name.endsWith(`.${each}`));
  if (suffix === undefined) {
    return new Refusal(rules.invalidCode, `Invalid Domain Name: it must end with ${inWords(suffixes)}`);
  }
  const labels = name.slice(0, -suffix.length - 1).split('.');
  if (!labels.every((label) => LABEL.test(label))) {
    return new Refusal(
      rules.invalidCode,
      'Invalid Domain Name: its labels are made of letters, digits and inner hyphens',
    );
  }
  const family = [surroundings.account.sid, surroundings.account.accountSid];
  if (labels.some((label) => ACCOUNT_LABEL.test(label) && !family.some((sid) => sid.toLowerCase() === label)))
    return new Refusal(
      rules.foreignCode,
      'Invalid Domain Name: the SID of another account is reserved for it',
    );
  const [, ...above] = labels;
  // Every account owns <AccountSid>.<suffix> without creating it.
  const isTop = above.length === 0 || (above.length === 1 && ACCOUNT_LABEL.test(above[0] ?? ''));
  if (isTop) return { ...given, domainName: name, parentDomainName: null };
  const parentDomainName = `${above.join('.')}.${suffix}`;
  const [parent] = surroundings.rows.findBy(rules.definition, { domainName: parentDomainName });
  if (!parent || !family.includes(parent.accountSid)) {
    return new Refusal(rules.orphanCode, 'Cannot create subdomain because the parent domain does not exist');
  }
  return { ...given, domainName: name, parentDomainName };
}

const inWords = (suffixes: readonly string[]): string =>
  new Intl.ListFormat('en', { type: 'disjunction' }).format(suffixes.map((suffix) => `.${suffix}`));
