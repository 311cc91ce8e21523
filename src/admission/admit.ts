// Who is let in: an ordered list of checks, each of which adds what it learned or refuses. The order is Twilio's.
import { isLoopback } from '../lib/networks.ts';
import { account } from '../resources/index.ts';
import { parseNameAddr, parseUri, type RequestView } from '../sip/index.ts';
import type { Admitted } from './admitted.ts';
import { checkDigest } from './digest.ts';
import type { Place } from './identify.ts';
import { accessListsOf, credentialListsOf, entryOf, nearestEntry } from './mapped-lists.ts';
import { checkOffer } from './media-check.ts';
import { calledNumber, calledUser, callerId, dialingPermission, turn } from './number-checks.ts';
import { ownedNumber } from './numbers.ts';
import { accountOf, type Check, type Facts, nameOf, type Question } from './question.ts';
import { type Refusal, refuse } from './refusal.ts';

export type Verdict =
  | { readonly kind: 'admitted'; readonly admitted: Admitted }
  | {
      readonly kind: 'refused';
      readonly refusal: Refusal;
      /** Who it is, where they had shown that before they were refused. */
      readonly username?: string;
    };

/** By the names that they are told by. */
export const CHECKS = {
  transport: secureTransport,
  lists: anyList,
  source: sourceAddress,
  password: credentials,
  account: activeAccount,
  media: offeredMedia,
  hops,
  contact: contactAddress,
  turn,
  number: calledNumber,
  caller: callerId,
  permission: dialingPermission,
} as const satisfies Readonly<Record<string, Check>>;

export type CheckName = keyof typeof CHECKS;

const DOMAIN_CHECKS: readonly CheckName[] = [
  'transport',
  'lists',
  'source',
  'password',
  'account',
  'media',
  'hops',
  'contact',
  'turn',
];

const TRUNK_CHECKS: readonly CheckName[] = [
  'transport',
  'lists',
  'source',
  'password',
  'account',
  'turn',
  'number',
  'caller',
  'permission',
  'media',
  'hops',
  'contact',
];

/** In the order in which a call is asked. */
export const checksOf = ({ kind }: Place): readonly CheckName[] =>
  kind === 'domain' ? DOMAIN_CHECKS : TRUNK_CHECKS;

const DEFAULT_HOPS = 70;

/** Pure, but that a nonce count which was good is used up, and the call's turn. */
export function admit(question: Question): Verdict {
  let facts: Facts = {};
  // A call in place of another one calls nobody: its numbers are not asked about.
  for (const name of question.replaces ? DOMAIN_CHECKS : checksOf(question.place)) {
    const found: Facts | Refusal | undefined = CHECKS[name](question);
    if (found && 'status' in found) return refused(found, facts);
    facts = { ...facts, ...found };
  }
  return { kind: 'admitted', admitted: admittedOf(question, facts) };
}

const refused = (refusal: Refusal, { username }: Facts): Verdict => ({
  kind: 'refused',
  refusal,
  ...(username !== undefined && { username }),
});

function admittedOf({ request, received, place, directory }: Question, facts: Facts): Admitted {
  const user = calledUser(request);
  const { username, offer, to = '', callerId: shown = '' } = facts;
  if (!offer) throw new Error('a call was admitted whose offer nobody read');
  const call = {
    received,
    host: place.host,
    user,
    offer,
    hopsLeft: hopsOf(request) - 1,
    ...(username !== undefined && { username }),
  };
  if (place.kind === 'trunk') {
    const { trunk } = place;
    return { ...call, kind: 'trunk', accountSid: trunk.accountSid, trunk, to, callerId: shown };
  }
  const { domain, by } = place;
  const { accountSid } = domain;
  const number = ownedNumber(directory, accountSid, user);
  return { ...call, kind: 'domain', accountSid, domain, by, ...(number && { number }) };
}

