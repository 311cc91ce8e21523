// What the layers above see of the stack: calls placed and taken, dialogs, and how they end.

export type TransportName = 'udp' | 'tcp' | 'tls';

/** One side of a flow: where a datagram came from, or where a request is sent to. */
export interface Endpoint {
  readonly transport: TransportName;
  /** IPv4 or IPv6 address, no brackets; v4-mapped addresses are normalised. */
  readonly address: string;
  readonly port: number;
  /** TLS: the name that the peer's certificate must be for; the address without one. */
  readonly host?: string;
  /** TLS: the peer's certificate is not checked at all. */
  readonly insecure?: boolean;
  /** UDP: a request too large for a datagram may go by TCP; false where the peer is known to want UDP. */
  readonly mayUseTcp?: boolean;
}

export type HeaderField = readonly [name: string, value: string];

interface MessageView {
  /** First value of a header by its full name, any case; compact forms are found too. */
  header(name: string): string | undefined;
  /** Every value of a header, comma-separated lists split where the grammar allows lists. */
  headers(name: string): readonly string[];
  readonly body: string;
}

export interface RequestView extends MessageView {
  readonly method: string;
  readonly uri: string;
}

export interface ResponseView extends MessageView {
  readonly status: number;
  readonly reason: string;
}

export interface Body {
  readonly contentType: string;
  readonly content: string;
}

export interface InviteOptions {
  /** Request-URI, and the To header's URI. */
  readonly uri: string;
  /** URI of the From header, without tag. */
  readonly from: string;
  readonly fromName?: string;
  /** Where the request is sent; found by `locate`. */
  readonly destination: Endpoint;
  /** Further headers, in order. A control character in any of them makes `invite` throw SipSyntaxError. */
  readonly headers?: readonly HeaderField[];
  readonly body: Body;
}

/** Why an INVITE got no 2xx. `timeout` is timer B; `transport` that the request could not be sent or was refused. */
export type InviteFailure =
  | { readonly kind: 'response'; readonly response: ResponseView }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'transport'; readonly message: string };

/** What still came after `cancel()`, and how the stack dealt with it. */
export type LateEvent =
  | { readonly kind: 'provisional'; readonly status: number; readonly sent: 'CANCEL' }
  | { readonly kind: 'answer'; readonly status: number; readonly sent: 'ACK, BYE' }
  | { readonly kind: 'final'; readonly status: number };

export interface InviteHandlers {
  /** Every 1xx, 100 included, until a final response or `cancel()`. */
  provisional(response: ResponseView): void;
  /** The first 2xx; the ACK has been sent. Further 2xx (forks) are acknowledged, ended and told to `late`. */
  answered(dialog: Dialog, response: ResponseView): void;
  /** Exactly once where `answered` is not called; not called after `cancel()` either. */
  failed(failure: InviteFailure): void;
  late?(event: LateEvent): void;
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
  /** The peer's re-INVITE or UPDATE with an offer: the answer's body, or a status that refuses it (such as 488). */
  offered(offer: string): Body | number;
}

/** A confirmed INVITE dialog (RFC 3261 §12). */
export interface Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** Sets the handlers; until then nothing is delivered, and an end that came earlier is delivered at once. */
  handle(handlers: DialogHandlers): void;
  /** Ends the dialog by BYE; `ended('local')` follows at once. A second call does nothing. */
  bye(headers?: readonly HeaderField[]): void;
}

export interface ServerInvite {
  readonly request: RequestView;
  /** The flow it came by: the socket's word, never the Via's or Contact's. */
  readonly received: Endpoint;
  /** Sends a 1xx over 100; the stack sends 100 by itself. */
  progress(status: number, body?: Body): void;
  /** Sends 200, retransmitted until its ACK (RFC 3261 §13.3.1.4); without one for 64·T1 the dialog ends by BYE. */
  accept(body: Body): Dialog;
  /**
   * Sends a final response of 300 or more. `stateless`, for strangers: while the handler of `onInvite` runs and before
   * anything else was sent, the response is sent once, nothing is remembered, and its ACK is absorbed.
   */
  reject(status: number, headers?: readonly HeaderField[], how?: { readonly stateless: boolean }): void;
  /** The caller's CANCEL came first (487 has been sent). Set before the handler of `onInvite` returns. */
  onCancel: () => void;
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
  /** Where it listens, with the real ports. */
  readonly listening: readonly Endpoint[];
  counts(): AgentCounts;
  /** Closes sockets, after what was sent just before has left, and drops all state; dialogs that are up get no BYE. */
  close(): Promise<void>;
}
