// What is asked of calls, its parameters already checked: to place one, to change one, to record one.

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
  /** What was given and is not followed. */
  readonly warnings?: readonly OrderWarning[];
}

/** What decides a call's route. */
export type RouteQuestion = Pick<
  CallOrder,
  'accountSid' | 'to' | 'from' | 'byoc' | 'carrierRoute' | 'timeoutS'
>;
