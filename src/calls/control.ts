// What the API may ask of calls. The API sees this and nothing else of the engine.
import type { call, Row, recording } from '../resources/index.ts';
import type { RouteTrace } from '../routing/index.ts';
import type { EmergencyQuestion, EmergencyVerdict } from './route/emergency.ts';
import type { Explanation } from './route/explain.ts';

export type CallEvent = 'initiated' | 'ringing' | 'answered' | 'completed';

/** A request for a URL: an address and the verb it is called with. */
export interface WebhookTarget {
  readonly url: string;
  readonly method: 'GET' | 'POST';
}

/** Where a call's TwiML comes from. */
export type TwimlSource = { readonly twiml: string } | WebhookTarget;

/** A call that was asked for, its parameters already checked. */
export interface CallOrder {
  readonly accountSid: string;
  readonly to: string;
  readonly from: string;
  /** Sid of the BYOC trunk that carries the call to a phone number. */
  readonly byoc?: string;
  /** Sid of the CarrierRoute that chose the trunk, where the caller named none. */
  readonly carrierRoute?: string;
  /** It goes to an emergency service: past every limit. */
  readonly isEmergency?: true;
  readonly twiml: TwimlSource;
  readonly fallback?: WebhookTarget;
  readonly statusCallback?: WebhookTarget & { readonly events: readonly CallEvent[] };
  /** Seconds to an answer, over all attempts. */
  readonly timeoutS: number;
  /** Seconds the call may last once answered. */
  readonly timeLimitS: number;
  /** Whom the callee sees calling, where it is not `from`. */
  readonly callerId?: string;
  /** Shown to the callee where the carrier and the phone know how. */
  readonly callReason?: string;
  /** Answers the challenge of a callee's server. Kept in memory only, and never told to anybody else. */
  readonly sipAuth?: { readonly username: string; readonly password: string };
  /** Keys to press once answered, with `w` for half a second and `W` for a second. */
  readonly sendDigits?: string;
  /** From the answer. */
  readonly recording?: RecordingOrder;
  readonly machineDetection?: MachineDetection;
  /** What was accepted and has no effect; never with values. */
  readonly warnings: readonly OrderWarning[];
}

/** The app wants to know who picked up. */
export interface MachineDetection {
  /** Told at the answer (Twilio: `AsyncAmdStatusCallback`). */
  readonly callback?: WebhookTarget;
}

export interface OrderWarning {
  /** Twilio's error code, where it has one: a Notification then, else a line in the trace. */
  readonly code?: number;
  readonly text: string;
}

export interface RecordingOrder {
  readonly channels: 'mono' | 'dual';
  readonly track: 'inbound' | 'outbound' | 'both';
  readonly trim: 'trim-silence' | 'do-not-trim';
  readonly callback?: WebhookTarget & { readonly events: readonly RecordingEvent[] };
}

export type RecordingEvent = 'in-progress' | 'completed' | 'absent' | 'failed';

/** What may be changed of a recording under way. */
export interface RecordingUpdate {
  readonly status: 'paused' | 'in-progress' | 'stopped';
  /** Of a pause: whether it is left out, or recorded as silence. Default `silence`. */
  readonly pauseBehavior?: 'skip' | 'silence';
}

/** What may be changed of a live call; `status` wins over `twiml`. */
export interface CallChange {
  /** `canceled` ends a call that is not answered yet, `completed` one in any live state. */
  readonly status?: 'canceled' | 'completed';
  /** Leaves the running TwiML of an answered call for another. */
  readonly twiml?: TwimlSource;
  readonly fallback?: Partial<WebhookTarget>;
  readonly statusCallback?: Partial<WebhookTarget>;
  readonly timeLimitS?: number;
}

/** What decides a call's route. */
export type RouteQuestion = Pick<
  CallOrder,
  'accountSid' | 'to' | 'from' | 'byoc' | 'carrierRoute' | 'timeoutS'
>;

/** `not-live`: the call has ended; `wrong-state`: it is live, and what was asked for cannot be done now. */
export type ModifyResult = 'done' | 'not-live' | 'wrong-state';

/** The account has as many calls as it may, or as many that wait for their turn. */
export type PlaceRefusal = 'too-many-calls' | 'queue-full';

export interface CallControl {
  /** Stores the call as `queued` and starts it, at once or in its turn; resolves with its durable record. */
  place(order: CallOrder): Promise<Row<typeof call> | PlaceRefusal>;
  /** Changes all or nothing; resolves when it is committed. */
  change(sid: string, change: CallChange): Promise<ModifyResult>;
  /** Records a call that is answered; resolves with the recording's durable row. */
  startRecording(callSid: string, order: RecordingOrder): Promise<Row<typeof recording> | 'not-live'>;
  /**
   * Resolves with the row when it is committed.
   * @param sid of a recording, or `Twilio.CURRENT` for the call's latest that is under way.
   */
  changeRecording(
    callSid: string,
    sid: string,
    update: RecordingUpdate,
  ): Promise<Row<typeof recording> | 'not-live' | 'not-found'>;
  /** Whether a number is that of an emergency service. */
  isEmergency(this: void, number: string): boolean;
  /** Whether a call over the API to such a number may be placed, and by which carrier. */
  judgeEmergency(question: Pick<EmergencyQuestion, 'accountSid' | 'to' | 'from'>): EmergencyVerdict;
  /** Where such a call would go and why; nothing is placed. */
  explain(question: RouteQuestion): Promise<Explanation>;
  /** The trace of a call that is under way; finished ones are in the store. */
  liveTrace(sid: string): RouteTrace | undefined;
  /** False while draining: new calls are refused with 503. */
  readonly accepting: boolean;
}
