// What a dialog is told by the INVITE that makes it.
import type { Body } from '../agent.ts';
import type { Credentials } from '../auth/digest.ts';
import type { Refusal } from '../message/check.ts';
import type { SipMessage } from '../message/message.ts';
import type { Flow } from '../transport/transport.ts';
import type { DialogState } from './dialog.ts';
import type { SessionInterval } from './session-interval.ts';

/** The INVITE of an early dialog: what it does with requests inside that. */
export interface EarlyInvite {
  /** What keeps an UPDATE's offer from being looked at yet (RFC 3311 §5.2). */
  refusal(): Refusal | undefined;
  /** An UPDATE's offer. */
  offered(offer: string): Body | number;
  prack(prack: SipMessage): Body | number | undefined;
  /** What waited for the PRACK may be sent: its own response has been. */
  pracked(): void;
  /** The caller's BYE. */
  ended(): void;
}

/** What a 2xx to the INVITE settled. */
export interface Confirmation {
  /** Our session description. */
  readonly body: Body | undefined;
  readonly interval: SessionInterval | undefined;
  /** The peer's INVITE or response. */
  readonly peer: SipMessage;
  /** That of the 2xx, whose route set counts (RFC 3261 §13.2.2.4). */
  readonly state?: DialogState;
}

export interface SessionOptions {
  readonly state: DialogState;
  readonly flow: Flow;
  readonly ownsCallId: boolean;
  readonly credentials?: Credentials | undefined;
}
