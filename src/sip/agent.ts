// What the layers above see of the stack: calls placed and taken, dialogs, and how they end.

import type { Credentials } from './auth/digest.ts';
import type { DialogState } from './dialog/dialog.ts';
import type { Replaces } from './message/refer.ts';
import type { Body, HeaderField, RequestView, ResponseView } from './message/view.ts';
import type { Endpoint } from './transport/endpoint.ts';

export type { Credentials } from './auth/digest.ts';
export type { Body, HeaderField, RequestView, ResponseView } from './message/view.ts';
export type { Endpoint, TransportName } from './transport/endpoint.ts';

/** What a request of ours led to. `timeout` is timer B or F; `transport` that it could not be sent or was refused. */
export type RequestOutcome =
  | { readonly kind: 'response'; readonly response: ResponseView }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'transport'; readonly message: string };

/** `pending`: another offer of either side was under way, so nothing was sent. */
export type ReofferOutcome = RequestOutcome | { readonly kind: 'pending' };

export interface InviteOptions {
  /** Request-URI, and the To header's URI. */
  readonly uri: string;
  /** URI of the From header, without tag. */
  readonly from: string;
  readonly fromName?: string;
  /** Display name in Contact. */
  readonly contactName?: string;
  /** Where the request is sent; found by `locate`. */
  readonly destination: Endpoint;
  /** Further headers, in order. A control character in any of them makes `invite` throw SipSyntaxError. */
  readonly headers?: readonly HeaderField[];
  /** Our offer. Without it the peer makes one, and `InviteHandlers.offered` answers it. */
  readonly body?: Body;
  /** Answers one challenge (401 or 407), for this INVITE and for every request of ours inside its dialog. */
  readonly credentials?: Credentials;
}

/** Why an INVITE got no 2xx that could be used. */
export type InviteFailure = RequestOutcome;

/** What still came after `cancel()`, and how the stack dealt with it. */
export type LateEvent =
  | { readonly kind: 'provisional'; readonly status: number; readonly sent: 'CANCEL' }
  | { readonly kind: 'answer'; readonly status: number; readonly sent: 'ACK, BYE' }
  | { readonly kind: 'final'; readonly status: number };

export interface InviteHandlers {
  /** Every 1xx, 100 included, until a final response or `cancel()`. */
  provisional(response: ResponseView): void;
  /**
   * The first 2xx; the ACK has been sent. Further 2xx (forks) are acknowledged and ended, and told to `late` while the
   * dialog lasts.
   */
  answered(dialog: Dialog, response: ResponseView): void;
  /** Exactly once where `answered` is not called; not called after `cancel()` either. */
  failed(failure: InviteFailure): void;
  late?(event: LateEvent): void;
  /**
   * An offer of the peer before `answered`: its answer to an INVITE without a body (a number makes it end), or an early
   * UPDATE's (a number refuses it).
   */
  offered?(offer: string): Body | number;
}

/** A UAC's INVITE on its way. Exactly one of `answered`, `failed` or `cancel()` ends it for its owner. */
export interface ClientInvite {
  readonly callId: string;
  /**
   * Gives up. Retransmission stops. CANCEL goes out at once where a provisional was seen, else upon a late one
   * (RFC 3261 §9.1); a late 2xx gets ACK and BYE. What comes is told to `late`, for 64·T1 at most.
   */
  cancel(headers?: readonly HeaderField[]): void;
}

export interface DialogHandlers {
  /** The dialog is over: the peer's BYE, our BYE, or a request of ours that got 481, 408 or no answer. */
  ended(by: 'remote' | 'local' | 'failure', request?: RequestView): void;
  /**
   * The peer's re-INVITE or UPDATE with an offer: the answer's body, or a status that refuses it (such as 488). A promise
   * of either has 32 s, 16 s for an UPDATE; until then further offers of both sides wait.
   */
  offered(offer: string): Body | number | Promise<Body | number>;
  /** The offer whose answer is still promised was cancelled, or its time is up: no answer counts any more. */
  withdrawn?(): void;
  /** The answer that came in the ACK of a 2xx of ours which made the offer. */
  answered?(answer: string): void;
  /** The ACK of a 2xx of ours has come: to the INVITE that made the dialog, or to a re-INVITE. */
  acknowledged?(): void;
  /**
   * INFO, REFER, NOTIFY (of a REFER of ours) or MESSAGE inside the dialog, where `UserAgentOptions.dialogMethods` takes
   * them: its response, or the status alone.
   */
  requested?(request: RequestView): RequestReply | number;
}

