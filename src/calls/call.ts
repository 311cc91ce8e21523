// A call as its script, its verbs and its transfers see it, and the calls that it leads to. Types alone: whoever makes
// calls and whoever is made of them meet here.
import type { MediaSession } from '../media/index.ts';
import type { RouteTrace } from '../routing/index.ts';
import type { HeaderField } from '../sip/index.ts';
import type { Parameters } from '../twiml/index.ts';
import type { CallRow } from './call-life.ts';
import type { SipFacts } from './leg/leg.ts';
import type { CallEvent, MachineDetection, OrderWarning, TwimlSource, WebhookTarget } from './order.ts';
import type { CallEnding } from './outcome.ts';
import type { LiveRecording } from './recording/live.ts';
import type { RecordingStart } from './recording/shelf.ts';
import type { CallTwiml } from './twiml/call-twiml.ts';
import type { FormParameters } from './webhook/signature.ts';

export interface Call {
  /** Calls of one family can be bridged: a Dial's with those it rings. */
  readonly family: string;
  /** Max-Forwards of the calls that it leads to; 70 where it began here. */
  readonly hopsLeft: number | undefined;
  /** The SIP domain that it, or the call that it belongs to, came in by. */
  readonly domainSid: string | undefined;
  readonly row: CallRow;
  readonly trace: RouteTrace;
  /** What things that belong to it name. */
  readonly key: { readonly accountSid: string; readonly callSid: string };
  readonly twiml: CallTwiml;
  /** Its media, from the answer to the end. */
  readonly session: MediaSession | undefined;
  /** The same, from early media on. */
  readonly audible: MediaSession | undefined;
  /** What a Dial's action request tells of its SIP leg. */
  readonly sip: SipFacts | undefined;
  readonly ended: boolean;
  /** It is live, and has had no TwiML yet. */
  readonly isUntouched: boolean;
  /** Of a BYE to a party that leaves while the call goes on. */
  readonly byeHeaders: readonly HeaderField[];
  note(kind: 'call' | 'twiml' | 'warning', text: string): void;
  /** What went wrong without ending it: a Notification. */
  warn(code: number, text: string): void;
  /** The same of what was asked for and refused. */
  fault(code: number, text: string): void;
  /** The caller's name was found. */
  named(callerName: string): void;
  /** It is for somebody else than was known when it began. */
  readdress(parties: Partial<Pick<CallRow, 'to' | 'direction'>>): void;
  /** Lets a caller who is not answered hear sound; `then` runs where that can be. */
  openEarly(then: () => void): void;
  /** Picks up; resolves when media flows, and never where the call ends before. */
  answer(): Promise<void>;
  /** Records what `session` hears and sends, as this call's. */
  record(session: MediaSession, start: Omit<RecordingStart, 'accountSid' | 'callSid'>): LiveRecording;
  /** Leaves the TwiML that runs for another. */
  runTwiml(source: TwimlSource): void;
  /** Its party, whose REFER was taken, hears how that stands. */
  referProgress(status: number): void;
  /** A callee's caller leaves: it goes on with this document. Resolves when that is there, or cannot be had. */
  goOnAlone(target: WebhookTarget, parameters: Parameters): Promise<void>;
  /** Begins a call that belongs to this one, in its media family. */
  place(order: ChildOrder): Call;
  /** Ends the call in whatever state it is; `why` goes into its record. */
  end(why: string): void;
  /** Ends a callee's call by the exchange's own doing: it has not been answered, where nobody picked up. */
  giveUp(why: string): void;
}

/** What makes one kind of call different from another: what it does when it begins, is answered, and ends. */
export interface CallScript {
  /** What requests to the app carry beside the usual: SipDomain and the like. */
  readonly parameters?: FormParameters;
  readonly fallback?: WebhookTarget;
  /** Seconds from the answer. */
  readonly timeLimitS: number;
  readonly machineDetection?: MachineDetection;
  /** Said when it begins. */
  readonly warnings?: readonly OrderWarning[];
  /** Its leg has begun: the INVITE is on its way, or the caller's media is being reserved. */
  begun?(call: Call): void;
  ringing?(call: Call): void;
  /** There is sound before the answer. */
  early?(call: Call, session: MediaSession): void;
  connected(call: Call, session: MediaSession): void;
  /** It is given other TwiML over the API, which runs next. */
  redirected?(call: Call): void;
  /** The party asks to be sent to `target` by REFER; whether it will be. */
  referred?(call: Call, target: string): boolean;
  ended?(call: Call, ending: CallEnding): void;
}

/** A call that belongs to another. */
export interface ChildOrder {
  readonly parent: CallRow;
  readonly to: string;
  readonly from: string;
  /** Whom the callee sees calling, where it is not `from`. */
  readonly callerId?: string;
  /** Of a call that a PBX has transferred; a Dial's has none. */
  readonly trunk?: { readonly sid: string; readonly direction: CallRow['direction'] };
  /** Sid of the BYOC trunk, as written. */
  readonly byoc?: string;
  readonly timeoutS: number;
  /** Further headers of its INVITE. */
  readonly headers: readonly HeaderField[];
  readonly sipAuth?: { readonly username: string; readonly password: string };
  readonly statusCallback?: WebhookTarget & { readonly events: readonly CallEvent[] };
  readonly script: CallScript;
}
