// Where a call to a SIP URI goes: to the devices of a registered user, or out into the world.
import { identify } from '../../admission/index.ts';
import type { Contacts } from '../../registrar/index.ts';
import { account, type DomainSuffixes, isUnder } from '../../resources/index.ts';
import type { Target } from '../../routing/index.ts';
import { formatUri, parseUri, type SipUri } from '../../sip/index.ts';
import type { Directory } from '../../store/index.ts';
import type { RouteQuestion } from '../order.ts';
import { isSecure, readUri } from './request-uri.ts';

/** What planning looks at. */
export interface PlanWorld {
  readonly directory: Directory;
  readonly suffixes: DomainSuffixes;
  /** Where a user of a domain is reached now. */
  contactsOf(domainSid: string, user: string): Contacts;
}

/** Why nobody can be called, under Twilio's code. */
export interface PlanFailure {
  readonly code: number;
  readonly sipStatus?: number;
  readonly why: string;
}

/** One user's devices, which ring all at once; or a SIP address, called as it is. */
export type Callee = 'devices' | 'address';

export interface SipPlan {
  readonly rule: string;
  readonly targets: readonly Target[];
  readonly callee?: Callee;
  /** Whose user is called. */
  readonly domainSid?: string;
  readonly fromDomain: string | undefined;
  readonly failure?: PlanFailure;
}

/** Twilio: the user is not registered. */
const NOT_REGISTERED = 32009;
const NOT_SECURE = 32209;
/** Twilio: the content of <Sip> is no SIP URI. */
const BAD_URI = 13243;
const FOREIGN_DOMAIN = 32214;
const NO_USER = 32223;
/** Twilio: devices are called wherever they registered, so that nobody may name one edge. */
const ONE_EDGE = 32220;
/** Stand in the names of old, and mean nothing (Twilio, 32220). */
const LEGACY_EDGES = ['us1', 'us1-ix'];

export function planSip(question: RouteQuestion, world: PlanWorld): SipPlan {
  const uri = readUri(question.to);
  if (!uri) return nobody('To is a SIP address', BAD_URI, 'To is no SIP URI that can be called');
  const { directory, suffixes } = world;
  const place = identify(uri.host, { address: '' }, { directory, suffixes });
  if (place.kind === 'domain' && place.by === 'name') return planUser(question, uri, { ...world, place });
  if (isUnder(uri.host, suffixes))
    return nobody(`To is at ${uri.host}`, FOREIGN_DOMAIN, `there is no SIP domain ${uri.host} here`);
  return {
    rule: 'To is a SIP URI: it is called as it is',
    targets: [targetOf(question.to)],
    callee: 'address',
    fromDomain: undefined,
  };
}

type DomainPlace = Extract<ReturnType<typeof identify>, { kind: 'domain' }>;

function planUser(
  { accountSid }: RouteQuestion,
  uri: SipUri,
  world: PlanWorld & { readonly place: DomainPlace },
): SipPlan {
  const { sid, domainName, accountSid: owner } = world.place.domain;
  const { user } = uri;
  const secure = isSecure(uri);
  const rule = `To is a user of SIP domain ${domainName}`;
  if (!isFamily(world.directory, accountSid, owner))
    return nobody(rule, FOREIGN_DOMAIN, `${domainName} is another account's`);
  if (user === undefined)
    return nobody(rule, NO_USER, `To names no user of ${domainName}, and a domain itself cannot be called`);
  const edge = edgeIn(uri.host, domainName);
  if (edge !== undefined && !LEGACY_EDGES.includes(edge))
    return nobody(rule, ONE_EDGE, `${uri.host} names the edge ${edge}: devices are called at ${domainName}`);
  const { bindings: registered, elsewhere } = world.contactsOf(sid, user);
  const apart =
    elsewhere.length > 0
      ? `registered at ${elsewhere.join(' and ')}, which alone can use its connection`
      : undefined;
  if (registered.length === 0)
    return nobody(rule, NOT_REGISTERED, `${user}@${domainName} is ${apart ?? 'not registered'}`, 480);
  const bindings = secure
    ? registered.filter(({ destination }) => destination.transport === 'tls')
    : registered;
  if (bindings.length === 0)
    return nobody(rule, NOT_SECURE, `${user}@${domainName} has not registered over TLS`, 488);
  const devices = bindings.length === 1 ? 'one device' : `${bindings.length} devices, which ring together`;
  return {
    rule: `${rule}, registered with ${devices}${apart === undefined ? '' : `; another is ${apart}`}`,
    targets: bindings.map((binding) => ({
      ...targetOf(secure ? asSecure(binding.uri) : binding.uri),
      destination: binding.destination,
    })),
    callee: 'devices',
    domainSid: sid,
    fromDomain: domainName,
  };
}

/** The labels that a localized name has beyond the domain's own. */
function edgeIn(host: string, domainName: string): string | undefined {
  const [labels, own] = [host.toLowerCase().replace(/\.$/, '').split('.'), domainName.split('.')];
  const more = labels.length - own.length;
  const at = labels.findIndex((label, index) => label !== own[index]);
  return more > 0 ? labels.slice(at, at + more).join('.') : undefined;
}

const targetOf = (uri: string): Target => ({ sid: null, uri, priority: 0, weight: 1, enabled: true });

const nobody = (rule: string, code: number, why: string, sipStatus?: number): SipPlan => ({
  rule,
  targets: [],
  fromDomain: undefined,
  failure: { code, why, ...(sipStatus !== undefined && { sipStatus }) },
});

function asSecure(contact: string): string {
  const uri = parseUri(contact);
  return formatUri({ ...uri, params: new Map([...uri.params, ['secure', 'true']]) });
}

/** The same account, or one of them the other's parent. */
function isFamily(directory: Directory, one: string, other: string): boolean {
  const parentOf = (sid: string) => directory.find(account, sid)?.accountSid;
  return one === other || parentOf(one) === other || parentOf(other) === one;
}