export function secureTransport({
  received,
  place,
}: Pick<Question, 'received' | 'place'>): Refusal | undefined {
  const { name, secure } = nameOf(place);
  if (!secure || received.transport === 'tls') return undefined;
  return refuse(488, 32_209, {
    reason: 'Secure SIP transport required',
    why: `it came by ${received.transport.toUpperCase()}, and ${name} is secure`,
    fix: `have the caller use TLS, or clear Secure on ${name}`,
    stranger: true,
  });
}

/** Whether the IP record that found the domain already says who calls. */
export const isMappedSource = (place: Place): boolean =>
  place.kind === 'domain' && place.by === 'source-address';

function anyList({ place, directory }: Question): Refusal | undefined {
  const isGuarded =
    isMappedSource(place) ||
    accessListsOf(directory, place).length > 0 ||
    credentialListsOf(directory, place).length > 0;
  if (isGuarded) return undefined;
  const { name } = nameOf(place);
  return refuse(403, 32_200, {
    why: `no access control list and no credential list is mapped to ${name}, so nobody may call it`,
    fix: `map an IpAccessControlList or a CredentialList to ${name}`,
    stranger: true,
  });
}

function sourceAddress({ received, place, directory }: Question): Refusal | undefined {
  const lists = accessListsOf(directory, place);
  if (isMappedSource(place) || lists.length === 0) return undefined;
  if (entryOf(directory, lists, received.address)) return undefined;
  const { name } = nameOf(place);
  const nearest = nearestEntry(directory, lists, received.address);
  return refuse(403, 32_201, {
    why: `source ${received.address} is in no list of ${name}; ${nearest ? `nearest: ${nearest}` : 'its lists hold no address to compare with'}`,
    fix: `add ${received.address} to ${lists.join(' or ')}`,
    stranger: true,
  });
}

function credentials({ request, place, directory, digest, mayTry }: Question): Facts | Refusal | undefined {
  const lists = credentialListsOf(directory, place);
  if (lists.length === 0) return undefined;
  const owner = place.kind === 'domain' ? place.domain.sid : place.trunk.sid;
  return checkDigest(request, { directory, lists, owner }, { terms: digest, mayTry });
}

/** Asked late: whether an account is suspended is no stranger's affair. */
export function activeAccount({
  place,
  directory,
}: Pick<Question, 'place' | 'directory'>): Refusal | undefined {
  const accountSid = accountOf(place);
  const own = directory.find(account, accountSid);
  const parent = own && directory.find(account, own.accountSid);
  const idle = [own, parent].find((each) => each?.status !== 'active');
  if (own && !idle) return undefined;
  return refuse(403, 32_005, {
    why: `account ${idle?.sid ?? accountSid} is ${idle?.status ?? 'gone'}`,
    fix: 'set its Status to active',
  });
}

function offeredMedia({ request, place }: Question): Facts | Refusal {
  return checkOffer(request.body, nameOf(place));
}

function hops({ request }: Question): Refusal | undefined {
  if (hopsOf(request) > 0) return undefined;
  return refuse(483, 32_006, {
    why: 'Max-Forwards is 0: the call has passed too many servers',
    fix: 'look for a loop between the servers that it came by',
  });
}

const hopsOf = (request: RequestView): number => Number(request.header('Max-Forwards') ?? DEFAULT_HOPS);

/** A phone that runs on this machine may well name a loopback address; nobody else's can be reached there. */
function contactAddress({ request, received }: Question): Refusal | undefined {
  const contact = request.header('Contact');
  const host = contact === undefined ? undefined : hostOf(contact);
  const isLocal = host !== undefined && (host === 'localhost' || isLoopback(host));
  if (!isLocal || isLoopback(received.address)) return undefined;
  return refuse(400, 32_105, {
    why: `its Contact names ${host}, where only the caller itself is reached`,
    fix: 'give the caller an address of its network to announce',
  });
}

/** Request-URIs and Contacts have passed the stack's own check; a Contact of another scheme has no host. */
function hostOf(contact: string): string | undefined {
  try {
    return parseUri(parseNameAddr(contact).uri).host;
  } catch {
    return undefined;
  }
}
