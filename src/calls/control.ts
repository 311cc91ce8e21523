// What the API may ask of calls. The API sees this and nothing else of the engine.
import type { call, Row, recording } from '../resources/index.ts';
import type { RouteTrace } from '../routing/index.ts';
import type { CallChange, CallOrder, RecordingOrder, RecordingUpdate, RouteQuestion } from './order.ts';
import type { EmergencyQuestion, EmergencyVerdict } from './route/emergency.ts';
import type { Explanation } from './route/explain.ts';

/** `not-live`: the call has ended; `wrong-state`: it is live, and what was asked for cannot be done now. */
export type ModifyResult = 'done' | 'not-live' | 'wrong-state';

/** The call is another exchange's, which does not answer; why, as a sentence for people. */
export interface Unanswered {
  readonly unanswered: string;
}

/** The account has as many calls as it may, or as many that wait for their turn. */
export type PlaceRefusal = 'too-many-calls' | 'queue-full';

export interface CallControl {
  /** Stores the call as `queued` and starts it, at once or in its turn; resolves with its durable record. */
  place(order: CallOrder): Promise<Row<typeof call> | PlaceRefusal>;
  /** Changes all or nothing; resolves when it is committed. */
  change(sid: string, change: CallChange): Promise<ModifyResult | Unanswered>;
  /** Records a call that is answered; resolves with the recording's durable row. */
  startRecording(
    callSid: string,
    order: RecordingOrder,
  ): Promise<Row<typeof recording> | 'not-live' | Unanswered>;
  /**
   * Resolves with the row when it is committed.
   * @param sid of a recording, or `Twilio.CURRENT` for the call's latest that is under way.
   */
  changeRecording(
    callSid: string,
    sid: string,
    update: RecordingUpdate,
  ): Promise<Row<typeof recording> | 'not-live' | 'not-found' | Unanswered>;
  /** Whether a number is that of an emergency service. */
  isEmergency(this: void, number: string): boolean;
  /** Whether a call over the API to a number may be placed, and by which carrier to an emergency service. */
  judgeNumber(question: Pick<EmergencyQuestion, 'accountSid' | 'to' | 'from'>): EmergencyVerdict;
  /** Where such a call would go and why; nothing is placed. */
  explain(question: RouteQuestion): Promise<Explanation>;
  /** The trace of a call that is under way; finished ones are in the store. */
  liveTrace(sid: string): RouteTrace | undefined;
  /** False while draining: new calls are refused with 503. */
  readonly accepting: boolean;
}
