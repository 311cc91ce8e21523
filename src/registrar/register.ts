// The registrar's decision (RFC 3261 §10.3): bindings of one AOR and a request in, the bindings afterwards out. All of
// the request is done, or nothing. Pure.
import { hash } from 'node:crypto';
import type { World } from '../admission/index.ts';
import { type Refusal, refuse, refuseWithoutCode } from '../admission/index.ts';
import { newRow, registration } from '../resources/index.ts';
import type { Endpoint } from '../sip/index.ts';
import type { BindingRow } from './binding.ts';
import type { GivenContact, RegisterRequest } from './register-request.ts';

export const MAX_CONTACTS = 10;
export const MIN_EXPIRES_S = 600;
export const MAX_EXPIRES_S = 3600;

export interface Aor {
  readonly accountSid: string;
  readonly domainSid: string;
  readonly domain: string;
  readonly username: string;
  /** `sip:bob@name.sip.twilio.com` */
  readonly aor: string;
}

export interface Registering {
  readonly aor: Aor;
  /** Those that have not expired. */
  readonly bindings: readonly BindingRow[];
  readonly request: RegisterRequest;
  readonly received: Endpoint;
  /** This run of the exchange. */
  readonly node: string;
  /** Whether a device cannot be reached any more: its binding goes, unless the request renews it. */
  readonly isLost: (row: BindingRow) => boolean;
}

export interface Registered {
  readonly kind: 'registered';
  readonly bindings: readonly BindingRow[];
  readonly written: readonly BindingRow[];
  /** SIDs of those that the request removes. */
  readonly removed: readonly string[];
  /** SIDs of those that went because they were lost. */
  readonly over: readonly string[];
}

export type RegisterOutcome = Registered | { readonly kind: 'refused'; readonly refusal: Refusal };

export function register(given: Registering, world: World): RegisterOutcome {
  const { bindings, request } = given;
  const { contacts } = request;
  if (contacts === '*') return unregisterAll(given);
  const refusal = briefRefusal(contacts) ?? orderRefusal(given, contacts);
  if (refusal) return { kind: 'refused', refusal };
  const after = new Map(bindings.map((row) => [row.contactKey, row]));
  for (const contact of contacts) {
    if (contact.expiresS === 0) after.delete(contact.key);
    else after.set(contact.key, bound(given, { contact, current: after.get(contact.key) }, world));
  }
  const lost = [...after.values()].filter((row) => bindings.includes(row) && given.isLost(row));
  for (const { contactKey } of lost) after.delete(contactKey);
  if (after.size > Math.max(MAX_CONTACTS, bindings.length))
    return { kind: 'refused', refusal: tooMany(given) };
  return changed(bindings, [...after.values()], lost);
}

function unregisterAll(given: Registering): RegisterOutcome {
  const { bindings, request } = given;
  const refusal = bindings.map((row) => outOfOrder(row, request)).find((each) => each !== undefined);
  return refusal ? { kind: 'refused', refusal } : changed(bindings, []);
}

function changed(
  before: readonly BindingRow[],
  after: readonly BindingRow[],
  lost: readonly BindingRow[] = [],
): Registered {
  const kept = new Set([...after, ...lost].map(({ sid }) => sid));
  return {
    kind: 'registered',
    bindings: after,
    written: after.filter((row) => !before.includes(row)),
    removed: before.flatMap(({ sid }) => (kept.has(sid) ? [] : [sid])),
    over: lost.map(({ sid }) => sid),
  };
}

function briefRefusal(contacts: readonly GivenContact[]): Refusal | undefined {
  const brief = contacts.find(({ expiresS = MAX_EXPIRES_S }) => expiresS > 0 && expiresS < MIN_EXPIRES_S);
  if (!brief) return undefined;
  return refuseWithoutCode(423, {
    headers: [['Min-Expires', String(MIN_EXPIRES_S)]],
    why: `it asked for ${brief.expiresS} s, less than ${MIN_EXPIRES_S}`,
    fix: `set the registration interval of the device to ${MIN_EXPIRES_S} s or more`,
  });
}

/** A request that was overtaken by a later one of the same device changes nothing. */
function orderRefusal(given: Registering, contacts: readonly GivenContact[]): Refusal | undefined {
  const byKey = new Map(given.bindings.map((row) => [row.contactKey, row]));
  for (const { key } of contacts) {
    const row = byKey.get(key);
    const refusal = row && outOfOrder(row, given.request);
    if (refusal) return refusal;
  }
  return undefined;
}

function outOfOrder(row: BindingRow, { callId, cseq }: RegisterRequest): Refusal | undefined {
  if (row.sipCallId !== callId || cseq > row.cseq) return undefined;
  return refuseWithoutCode(400, {
    why: `its CSeq ${cseq} is not higher than ${row.cseq}, the last one of the same Call-ID`,
    fix: 'have the device count CSeq up within a Call-ID (RFC 3261 §10.2)',
  });
}

interface Place {
  readonly contact: GivenContact;
  readonly current: BindingRow | undefined;
}

function bound(given: Registering, { contact, current }: Place, world: World): BindingRow {
  const { aor, request, received } = given;
  const now = world.clock.now();
  const expiresS = Math.min(contact.expiresS ?? MAX_EXPIRES_S, MAX_EXPIRES_S);
  const values = {
    ...aor,
    contact: contact.uri,
    contactKey: contact.key,
    instanceId: contact.instanceId,
    regId: contact.regId,
    sourceIp: received.address,
    sourcePort: received.port,
    transport: received.transport,
    ownAddress: received.local ?? null,
    node: given.node,
    userAgent: request.userAgent,
    sipCallId: request.callId,
    cseq: request.cseq,
    expiresAt: now + expiresS * 1000,
  };
  if (current) return { ...current, ...values, dateUpdated: now };
  return newRow(registration, { ...values, sid: sidOf(aor, contact.key) }, world);
}

/** The same at every exchange, so that one device is one row, also where one has not heard of the other's yet. */
const sidOf = ({ domainSid, username }: Aor, contactKey: string): string =>
  registration.sid + hash('sha256', [domainSid, username, contactKey].join('\n')).slice(0, 32);

const tooMany = ({ aor, bindings }: Registering): Refusal =>
  refuse(403, 32_007, {
    why: `${aor.aor} has ${bindings.length} contacts, and may have ${MAX_CONTACTS}`,
    fix: 'unregister a device, or wait until one that is gone expires (an hour at most)',
  });
