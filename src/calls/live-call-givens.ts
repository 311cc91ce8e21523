// What a live call is made of and made for.
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { Call, CallScript, ChildOrder } from './call.ts';
import type { CallAppDeps } from './call-app.ts';
import type { CallRow } from './call-life.ts';
import type { CallRecordDeps } from './call-record.ts';
import type { Leg, LegObserver } from './leg/leg.ts';
import type { RecordingShelf } from './recording/shelf.ts';

export interface LiveCallDeps extends CallRecordDeps, CallAppDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly recordings: RecordingShelf;
  /** Refuses calls that came in, and are not answered, where their app fails; without it they are answered by an apology. */
  readonly appFailure?: number | undefined;
  /** Begins a call that belongs to another. */
  placeChild(parent: Call, order: ChildOrder): Call;
}

export interface LiveCallGivens {
  readonly row: CallRow;
  readonly script: CallScript;
  readonly family: string;
  readonly hopsLeft?: number;
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
