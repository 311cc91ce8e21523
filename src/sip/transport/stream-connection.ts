// One TCP or TLS connection: frames what comes, queues what goes, and ends when it is broken, slow, or of no more use.
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { StreamFramer } from '../message/framer.ts';
import { lifetimeMs, RFC_TIMERS } from '../timers.ts';
import type { Endpoint } from './endpoint.ts';
import { KeepAlive, PING, PONG } from './keep-alive.ts';
import type { Flow, Receive, Transport } from './transport.ts';

export interface StreamLimits {
  /** Connections of both directions together. */
  readonly connections: number;
  /** For connecting, and for a TLS handshake of either side. Callers who give up a destination do so after 4 s. */
  readonly openingMs: number;
  /** For the first message on a connection that a peer opened. */
  readonly silentMs: number;
  /** From a message's first octet to its last. */
  readonly partialMs: number;
  /** Without a message or a ping of the peer's. */
  readonly idleMs: number;
  /** From one ping of ours to the next, on a connection that this side opened. */
  readonly pingMs: number;
  /** For the answer to a ping, from a peer that answered one before. */
  readonly pongMs: number;
  /** What waits for a peer that does not read. */
  readonly queuedOctets: number;
  /** What waits for all of them together; beyond that a peer for whom something waits is left when more comes. */
  readonly allQueuedOctets: number;
}

export const STREAM_LIMITS: StreamLimits = {
  connections: 10_000,
  openingMs: 3000,
  silentMs: 30_000,
  partialMs: 15_000,
  idleMs: 3_600_000,
  pingMs: 100_000,
  pongMs: 10_000,
  queuedOctets: 256 * 1024,
  allQueuedOctets: 64 * 1024 * 1024,
};

/** What a transport's connections share. */
export interface Queue {
  octets: number;
}

type Phase = 'opening' | 'silent' | 'partial' | 'idle';

/** A socket, and the event that says it is ready; without one it is. */
export interface OpeningSocket {
  readonly socket: Socket;
  readonly readyEvent?: 'connect' | 'secure' | 'secureConnect';
}

export interface ConnectionOptions extends OpeningSocket {
  readonly transport: Transport;
  readonly peer: Endpoint;
  /** Whether the peer opened it. */
  readonly inbound: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: StreamLimits;
  /** What waits on all connections. */
  readonly queue: Queue;
  readonly receive: Receive;
  /** Called once, when nothing can be sent any more. */
  readonly ended: () => void;
  /** Called with the first message. */
  readonly spoke: () => void;
}

/** Dead peers are found by the system's own probes. */
const PROBE_MS = 60_000;
/** After this a request has its response, or its transaction has timed out (RFC 3261 §17). */
const AWAITED_MS = lifetimeMs(RFC_TIMERS);

export class StreamConnection {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #flow: Flow;
  readonly #framer = new StreamFramer();
  /** Who wants to hear of the connection's loss, and since when, oldest first. */
  readonly #awaiting = new Map<(error: Error) => void, number>();
  /** What was sent before the connection was ready: nothing may reach a peer whose certificate is not checked yet. */
  #unsent = '';
  #isReady = false;
  #hasSpoken: boolean;
  #phase: Phase | undefined;
  #timer: Timer | undefined;
  #keepAlive: KeepAlive | undefined;
  #ending: string | undefined;

