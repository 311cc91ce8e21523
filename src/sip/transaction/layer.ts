// Finds the transaction a message belongs to, and holds all of them (RFC 3261 §17.1.3, §17.2.3).
import type { Clock } from '../../lib/clock.ts';
import type { Boundary } from '../boundary.ts';
import type { SipMessage } from '../message/message.ts';
import type { RequestParts } from '../message/serialize.ts';
import type { Flow } from '../transport/transport.ts';
import { ClientTransaction, type ClientUser } from './client-transaction.ts';
import { ServerTransaction } from './server-transaction.ts';
import type { Timers } from './timers.ts';

export class TransactionLayer {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #reliableTimers: Timers;
  readonly #boundary: Boundary;
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #servers = new Map<string, ServerTransaction>();
  /** INVITEs outside dialogs by what all copies of a forked one share (RFC 3261 §8.2.2.2). */
  readonly #origins = new Set<string>();

  constructor(clock: Clock, timers: Timers, boundary: Boundary) {
    this.#clock = clock;
    this.#timers = timers;
    this.#reliableTimers = { ...timers, isReliable: true };
    this.#boundary = boundary;
  }

  get size(): number {
    return this.#clients.size + this.#servers.size;
  }

  get serverSize(): number {
    return this.#servers.size;
  }

  /**
   * Sends a request. `branch` is the one in its Via.
   * @throws {SipSyntaxError} when it may not go on the wire; nothing is left then.
   */
  request(request: RequestParts, branch: string, flow: Flow, user: ClientUser): ClientTransaction {
    const key = clientKey(branch, request.method);
    const ended = (): void => void this.#clients.delete(key);
    const transaction = new ClientTransaction({
      clock: this.#clock,
      boundary: this.#boundary,
      timers: this.#timersOf(flow),
      request,
      flow,
      user,
      ended,
    });
    this.#clients.set(key, transaction);
    transaction.start();
    return transaction;
  }

  /** Takes a response to its transaction; false when it belongs to none. */
  response(response: SipMessage): boolean {
    // More than one Via: it is on its way to somebody else (RFC 3261 §8.1.3.3).
    if (response.headers('Via').length !== 1) return false;
    const transaction = this.#clients.get(clientKey(response.via.branch, response.seqMethod));
    if (!transaction) return false;
    const { callId, seq, from } = transaction.request;
    if (response.callId !== callId || response.seq !== seq) return false;
    if (!from.endsWith(`;tag=${response.fromTag}`)) return false;
    transaction.response(response);
    return true;
  }

  serve(request: SipMessage, flow: Flow): ServerTransaction {
    const key = serverKey(request, request.method);
    const origin = request.method === 'INVITE' && !request.toTag ? originKey(request) : undefined;
    const ended = (): void => {
      this.#servers.delete(key);
      if (origin) this.#origins.delete(origin);
    };
    const transaction = new ServerTransaction({
      clock: this.#clock,
      timers: this.#timersOf(flow),
      request,
      flow,
      ended,
    });
    this.#servers.set(key, transaction);
    if (origin) this.#origins.add(origin);
    return transaction;
  }

  /** Absorbs a retransmitted request; false when it is a new one. */
  absorb(request: SipMessage): boolean {
    const transaction = this.#servers.get(serverKey(request, request.method));
    transaction?.repeat();
    return transaction !== undefined;
  }

  /** The INVITE's transaction that an ACK or CANCEL belongs to. */
  inviteOf(request: SipMessage): ServerTransaction | undefined {
    return this.#servers.get(serverKey(request, 'INVITE'));
  }

  /** Whether the INVITE is another copy of one that is being served: it took two ways here. */
  isMerged(invite: SipMessage): boolean {
    return this.#origins.has(originKey(invite));
  }

  #timersOf({ transport }: Flow): Timers {
    return transport.local.transport === 'udp' ? this.#timers : this.#reliableTimers;
  }

  /** Drops everything, timers included. */
  dispose(): void {
    for (const transaction of this.#clients.values()) transaction.dispose();
    for (const transaction of this.#servers.values()) transaction.dispose();
    this.#clients.clear();
    this.#servers.clear();
    this.#origins.clear();
  }
}

const clientKey = (branch: string, method: string): string => `${branch}\n${method}`;

/**
 * RFC 3261 §17.2.3 asks for branch and sent-by. Call-ID, From tag and CSeq number are the same in an ACK, a CANCEL
 * and a retransmission too: with them in the key, a stranger's CANCEL meets nothing, and RFC 2543 senders, whose
 * branch says nothing, are told apart.
 */
const serverKey = (request: SipMessage, method: string): string =>
  `${request.via.branch}\n${request.via.sentBy}\n${request.callId}\n${request.fromTag}\n${request.seq}\n${method}`;

const originKey = (request: SipMessage): string => `${request.callId}\n${request.fromTag}\n${request.seq}`;
