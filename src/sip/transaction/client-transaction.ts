// A client transaction under way: the request's octets, its flow, and who wants to hear of the responses.
import type { Clock } from '../../lib/clock.ts';
import type { Boundary } from '../boundary.ts';
import { HEADER } from '../message/headers.ts';
import type { SipMessage } from '../message/message.ts';
import { type RequestParts, serializeRequest } from '../message/serialize.ts';
import type { Flow } from '../transport/transport.ts';
import { INVITE_CLIENT, stepInviteClient } from './invite-client.ts';
import type { ClientInput, OwnerAction } from './machine.ts';
import { NON_INVITE_CLIENT, stepNonInviteClient } from './non-invite-client.ts';
import { Runner, type Running } from './runner.ts';
import type { Timers } from './timers.ts';

/** The transaction user of RFC 3261 §5. */
export interface ClientUser {
  response(response: SipMessage): void;
  /** Timer B or F, or a request that could not be sent; nothing follows. */
  failed(why: 'timeout' | 'transport', message: string): void;
  /** A CANCEL is due for the INVITE that was given up. */
  cancelDue?(): void;
}

interface ClientOptions {
  readonly clock: Clock;
  readonly boundary: Boundary;
  readonly timers: Timers;
  readonly request: RequestParts;
  readonly flow: Flow;
  readonly user: ClientUser;
  readonly ended: () => void;
}

export class ClientTransaction {
  readonly request: RequestParts;
  readonly flow: Flow;
  readonly #user: ClientUser;
  readonly #boundary: Boundary;
  readonly #ended: () => void;
  readonly #octets: string;
  readonly #runner: Running<ClientInput>;
  #response: SipMessage | undefined;
  #error = '';

  /** @throws {SipSyntaxError} when the request may not go on the wire. */
  constructor({ clock, boundary, timers, request, flow, user, ended }: ClientOptions) {
    this.request = request;
    this.flow = flow;
    this.#user = user;
    this.#boundary = boundary;
    this.#ended = ended;
    this.#octets = serializeRequest(request);
    const perform = (action: OwnerAction): void => this.#perform(action);
    this.#runner =
      request.method === 'INVITE'
        ? new Runner({ clock, timers, perform, initial: INVITE_CLIENT, step: stepInviteClient })
        : new Runner({ clock, timers, perform, initial: NON_INVITE_CLIENT, step: stepNonInviteClient });
  }

  start(): void {
    this.#runner.feed({ type: 'start' });
  }

  response(response: SipMessage): void {
    this.#response = response;
    this.#runner.feed({ type: 'response', status: response.status });
  }

  /** Gives an INVITE up; nothing happens once it has a final response. */
  abandon(): void {
    this.#runner.feed({ type: 'abandon' });
  }

  dispose(): void {
    this.#runner.dispose();
  }

  #perform(action: OwnerAction): void {
    switch (action.type) {
      case 'send':
        return this.flow.transport.send(this.#octets, this.flow.peer, this.#sendFailed);
      case 'ack':
        return this.#acknowledge();
      case 'cancel':
        return this.#user.cancelDue?.();
      case 'pass':
        if (this.#response) this.#user.response(this.#response);
        return;
      case 'fail':
        return this.#user.failed(action.why, this.#error);
      case 'end':
        return this.#ended();
    }
  }

  readonly #sendFailed = (error: Error): void => {
    this.#error = error.message;
    this.#boundary(() => this.#runner.feed({ type: 'transport-error' }));
  };

  /** The ACK of a non-2xx: same branch, the response's To (RFC 3261 §17.1.1.3). */
  #acknowledge(): void {
    const to = this.#response?.value(HEADER.to);
    if (to === undefined) return;
    const { uri, via, from, callId, seq, routes } = this.request;
    const headers = [['Max-Forwards', '70']] as const;
    const ack = { method: 'ACK', uri, via, from, to, callId, seq, routes, headers };
    this.flow.transport.send(serializeRequest(ack), this.flow.peer);
  }
}
