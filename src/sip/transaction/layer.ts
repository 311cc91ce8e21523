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
    const { callId, from, seq } = request;
    const origin = originKey({ callId, fromTag: from.slice(from.lastIndexOf(';tag=') + 5), seq });
    const timers = this.#timersOf(flow);
    const transaction = new ClientTransaction({ holder: this, key, origin, timers, request, flow, user });
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
    if (originKey(response) !== transaction.origin || response.seqMethod !== transaction.method) return false;
    transaction.response(response);
    return true;
  }

  serve(request: SipMessage, flow: Flow): ServerTransaction {
    const key = this.#keyOf(request);
    const { method } = request;
    const way = isFirst(request) ? wayOf(request) : '';
    const timers = this.#timersOf(flow);
    const transaction = new ServerTransaction({ holder: this, timers, method, flow, key, way });
    this.#servers.set(key, transaction);
    return transaction;
  }

  serverEnded({ key }: ServerTransaction): void {
    this.#servers.delete(key);
  }

  /** Absorbs a retransmitted request; false when it is a new one. */
  absorb(request: SipMessage): boolean {
    const transaction = this.#servers.get(this.#keyOf(request));
    if (!transaction || isOtherWay(transaction, request)) return false;
    transaction.repeat();
    return true;
  }

  /** The INVITE's transaction that an ACK or CANCEL belongs to. */
  inviteOf(request: SipMessage): ServerTransaction | undefined {
    const first = this.#servers.get(originKey(request));
    return first?.way === wayOf(request) ? first : this.#servers.get(serverKey(request, 'INVITE'));
  }

  /** Whether an INVITE that was not absorbed is a copy of one that is being served: it took two ways here. */
  isMerged(invite: SipMessage): boolean {
    return this.#servers.has(this.#keyOf(invite));
  }

  #keyOf(request: SipMessage): string {
    if (this.#keyed?.request !== request) {
      const key = isFirst(request) ? originKey(request) : serverKey(request, request.method);
      this.#keyed = { request, key };
    }
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

/** What all copies of a request share, whichever ways they took (RFC 3261 §8.2.2.2), and the responses to it. */
const originKey = ({ callId, fromTag, seq }: Pick<SipMessage, 'callId' | 'fromTag' | 'seq'>): string =>
  [callId, fromTag, seq].join('\n');

const wayOf = ({ via }: SipMessage): string => [via.branch, via.sentBy].join('\n');

const isFirst = (request: SipMessage): boolean => request.method === 'INVITE' && !request.toTag;

const isOtherWay = ({ way }: ServerTransaction, request: SipMessage): boolean =>
  way !== '' && way !== wayOf(request);
