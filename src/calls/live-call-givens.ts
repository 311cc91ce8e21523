// What a live call is made of and made for.
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { CallAppDeps } from './call-app.ts';
import type { CallRow } from './call-life.ts';
import type { CallRecordDeps } from './call-record.ts';
import type { CallScript } from './call-script.ts';
import type { Leg, LegObserver } from './leg/leg.ts';
import type { LiveCall } from './live-call.ts';
import type { RecordingShelf } from './recording/shelf.ts';
import type { ChildOrder } from './twiml/dial-order.ts';

export interface LiveCallDeps extends CallRecordDeps, CallAppDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly recordings: RecordingShelf;
  /** Refuses calls that came in, and are not answered, where their app fails; without it they are answered by an apology. */
  readonly appFailure?: number | undefined;
  /** Begins a call that belongs to another. */
  placeChild(parent: LiveCall, order: ChildOrder): LiveCall;
}

export interface LiveCallGivens {
  readonly row: CallRow;
  readonly script: CallScript;
  /** Calls of one family can be bridged: a Dial's with those it rings. */
  readonly family: string;
  /** Max-Forwards of the calls that it leads to; 70 where it began here. */
  readonly hopsLeft?: number;
  /** The SIP domain that it, or the call that it belongs to, came in by. */
  readonly domainSid?: string;
  /** The SIP domain whose user it calls. */
  readonly calledDomainSid?: string;
  leg(observer: LegObserver): Leg;
}

export interface LiveCallObserver {
  ended(): void;
  /** It has ended, and all about it is stored; again after a late event. */
  finished(): void;
}