/** A final response of the layer above. */
export interface RequestReply {
  readonly status: number;
  readonly headers?: readonly HeaderField[];
  readonly body?: Body;
}

export interface DialogRequest {
  readonly method: 'INFO' | 'REFER' | 'NOTIFY' | 'MESSAGE' | 'OPTIONS';
  readonly headers?: readonly HeaderField[];
  readonly body?: Body;
}

/** What a BYE needs that another process sends: values that can be stored. Credentials are not among them. */
export interface DialogIdentity extends Omit<DialogState, 'remoteSeq'> {
  /** The other end of the flow by which the dialog came to be. */
  readonly peer: Endpoint;
}

/** A confirmed INVITE dialog (RFC 3261 §12). */
export interface Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** As it is now; `localSeq` and `remoteTarget` change as requests come and go. */
  readonly identity: DialogIdentity;
  /** Sets the handlers; until then nothing is delivered, and an end that came earlier is delivered at once. */
  handle(handlers: DialogHandlers): void;
  /** Ends the dialog by BYE; `ended('local')` follows at once. A second call does nothing. */
  bye(headers?: readonly HeaderField[]): void;
  /**
   * Offers another session by re-INVITE or UPDATE; the answer is the body of the 2xx. After glare (491) it is tried
   * again as RFC 3261 §14.1 says; a peer that knows nothing of the dialog any more ends it.
   * @throws {SipSyntaxError} when the body's type cannot be put on the wire.
   */
  reoffer(body: Body, done: (outcome: ReofferOutcome) => void, method?: 'INVITE' | 'UPDATE'): void;
  /**
   * Sends another request inside the dialog; the outcome is told once. After REFER its NOTIFYs come to `requested`. It
   * waits for the ACK of a 2xx of ours, and, made inside `requested`, for the response to what was asked there.
   * @throws {SipSyntaxError} when it cannot be put on the wire.
   */
  request(request: DialogRequest, done?: (outcome: RequestOutcome) => void): void;
}

export interface ServerInvite {
  readonly request: RequestView;
  /** The flow it came by: the socket's word, never the Via's or Contact's. */
  readonly received: Endpoint;
  /**
   * The confirmed dialog that this call takes the place of (RFC 3891): `accept` ends it by BYE, so whoever accepts has
   * seen that this caller may do so. Where there is no such dialog, the stack has refused the call: 481, 486, 603.
   */
  readonly replaces: Dialog | undefined;
  /**
   * Sends a 1xx over 100; the stack sends 100 by itself. `reliable` where the caller supports it (RFC 3262), and always
   * where the caller requires it: retransmitted until PRACK, and what is sent after waits for that.
   */
  progress(status: number, body?: Body, how?: { readonly reliable: boolean }): void;
  /** Sends 200, retransmitted until its ACK (RFC 3261 §13.3.1.4); without one for 64·T1 the dialog ends by BYE. */
  accept(body: Body): Dialog;
  /**
   * Sends a final response of 300 or more. `stateless`, for strangers: while the handler of `onInvite` runs and before
   * anything else was sent, the response is sent once, nothing is remembered, and its ACK is absorbed.
   */
  reject(
    status: number,
    headers?: readonly HeaderField[],
    how?: {
      readonly stateless?: boolean /** In place of the status' own phrase. */;
      readonly reason?: string;
    },
  ): void;
  /** Answers nothing at all, for strangers who ask too often: as `stateless`, while the handler of `onInvite` runs. */
  ignore(): void;
  /** Sets the handlers: before the handler of `onInvite` returns, as a CANCEL may come at any time after. */
  handle(handlers: ServerInviteHandlers): void;
}

