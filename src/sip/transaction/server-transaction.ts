// A server transaction under way: the flow its request came by, and the last response to it. Most of its life it waits
// for what never comes, and thousands wait at once: it holds on to nothing that it does not need for that.
import type { SipMessage } from '../message/message.ts';
import type { Timers } from '../timers.ts';
import type { Flow } from '../transport/transport.ts';
import type { Alarms } from './alarms.ts';
import { INVITE_SERVER, type InviteServerState, stepInviteServer } from './invite-server.ts';
import type { OwnerAction, ServerInput } from './machine.ts';
import { NON_INVITE_SERVER, type NonInviteServerState, stepNonInviteServer } from './non-invite-server.ts';
import { type Machine, Runner } from './runner.ts';

/** What an INVITE's transaction tells of; a non-INVITE one has nothing to tell. */
export interface ServerUser {
  /** The INVITE's CANCEL; also told when a final response has been sent. */
  canceled(): void;
  /** An ACK of a 2xx that came with the INVITE's own branch. */
  acknowledged(ack: SipMessage): void;
}

/** Where a transaction is held until it ends. */
export interface ServerHolder {
  readonly alarms: Alarms;
  serverEnded(transaction: ServerTransaction): void;
}

interface ServerOptions {
  readonly holder: ServerHolder;
  readonly timers: Timers;
  /** Of the request. */
  readonly method: string;
  readonly flow: Flow;
  readonly key: string;
  readonly way: string;
}

const INVITE: Machine<InviteServerState, ServerInput> = { initial: INVITE_SERVER, step: stepInviteServer };
const NON_INVITE: Machine<NonInviteServerState, ServerInput> = {
  initial: NON_INVITE_SERVER,
  step: stepNonInviteServer,
};

export class ServerTransaction extends Runner<ServerInput> {
  readonly flow: Flow;
  /** Under which it is found. */
  readonly key: string;
  /** Tells its INVITE from copies that took other ways here; empty where the key does so. */
  readonly way: string;
  /** Set by whoever serves the INVITE, until nothing more can come of it. */
  user: ServerUser | undefined;
  readonly #holder: ServerHolder;
  readonly #isInvite: boolean;
  #lastResponse = '';
  #isFinal = false;

  constructor({ holder, timers, method, flow, key, way }: ServerOptions) {
    const isInvite = method === 'INVITE';
    super(isInvite ? INVITE : NON_INVITE, timers);
    this.flow = flow;
    this.key = key;
    this.way = way;
    this.#holder = holder;
    this.#isInvite = isInvite;
  }

  protected get alarms(): Alarms {
    return this.#holder.alarms;
  }

  /** Sends a response, given as octets, unless a final one has been sent. */
  respond(status: number, octets: string): void {
    if (this.#isFinal) return;
    this.#isFinal = status >= 200;
    this.#lastResponse = octets;
    this.feed({ type: 'respond', status });
    // Whoever accepts an INVITE sends its 2xx again (RFC 6026 §7.1).
    if (this.#isInvite && status >= 200 && status < 300) this.#lastResponse = '';
  }

  /** A non-INVITE whose response may take its time, or never come: then it ends all the same. */
  awaitResponse(): void {
    this.feed({ type: 'await' });
  }

  /** The request came again. */
  repeat(): void {
    this.feed({ type: 'request' });
  }

  acknowledge(ack: SipMessage): void {
    this.feed({ type: 'ack' }, ack);
  }

  protected perform(action: OwnerAction, ack: SipMessage | undefined): void {
    if (action.type === 'send') this.flow.transport.send(this.#lastResponse, this.flow.peer);
    else if (action.type === 'pass' && ack) this.user?.acknowledged(ack);
    else if (action.type === 'end') this.#holder.serverEnded(this);
  }
}
