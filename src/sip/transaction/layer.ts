// Finds the transaction a message belongs to, and holds all of them (RFC 3261 §17.1.3, §17.2.3).
import type { Boundary } from '../boundary.ts';
import type { SipMessage } from '../message/message.ts';
import type { RequestParts } from '../message/serialize.ts';
import type { Timers } from '../timers.ts';
import type { Flow } from '../transport/transport.ts';
import type { Alarms } from './alarms.ts';
import { type ClientHolder, ClientTransaction, type ClientUser } from './client-transaction.ts';
import { type ServerHolder, ServerTransaction } from './server-transaction.ts';

export class TransactionLayer implements ClientHolder, ServerHolder {
  readonly alarms: Alarms;
  readonly boundary: Boundary;
  readonly #timers: Timers;
  readonly #reliableTimers: Timers;
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #servers = new Map<string, ServerTransaction>();
  /** INVITEs outside dialogs by what all copies of a forked one share (RFC 3261 §8.2.2.2). */
  readonly #origins = new Set<string>();
  /** The request whose key was made last: the same one is asked for when it comes and when it is served. */
  #keyed: { readonly request: SipMessage; readonly key: string } | undefined;

  constructor(alarms: Alarms, timers: Timers, boundary: Boundary) {
    this.alarms = alarms;
    this.boundary = boundary;
    this.#timers = timers;
    this.#reliableTimers = { ...timers, isReliable: true };
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
    const timers = this.#timersOf(flow);
    const transaction = new ClientTransaction({ holder: this, key, timers, request, flow, user });
    this.#clients.set(key, transaction);
    transaction.start();
    return transaction;
  }

  clientEnded({ key }: ClientTransaction): void {
    this.#clients.delete(key);
  }

  /** Takes a response to its transaction; false when it belongs to none. */
  response(response: SipMessage): boolean {
    // More than one Via: it is on its way to somebody else (RFC 3261 §8.1.3.3).
    if (!response.hasOneVia) return false;
    const transaction = this.#clients.get(clientKey(response.via.branch, response.seqMethod));
    if (!transaction) return false;
    if (response.callId !== transaction.callId || response.seq !== transaction.seq) return false;
    if (response.fromTag !== transaction.fromTag || response.seqMethod !== transaction.method) return false;
    transaction.response(response);
    return true;
  }

  serve(request: SipMessage, flow: Flow): ServerTransaction {
    const key = this.#keyOf(request);
    const { method } = request;
    const origin = method === 'INVITE' && !request.toTag ? originKey(request) : '';
    const timers = this.#timersOf(flow);
    const transaction = new ServerTransaction({ holder: this, timers, method, flow, key, origin });
    this.#servers.set(key, transaction);
    if (origin) this.#origins.add(origin);
    return transaction;
  }

  serverEnded({ key, origin }: ServerTransaction): void {
    this.#servers.delete(key);
    if (origin) this.#origins.delete(origin);
  }

  /** Absorbs a retransmitted request; false when it is a new one. */
  absorb(request: SipMessage): boolean {
    const transaction = this.#servers.get(this.#keyOf(request));
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

  #keyOf(request: SipMessage): string {
    if (this.#keyed?.request !== request) this.#keyed = { request, key: serverKey(request, request.method) };
    return this.#keyed.key;
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

/** A request's branch is its own, but for CANCEL, which has its INVITE's. */
const clientKey = (branch: string, method: string): string =>
  method === 'CANCEL' ? `${branch}\nCANCEL` : branch;

/**
 * RFC 3261 §17.2.3 asks for branch and sent-by. Call-ID, From tag and CSeq number are the same in an ACK, a CANCEL
 * and a retransmission too: with them in the key, a stranger's CANCEL meets nothing, and RFC 2543 senders, whose
 * branch says nothing, are told apart. Joined, so that it is a string of its own, which keeps no datagram alive.
 */
const serverKey = (request: SipMessage, method: string): string =>
  [request.via.branch, request.via.sentBy, request.callId, request.fromTag, request.seq, method].join('\n');

const originKey = (request: SipMessage): string => [request.callId, request.fromTag, request.seq].join('\n');
