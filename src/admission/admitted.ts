// What the door knows of a call that it lets in.
import type { incomingPhoneNumber, Row } from '../resources/index.ts';
import type { AudioDescription } from '../sdp/index.ts';
import type { Dialog, Endpoint, ServerInvite } from '../sip/index.ts';
import type { Domain, FoundBy, Place, Trunk } from './identify.ts';
import type { Refusal } from './refusal.ts';

interface AdmittedCall {
  readonly accountSid: string;
  /** Where it came from: SipSourceIp. */
  readonly received: Endpoint;
  /** Host of the Request-URI, in lower case. */
  readonly host: string;
  /** User part of the Request-URI, decoded; empty without one. */
  readonly user: string;
  /** Who showed a password; missing where an access control list or an IP record was enough. */
  readonly username?: string;
  readonly offer: AudioDescription;
  /** Max-Forwards of the calls that it leads to. */
  readonly hopsLeft: number;
}

/** A call for a SIP domain. */
export interface AdmittedToDomain extends AdmittedCall {
  readonly kind: 'domain';
  readonly domain: Domain;
  readonly by: FoundBy;
  /** The number that the user part names, where the domain's account, or one it may answer for, owns it. */
  readonly number?: Row<typeof incomingPhoneNumber>;
}

/** A PBX's call over its Elastic trunk. */
export interface AdmittedToTrunk extends AdmittedCall {
  readonly kind: 'trunk';
  readonly trunk: Trunk;
  /** E.164, or the number of an emergency service; not looked at in a call in place of another (RFC 3891). */
  readonly to: string;
  /** E.164; not looked at there either. */
  readonly callerId: string;
}

export type Admitted = AdmittedToDomain | AdmittedToTrunk;

/** Who takes the calls that the door lets in. */
export interface InboundCalls {
  /** Whose dialog it is, for a call in place of it that names nobody (RFC 3891). */
  placeOf?(dialog: Dialog): Place | undefined;
  /**
   * Takes the call: answers it, now or later. What is returned refuses it, and is kept with the other refusals.
   * Runs inside the handler of `onInvite`: 100 is sent when it returns.
   */
  accept(invite: ServerInvite, admitted: Admitted): Refusal | undefined;
}
