// A leg: one party of a call, its dialog and its media; the same for those who are called and those who call.
import type { MediaSession } from '../../media/index.ts';
import type { RouteTrace } from '../../routing/index.ts';
import type { Dialog, HeaderField, RequestReply, RequestView } from '../../sip/index.ts';
import type { CallEnding } from '../outcome.ts';

export interface LegObserver {
  /** The first INVITE is about to leave; of a call that came in: it is taken, and will ring. */
  dialing(): void;
  ringing(): void;
  /** Sound comes from the callee, or can go to the caller, before the answer. */
  early(session: MediaSession): void;
  /** Once: by the callee, or because of `answer`. */
  answered(dialog: Dialog): void;
  /** After `answered`: media flows from here on. */
  connected(session: MediaSession): void;
  /** It is over before an answer: nobody took it, the caller gave up, or there were no ports. Not after `close`. */
  unanswered(ending: CallEnding): void;
  /**
   * It was answered, and is over by the party's doing or because its media cannot be used. Not after `close`.
   * @param errorCode Twilio's, where there is one.
   */
  hungUp(why: string, errorCode?: number): void;
  /** The party asks to be sent elsewhere (RFC 3515): what answers it, 202 where it will be. */
  referred(target: string, request: RequestView): RequestReply | number;
  /** What went wrong without ending it, under Twilio's code. */
  warned(code: number, text: string): void;
  /** Media with the party go by another session from here on. */
  moved?(session: MediaSession): void;
  /** The trace has grown after the end. */
  traced(): void;
}

/** What an app is told of a SIP leg that was called. */
export interface SipFacts {
  readonly callId: string;
  /** Where the INVITE went, and the response came from. */
  readonly address: string;
  /** Of the final response to the INVITE. */
  readonly responseCode: number;
  /** X- headers of the final response, or of the party's BYE. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

export interface Leg {
  readonly trace: RouteTrace;
  readonly isAnswered: boolean;
  /** Media with the party: from `early` or `connected` on. */
  readonly session: MediaSession | undefined;
  /** Those that are up: each gets a BYE where this process is lost. */
  readonly dialogs: readonly Dialog[];
  /** Undefined until there was a final response. */
  readonly sip: SipFacts | undefined;
  /** Looks for the callee; lets a caller hear that it rings (180). The call's row is durable. */
  start(): void;
  /** Picks up a call that came in; `answered` and `connected` follow. Does nothing elsewhere, and the second time. */
  answer(): void;
  /** Lets a caller who is not answered hear sound (183); `early` follows where it can. Does nothing elsewhere. */
  openEarly(): void;
  /** Refuses a call that came in and is not answered; `close` then does nothing more. Does nothing elsewhere. */
  refuse(status: number, reason?: string): void;
  /** Gives up a callee who has not answered; `unanswered` follows. False where nothing was sent, and nobody will tell. */
  cancel(): boolean;
  /**
   * Sends the party elsewhere by REFER.
   * @param done told once for the REFER's answer, and again for each NOTIFY with the status it carries.
   */
  refer(target: { readonly uri: string; readonly headers: readonly HeaderField[] }, done: ReferHandler): void;
  /** Tells the party, whose REFER was taken, how the new call stands; 200 and above is the last word. */
  referProgress(status: number): void;
  /** Ends it in whatever state: BYE where it was answered. Its ports are free. */
  close(byeHeaders: readonly HeaderField[]): void;
}

/** The leg of one party, and not of two. */
export interface Party extends Leg {
  /** Takes the answered party's media to another family by re-INVITE; false where the party would not have it. */
  moveTo(family: string): Promise<boolean>;
}

/** `refused` has the REFER's final status, 408 where none came; `notified` the status of the new call so far. */
export type ReferHandler = (event: {
  readonly type: 'accepted' | 'refused' | 'notified';
  readonly status: number;
}) => void;
