// What the API may ask of calls. The API sees this and nothing else of the engine.
import type { call, Row } from '../resources/index.ts';
import type { RouteTrace } from '../routing/index.ts';
import type { Explanation } from './explain.ts';

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
  readonly twiml: TwimlSource;
  readonly fallback?: WebhookTarget;
  readonly statusCallback?: WebhookTarget & { readonly events: readonly CallEvent[] };
  /** Seconds to an answer, over all attempts. */
  readonly timeoutS: number;
  /** Seconds the call may last once answered. */
  readonly timeLimitS: number;
  /** Parameters that were accepted and are not acted on, in words; they go into the trace. */
  readonly warnings: readonly string[];
}

/** What decides a call's route. */
export type RouteQuestion = Pick<
  CallOrder,
  'accountSid' | 'to' | 'from' | 'byoc' | 'carrierRoute' | 'timeoutS'
>;

export type ModifyResult = 'done' | 'not-live';

export interface CallControl {
  /** Stores the call as `queued` and starts it; resolves with its record once that is durable. */
  place(order: CallOrder): Promise<Row<typeof call>>;
  /** `canceled` ends a call that is not answered yet, `completed` one in any live state. */
  end(sid: string, status: 'canceled' | 'completed'): Promise<ModifyResult>;
  /** Leaves the running TwiML of an answered call for another. */
  redirect(sid: string, twiml: TwimlSource): Promise<ModifyResult>;
  /** Where such a call would go and why; nothing is placed. */
  explain(question: RouteQuestion): Promise<Explanation>;
  /** The trace of a call that is under way; finished ones are in the store. */
  liveTrace(sid: string): RouteTrace | undefined;
  /** False while draining: new calls are refused with 503. */
  readonly accepting: boolean;
}