/** What a caller does before its call is accepted. */
export interface ServerInviteHandlers {
  /**
   * The caller gave up first: by CANCEL or an early BYE (487 has been sent), or it never acknowledged a reliable
   * response (504).
   */
  canceled?(): void;
  /** An offer in UPDATE or PRACK: the answer, or the status that refuses it. 488 without it. */
  offered?(offer: string): Body | number;
  /** The answer, in a PRACK, to the offer of a reliable response. */
  answered?(answer: string): void;
}

/** A request outside any dialog of a method given to `onRequest`. */
export interface ServerRequest {
  readonly request: RequestView;
  readonly received: Endpoint;
  /**
   * Sends the final response; a second one does nothing. After 64·T1 nobody waits for it any more. `stateless`, for
   * strangers: while the handler runs, the response is sent once and nothing is remembered.
   */
  respond(status: number, reply?: Omit<RequestReply, 'status'>, how?: { readonly stateless: boolean }): void;
  /** Answers nothing at all, and remembers nothing: while the handler runs. */
  ignore(): void;
}

/** REGISTER, OPTIONS, MESSAGE and the like outside any dialog. */
export interface RequestOptions {
  readonly method: string;
  /** The Request-URI. */
  readonly uri: string;
  readonly from: string;
  readonly fromName?: string;
  /** The To header's URI; the Request-URI without it. */
  readonly to?: string;
  readonly destination: Endpoint;
  readonly headers?: readonly HeaderField[];
  /** The whole Contact value; our own address without it. */
  readonly contact?: string;
  readonly body?: Body;
  readonly credentials?: Credentials;
  /** Those of a series of requests, such as registrations of one contact (RFC 3261 §10.2); new ones without them. */
  readonly callId?: string;
  readonly seq?: number;
}

/** What the stack holds; all zero when nothing is under way. */
export interface AgentCounts {
  readonly transactions: number;
  readonly dialogs: number;
}

export interface UserAgent {
  /** @throws {SipSyntaxError} when an option cannot be put on the wire. */
  invite(options: InviteOptions, handlers: InviteHandlers): ClientInvite;
  /** Takes incoming INVITEs; without a handler they are answered 404 statelessly. */
  onInvite(handler: (invite: ServerInvite) => void): void;
  /**
   * Sends a request outside any dialog; the outcome is told once, later.
   * @throws {SipSyntaxError} when an option cannot be put on the wire.
   */
  request(options: RequestOptions, done: (outcome: RequestOutcome) => void): void;
  /**
   * Ends a dialog of a process that is no more by BYE (RFC 3261 §15.1.1): by the route that it had, from a socket of
   * ours. Its CSeq is far above the last one that was stored, as there may have been more since. The outcome is told
   * once, later; a response of any status is an end, as 481 of a peer that has hung up meanwhile.
   */
  endLost(
    dialog: DialogIdentity,
    headers: readonly HeaderField[],
    done: (outcome: RequestOutcome) => void,
  ): void;
  /** Takes requests of one method outside any dialog; without a handler they are refused statelessly. */
  onRequest(method: string, handler: (request: ServerRequest) => void): void;
  /**
   * Asked before the answer to a request that no handler, transaction or dialog takes: OPTIONS, unknown methods, stray
   * BYEs. All are answered without it; an answer is longer than its request, so whoever answers all of them can be used
   * against a forged source.
   */
  answersStrangers(mayAnswer: (received: Endpoint) => boolean): void;
  /** The confirmed dialog that a Replaces names (RFC 3891): of whichever call. */
  dialogOf(replaces: Replaces): Dialog | undefined;
  /** Whether the other end of a flow can still be reached by it: over TCP and TLS while the connection is up. */
  hasFlow(to: Endpoint): boolean;
  /** Where it listens, with the real ports. */
  readonly listening: readonly Endpoint[];
  counts(): AgentCounts;
  /** Closes sockets, after what was sent just before has left, and drops all state; dialogs that are up get no BYE. */
  close(): Promise<void>;
}
