// What every check of an INVITE is asked with, and what it may have found out.
import type { Endpoint, RequestView } from '../sip/index.ts';
import type { Directory } from '../store/index.ts';
import type { Admitted } from './admitted.ts';
import type { DigestTerms, MayTry } from './digest.ts';
import type { Place } from './identify.ts';
import type { TurnVerdict } from './inbound-pace.ts';
import type { Refusal } from './refusal.ts';

/** Numbers that are not like others. */
export interface SpecialNumbers {
  /** Of emergency services, without +. */
  readonly emergency: readonly string[];
  /** First digits, with +, of those known for toll fraud. */
  readonly tollFraudPrefixes: readonly string[];
  /** Whether a PBX may call as any number over its trunk; else as those of its account alone. */
  readonly anyCallerId?: boolean;
}

export interface Question {
  readonly request: RequestView;
  readonly received: Endpoint;
  readonly place: Place;
  readonly directory: Directory;
  readonly digest: DigestTerms;
  readonly mayTry: MayTry;
  readonly numbers: SpecialNumbers;
  /** Takes the call's turn among those that come in, unless it has none. */
  readonly takeTurn: () => TurnVerdict;
  /** It comes in place of another call (RFC 3891). */
  readonly replaces?: boolean;
}

/** What the checks have found out so far. */
export type Facts = Partial<
  Pick<Admitted, 'username' | 'offer'> & { readonly to: string; readonly callerId: string }
>;

export type Check = (question: Question) => Facts | Refusal | undefined;

/** As it stands in refusals, and whether it is secure. */
export const nameOf = (place: Place): { readonly name: string; readonly secure: boolean } => {
  const { domainName, sid, secure } = place.kind === 'domain' ? place.domain : place.trunk;
  const kind = place.kind === 'domain' ? 'domain' : 'trunk';
  return { name: `${kind} ${domainName ?? sid}`, secure };
};

export const accountOf = (place: Place): string =>
  (place.kind === 'domain' ? place.domain : place.trunk).accountSid;
