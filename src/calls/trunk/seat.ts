// A PBX's place in a call of its trunk: what is asked by a message that names its dialog (RFC 3891).
import type { Place, Refusal } from '../../admission/index.ts';
import type { Dialog } from '../../sip/index.ts';
import type { ThroughLegGivens } from './through-leg.ts';
import type { OtherCall } from './transfer-target.ts';

export interface Seat {
  readonly trunkSid: string;
  /** Where an INVITE that is to take it comes in. */
  readonly place: Place;
  /** Lets a call that comes in over this trunk take it. */
  takeOver(caller: ThroughLegGivens['caller'], trunkSid: string): Refusal | undefined;
  /** The call, where its far party may be joined with another. */
  offered(): OtherCall | undefined;
}

/** By the PBXs' dialogs. */
export type Seats = WeakMap<Dialog, Seat>;