  constructor(options: ConnectionOptions) {
    const { socket, readyEvent, inbound, transport, peer } = options;
    this.#options = options;
    this.#socket = socket;
    this.#flow = { transport, peer };
    this.#hasSpoken = !inbound;
    socket.setNoDelay(true).setKeepAlive(true, PROBE_MS);
    socket.on('data', (octets: Buffer) => this.#received(octets));
    socket.on('error', (error) => this.end(error.message));
    socket.on('end', () => this.end('the peer closed the connection'));
    socket.on('close', () => this.#closed());
    this.#enter('opening');
    if (readyEvent === undefined) this.#ready();
    else socket.once(readyEvent, () => this.#ready());
  }

  /** `failed` is called when the connection is lost while the message may still wait for its answer. */
  send(octets: string, failed?: (error: Error) => void): void {
    if (failed) this.#await(failed);
    if (this.#isReady) this.#write(octets);
    else this.#unsent += octets;
    const { limits, queue } = this.#options;
    const queued = this.#socket.writableLength + this.#unsent.length;
    const isOneTooMany = queue.octets > limits.allQueuedOctets && queued > octets.length;
    if (queued > limits.queuedOctets || isOneTooMany) this.end('the peer does not read');
  }

  /** Drops the connection and what is not sent yet. */
  end(why: string): void {
    if (this.#ending !== undefined) return;
    this.#ending = why;
    const { clock, log, ended } = this.#options;
    const { transport, address, port } = this.#flow.peer;
    clock.cancel(this.#timer);
    this.#keepAlive?.stop();
    log.debug({ transport, from: address, port, why }, 'SIP connection ended');
    this.#socket.destroy();
    ended();
  }

  #write(octets: string): void {
    const { queue } = this.#options;
    queue.octets += octets.length;
    this.#socket.write(octets, 'latin1', () => {
      queue.octets -= octets.length;
    });
  }

  #ready(): void {
    if (this.#ending !== undefined) return;
    this.#isReady = true;
    if (this.#unsent) this.#write(this.#unsent);
    this.#unsent = '';
    this.#enter(this.#hasSpoken ? 'idle' : 'silent');
    if (!this.#options.inbound) this.#keepAlive = this.#keptAlive();
  }

  #keptAlive(): KeepAlive {
    const { clock, limits } = this.#options;
    return new KeepAlive({
      clock,
      pingMs: limits.pingMs,
      pongMs: limits.pongMs,
      ping: () => this.send(PING),
      lost: () => this.end('the peer answers no ping any more'),
    });
  }

  #received(octets: Buffer): void {
    if (this.#ending !== undefined) return;
    const { messages, pings, emptyLines, fault } = this.#framer.push(octets);
    const isPong = this.#keepAlive?.isAwaiting === true && (emptyLines > 0 || this.#framer.takePong());
    this.#keepAlive?.heard(isPong);
    if (pings > 0) this.send(PONG.repeat(pings));
    if (messages.length > 0 && !this.#hasSpoken) {
      this.#hasSpoken = true;
      this.#options.spoke();
    }
    for (const message of messages) this.#options.receive(message, this.#flow);
    if (fault) return this.end(fault.message);
    if (this.#framer.isPartial) this.#enter('partial', messages.length > 0);
    else if (this.#hasSpoken) this.#enter('idle', !isPong || messages.length > 0);
  }

  /** One more octet of the same message buys no time; `again` says that something whole has come. */
  #enter(phase: Phase, again = false): void {
    if (this.#ending !== undefined || (phase === this.#phase && !again)) return;
    this.#phase = phase;
    const { clock, limits } = this.#options;
    clock.cancel(this.#timer);
    this.#timer = clock.after(limits[`${phase}Ms`], () => this.end(TOO_LONG[phase]));
  }

  #await(failed: (error: Error) => void): void {
    const now = this.#options.clock.monotonic();
    for (const [awaiting, since] of this.#awaiting) {
      if (now - since < AWAITED_MS) break;
      this.#awaiting.delete(awaiting);
    }
    this.#awaiting.delete(failed);
    this.#awaiting.set(failed, now);
  }

  #closed(): void {
    this.end('the connection was closed');
    const error = new Error(this.#ending);
    for (const failed of this.#awaiting.keys()) failed(error);
    this.#awaiting.clear();
  }
}

const TOO_LONG: Readonly<Record<Phase, string>> = {
  opening: 'connecting took too long',
  silent: 'the peer said nothing',
  partial: 'a message took too long',
  idle: 'nothing was said for long',
};
