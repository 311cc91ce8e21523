// Where calls come in: says whom each one speaks to, lets it in or refuses it, and keeps why.
import { isIP } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import {
  type Endpoint,
  parseNameAddr,
  parseUri,
  type RequestView,
  type ServerInvite,
  type UserAgent,
} from '../sip/index.ts';
import { admit } from './admit.ts';
import type { InboundCalls } from './admitted.ts';
import type { DigestTerms } from './digest.ts';
import { type Examination, examine, inviteOf, type Visit } from './examine.ts';
import { type Identified, identify, type Place, type Premises } from './identify.ts';
import type { InboundPace, InboundTurn, TurnVerdict } from './inbound-pace.ts';
import { accountOf, type SpecialNumbers } from './question.ts';
import { type Refusal, refuse, refuseWithoutCode } from './refusal.ts';
import type { RejectionLog } from './rejection-log.ts';
import type { Strangers } from './strangers.ts';

export interface DoorParts extends Premises {
  readonly digest: DigestTerms;
  readonly strangers: Strangers;
  readonly rejections: RejectionLog;
  /** Whom refusals belong to where the request named nobody's domain. */
  readonly mainAccountSid: string;
  readonly clock: Clock;
  readonly numbers: SpecialNumbers;
  readonly pace: InboundPace;
  /** Calls that an account has now, whoever placed them; or a trunk. */
  readonly liveCalls: (sid: string) => number;
}

/** A request that stands at the door. */
export interface Visitor {
  readonly request: RequestView;
  readonly received: Endpoint;
}

/** How a refusal is told, or that it is not. */
export type Telling = 'silent' | 'stateless' | 'stateful';

export class Door {
  readonly #parts: DoorParts;

  constructor(parts: DoorParts) {
    this.#parts = parts;
  }

  /** Takes the agent's calls. */
  open(agent: UserAgent, calls: InboundCalls): void {
    agent.onInvite((invite) => this.#take(invite, calls));
  }

  identify({ request, received }: Visitor): Identified {
    return identify(parseUri(request.uri).host, received, this.#parts);
  }

  /** A user at the visitor's source has shown who they are. */
  proved({ received }: Visitor, username: string): void {
    this.#parts.strangers.proved(received.address, username);
  }

  mayTry({ received }: Visitor): (username: string) => boolean {
    return (username) => this.#parts.strangers.mayTry(received.address, username);
  }

  /** Says how the refusal is to be told, and keeps it. */
  turnAway(visitor: Visitor, place: Identified, refusal: Refusal): Telling {
    const telling = this.#tellingOf(visitor, refusal);
    const isFirstStep = refusal.challenge === true && telling !== 'silent';
    if (!isFirstStep) this.#keep(visitor, place, telling === 'silent' ? silenced(refusal) : refusal);
    return telling;
  }

  #take(invite: ServerInvite, calls: InboundCalls): void {
    const named = this.identify(invite);
    const replaced =
      named.kind === 'unknown' && invite.replaces ? calls.placeOf?.(invite.replaces) : undefined;
    const place = replaced ?? named;
    const refusal = place.kind === 'unknown' ? noSuchPlace(place.host) : this.#enter(invite, place, calls);
    if (!refusal) return;
    const { status, headers, reason } = refusal;
    const telling = this.turnAway(invite, place, refusal);
    if (telling === 'silent') return invite.ignore();
    const stateless = telling === 'stateless';
    invite.reject(status, headers, { stateless, ...(reason !== undefined && { reason }) });
  }

  #enter(invite: ServerInvite, place: Place, calls: InboundCalls): Refusal | undefined {
    const { request, received } = invite;
    const { directory, digest, numbers } = this.#parts;
    const [mayTry, takeTurn] = [this.mayTry(invite), () => this.#takeTurn(place)];
    const replaces = invite.replaces !== undefined;
    const verdict = admit({
      request,
      received,
      place,
      directory,
      digest,
      mayTry,
      numbers,
      takeTurn,
      replaces,
    });
    if (verdict.kind === 'refused') {
      if (verdict.username !== undefined) this.proved(invite, verdict.username);
      return verdict.refusal;
    }
    const { username } = verdict.admitted;
    if (username !== undefined) this.proved(invite, username);
    return calls.accept(invite, verdict.admitted);
  }

  /** What a call would meet that is only asked about: it takes no turn, and nothing is kept of it. */
  examine(visit: Visit): Examination {
    const request = inviteOf(visit);
    const { received, username } = visit;
    const place = this.identify({ request, received });
    if (place.kind === 'unknown') return { place, request, checks: [], refusal: noSuchPlace(place.host) };
    const { directory, digest, numbers } = this.#parts;
    const mayTry = this.mayTry({ request, received });
    const takeTurn = () => this.#judgeTurn(place);
    const question = { request, received, place, directory, digest, mayTry, numbers, takeTurn };
    return examine({ ...question, ...(username !== undefined && { username }) });
  }

  #takeTurn(place: Place): TurnVerdict {
    const { pace, clock } = this.#parts;
    return pace.take(this.#turnOf(place), clock.monotonic());
  }

  #judgeTurn(place: Place): TurnVerdict {
    const { pace, clock } = this.#parts;
    return pace.judge(this.#turnOf(place), clock.monotonic());
  }

  #turnOf(place: Place): InboundTurn {
    const accountSid = accountOf(place);
    const { liveCalls } = this.#parts;
    const call = { accountSid, liveCalls: liveCalls(accountSid) };
    if (place.kind !== 'trunk') return call;
    const trunkSid = place.trunk.sid;
    return { ...call, trunkSid, overTrunk: liveCalls(trunkSid) };
  }

