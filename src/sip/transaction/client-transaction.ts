// A client transaction under way: the request's octets, its flow, and who wants to hear of the responses. Once there is
// an answer it mostly waits for copies of it, and thousands wait at once: it lets go of what it does not need for that.
import type { Boundary } from '../boundary.ts';
import { HEADER } from '../message/headers.ts';
import type { SipMessage } from '../message/message.ts';
import { type RequestParts, serializeRequest } from '../message/serialize.ts';
import type { Timers } from '../timers.ts';
import type { Flow } from '../transport/transport.ts';
import type { Alarms } from './alarms.ts';
import { INVITE_CLIENT, type InviteClientState, stepInviteClient } from './invite-client.ts';
import type { ClientInput, OwnerAction } from './machine.ts';
import { NON_INVITE_CLIENT, type NonInviteClientState, stepNonInviteClient } from './non-invite-client.ts';
import { type Machine, Runner } from './runner.ts';

/** The transaction user of RFC 3261 §5. */
export interface ClientUser {
  response(response: SipMessage): void;
  /** Timer B or F, or a request that could not be sent; nothing follows. */
  failed(why: 'timeout' | 'transport', message: string): void;
  /** A CANCEL is due for the INVITE that was given up. */
  cancelDue?(): void;
}

/** Where a transaction is held until it ends. */
export interface ClientHolder {
  readonly alarms: Alarms;
  readonly boundary: Boundary;
  clientEnded(transaction: ClientTransaction): void;
}

interface ClientOptions {
  readonly holder: ClientHolder;
  readonly key: string;
  readonly origin: string;
  readonly timers: Timers;
  readonly request: RequestParts;
  readonly flow: Flow;
  readonly user: ClientUser;
}

const INVITE: Machine<InviteClientState, ClientInput> = { initial: INVITE_CLIENT, step: stepInviteClient };
const NON_INVITE: Machine<NonInviteClientState, ClientInput> = {
  initial: NON_INVITE_CLIENT,
  step: stepNonInviteClient,
};

export class ClientTransaction extends Runner<ClientInput> {
  readonly flow: Flow;
  /** Under which it is found. */
  readonly key: string;
  /** With the method, what a response must repeat to be one to this request. */
  readonly origin: string;
  readonly method: string;
  user: ClientUser;
  /** Until it has a final response. */
  #request: RequestParts | undefined;
  /** Empty when it is not sent any more. */
  #octets: string;
  /** The ACK of a final response that is no 2xx. */
  #ack = '';
  readonly #holder: ClientHolder;

  /** @throws {SipSyntaxError} when the request may not go on the wire. */
  constructor({ holder, key, origin, timers, request, flow, user }: ClientOptions) {
    super(request.method === 'INVITE' ? INVITE : NON_INVITE, timers);
    this.flow = flow;
    this.key = key;
    this.origin = origin;
    this.method = request.method;
    this.#request = request;
    this.user = user;
    this.#holder = holder;
    this.#octets = serializeRequest(request);
  }

  protected get alarms(): Alarms {
    return this.#holder.alarms;
  }

  get #isInvite(): boolean {
    return this.method === 'INVITE';
  }

  start(): void {
    this.feed({ type: 'start' });
  }

  response(response: SipMessage): void {
    const { status } = response;
    try {
      this.feed({ type: 'response', status }, response);
    } finally {
      if (this.#isInvite || status >= 200) this.#octets = '';
      if (status >= 200) this.#letGo(status);
    }
  }

  /** What its first final response makes needless. */
  #letGo(status: number): void {
    if (!this.#request) return;
    this.#request = undefined;
    // Further 2xx to an INVITE are the user's; nothing else is.
    if (!this.#isInvite || status >= 300) this.user = NOBODY;
  }

  /** Gives an INVITE up; nothing happens once it has a final response. */
  abandon(): void {
    this.feed({ type: 'abandon' });
  }

  protected perform(action: OwnerAction, response: SipMessage | undefined): void {
    switch (action.type) {
      case 'send':
        return this.flow.transport.send(this.#octets, this.flow.peer, (error) => this.#sendFailed(error));
      case 'ack':
        return this.#acknowledge(response);
      case 'cancel':
        return this.user.cancelDue?.();
      case 'pass':
        if (response) this.user.response(response);
        return;
      case 'fail':
        return this.user.failed(action.why, action.message);
      case 'end':
        return this.#holder.clientEnded(this);
    }
  }

  #sendFailed(error: Error): void {
    this.#holder.boundary(() => this.feed({ type: 'transport-error', message: error.message }));
  }

  /** The ACK of a non-2xx: same branch, the response's To (RFC 3261 §17.1.1.3). */
  #acknowledge(response: SipMessage | undefined): void {
    const to = response?.value(HEADER.to);
    if (this.#request && to !== undefined) {
      const { uri, via, from, callId, seq, routes } = this.#request;
      const headers = [['Max-Forwards', '70']] as const;
      this.#ack = serializeRequest({ method: 'ACK', uri, via, from, to, callId, seq, routes, headers });
    }
    if (this.#ack) this.flow.transport.send(this.#ack, this.flow.peer);
  }
}

const NOBODY: ClientUser = { response() {}, failed() {} };
