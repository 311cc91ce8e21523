// A server transaction under way: the request, the flow it came by, and the last response to it.
import type { Clock } from '../../lib/clock.ts';
import type { SipMessage } from '../message/message.ts';
import type { Flow } from '../transport/transport.ts';
import { INVITE_SERVER, stepInviteServer } from './invite-server.ts';
import type { OwnerAction, ServerInput } from './machine.ts';
import { NON_INVITE_SERVER, stepNonInviteServer } from './non-invite-server.ts';
import { Runner, type Running } from './runner.ts';
import type { Timers } from './timers.ts';

/** What an INVITE's transaction tells of; a non-INVITE one has nothing to tell. */
export interface ServerUser {
  /** The INVITE's CANCEL; also told when a final response has been sent. */
  canceled(): void;
  /** An ACK of a 2xx that came with the INVITE's own branch. */
  acknowledged(ack: SipMessage): void;
}

interface ServerOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly request: SipMessage;
  readonly flow: Flow;
  readonly ended: () => void;
}

export class ServerTransaction {
  readonly request: SipMessage;
  readonly flow: Flow;
  /** Set by whoever serves the INVITE. */
  user: ServerUser | undefined;
  readonly #ended: () => void;
  readonly #runner: Running<ServerInput>;
  #lastResponse = '';
  #isFinal = false;
  #ack: SipMessage | undefined;

  constructor({ clock, timers, request, flow, ended }: ServerOptions) {
    this.request = request;
    this.flow = flow;
    this.#ended = ended;
    const perform = (action: OwnerAction): void => this.#perform(action);
    this.#runner =
      request.method === 'INVITE'
        ? new Runner({ clock, timers, perform, initial: INVITE_SERVER, step: stepInviteServer })
        : new Runner({ clock, timers, perform, initial: NON_INVITE_SERVER, step: stepNonInviteServer });
  }

  /** Sends a response, given as octets, unless a final one has been sent. */
  respond(status: number, octets: string): void {
    if (this.#isFinal) return;
    this.#isFinal = status >= 200;
    this.#lastResponse = octets;
    this.#runner.feed({ type: 'respond', status });
  }

  /** A non-INVITE whose response may take its time, or never come: then it ends all the same. */
  awaitResponse(): void {
    this.#runner.feed({ type: 'await' });
  }

  /** The request came again. */
  repeat(): void {
    this.#runner.feed({ type: 'request' });
  }

  acknowledge(ack: SipMessage): void {
    this.#ack = ack;
    this.#runner.feed({ type: 'ack' });
  }

  dispose(): void {
    this.#runner.dispose();
  }

  #perform(action: OwnerAction): void {
    if (action.type === 'send') this.flow.transport.send(this.#lastResponse, this.flow.peer);
    else if (action.type === 'pass' && this.#ack) this.user?.acknowledged(this.#ack);
    else if (action.type === 'end') this.#ended();
  }
}