  #tellingOf({ received }: Visitor, { stranger, silent, failedUser }: Refusal): Telling {
    const { strangers } = this.#parts;
    if (silent) return 'silent';
    if (!stranger) return 'stateful';
    const isHeard = strangers.mayAnswer(received.address);
    if (failedUser !== undefined) strangers.failed(received.address, failedUser);
    return isHeard ? 'stateless' : 'silent';
  }

  #keep({ request, received }: Visitor, place: Identified, refusal: Refusal): void {
    const { rejections, mainAccountSid } = this.#parts;
    const { status, errorCode, why, fix, silent } = refusal;
    const domain = place.kind === 'domain' ? place.domain : undefined;
    const trunk = place.kind === 'trunk' ? place.trunk : undefined;
    rejections.add({
      accountSid: domain?.accountSid ?? trunk?.accountSid ?? mainAccountSid,
      method: request.method === 'REGISTER' ? 'REGISTER' : 'INVITE',
      sourceIp: received.address,
      sourcePort: received.port,
      transport: received.transport,
      domain: place.host,
      domainSid: domain?.sid ?? null,
      trunkSid: trunk?.sid ?? null,
      from: uriIn(request.header('From')),
      to: uriIn(request.header('To')),
      sipCallId: request.header('Call-ID') ?? null,
      status: silent ? null : status,
      errorCode: errorCode ?? null,
      reason: why,
      fix: fix ?? null,
    });
  }
}

/** The request named no domain, no trunk and no mapped address. */
export function noSuchPlace(host: string): Refusal {
  return isIP(host) !== 0
    ? refuseWithoutCode(403, {
        why: `the address ${host} was called, and neither it nor the source is an IP record mapped to a domain`,
        fix: 'call a domain by its name, or add an IpRecord and a SourceIpMapping for the source',
        stranger: true,
      })
    : refuse(404, 32_002, {
        why: `no domain and no trunk is named ${host}`,
        fix: `create the domain, or correct the host that the caller uses`,
        stranger: true,
      });
}

const silenced = (refusal: Refusal): Refusal =>
  refusal.silent
    ? refusal
    : {
        ...refusal,
        why: 'the source was refused too often and is not answered for a while',
        fix: 'see the rows before: what they name is the cause',
        silent: true,
      };

function uriIn(header: string | undefined): string | null {
  try {
    return header === undefined ? null : parseNameAddr(header).uri;
  } catch {
    return null;
  }
}
