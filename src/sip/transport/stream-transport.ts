// SIP over streams: accepts and opens connections, and finds the one that a message goes by (RFC 3261 §18).
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { normaliseAddress } from '../../lib/networks.ts';
import { parseMessage } from '../message/parse.ts';
import { bracketed } from '../message/uri.ts';
import type { Endpoint } from './endpoint.ts';
import {
  type OpeningSocket,
  type Queue,
  STREAM_LIMITS,
  StreamConnection,
  type StreamLimits,
} from './stream-connection.ts';
import type { Receive, Transport } from './transport.ts';

export interface StreamOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Address for Via and Contact. */
  readonly advertise?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly receive: Receive;
  /** `STREAM_LIMITS` where it says nothing. */
  readonly limits?: Partial<StreamLimits> | undefined;
}

/** What TCP and TLS differ in. */
export interface StreamKind {
  readonly name: 'tcp' | 'tls';
  /** Of a Via without a port. */
  readonly defaultPort: number;
  accept(socket: Socket): OpeningSocket;
  connect(to: Endpoint, localAddress: string | undefined): OpeningSocket;
}

/** Connections the system may hold ready while the event loop is busy. */
const BACKLOG = 1024;
const WILDCARDS = new Set(['0.0.0.0', '::']);

/** @throws {Error} of the system (`EADDRINUSE`, `EADDRNOTAVAIL` …) when it cannot listen there. */
export async function listenStream(kind: StreamKind, options: StreamOptions): Promise<Transport> {
  const server = createServer();
  await bind(server, options);
  return new StreamTransport(server, kind, options);
}

const bind = (server: Server, { host, port }: StreamOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG, ipv6Only: isIPv6(host), exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });

class StreamTransport implements Transport {
  readonly local: Endpoint;
  readonly sentBy: string;
  readonly #server: Server;
  readonly #kind: StreamKind;
  readonly #options: StreamOptions;
  readonly #limits: StreamLimits;
  readonly #connections = new Map<string, StreamConnection>();
  /** Those that a peer opened and said nothing on, oldest first. */
  readonly #silent = new Set<StreamConnection>();
  readonly #queue: Queue = { octets: 0 };
  #isClosed = false;

  constructor(server: Server, kind: StreamKind, options: StreamOptions) {
    const { host, advertise, log } = options;
    const { port } = server.address() as { port: number };
    this.local = { transport: kind.name, address: host, port };
    this.sentBy = `${bracketed(advertise ?? host)}:${port}`;
    this.#server = server;
    this.#kind = kind;
    this.#options = options;
    this.#limits = { ...STREAM_LIMITS, ...options.limits };
    server.on('error', (error) => log.warn({ error: error.message, host, port }, 'SIP socket error'));
    server.on('connection', (socket) => this.#accept(socket));
  }

  send(octets: string, to: Endpoint, failed?: (error: Error) => void): void {
    if (this.#isClosed || to.port < 1 || to.port > 65_535) return;
    try {
      this.#towards(octets, to).send(octets, failed);
    } catch (error) {
      this.#options.log.debug({ to, error: (error as Error).message }, 'a SIP message could not be sent');
      if (failed) queueMicrotask(() => failed(error as Error));
    }
  }

  hasFlow(to: Endpoint): boolean {
    return this.#connections.has(keyOf(to));
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    for (const connection of this.#connections.values()) connection.end('this side closed');
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  /**
   * The connection to a peer, or a new one. A response whose connection is gone goes to the port of its Via, never
   * to the one its request came from (RFC 3261 §18.2.2).
   */
  #towards(octets: string, to: Endpoint): StreamConnection {
    const known = this.#connections.get(keyOf(to));
    if (known) return known;
    const listener = octets.startsWith('SIP/')
      ? { ...to, port: viaPort(octets) ?? this.#kind.defaultPort }
      : to;
    return this.#connections.get(keyOf(listener)) ?? this.#connect(listener);
  }

  /** @throws {Error} where there are connections enough, or no such port. */
  #connect(peer: Endpoint): StreamConnection {
    if (!this.#makeRoom()) throw new Error('too many SIP connections are open');
    const localAddress = WILDCARDS.has(this.local.address) ? undefined : this.local.address;
    return this.#add(this.#kind.connect(peer, localAddress), peer, false);
  }

  #accept(socket: Socket): void {
    const { remoteAddress: address, remotePort: port } = socket;
    // Gone again already, or one too many.
    if (address === undefined || port === undefined || this.#isClosed || !this.#makeRoom()) {
      socket.destroy();
      return;
    }
    const local = this.local.address;
    const peer: Endpoint = { transport: this.#kind.name, address: normaliseAddress(address), port, local };
    this.#silent.add(this.#add(this.#kind.accept(socket), peer, true));
  }

  /** Whoever says nothing gives way first; a peer that spoke keeps its connection. */
  #makeRoom(): boolean {
    if (this.#connections.size < this.#limits.connections) return true;
    const [oldest] = this.#silent;
    oldest?.end('another one needed the room');
    return oldest !== undefined;
  }

  #add(opening: OpeningSocket, peer: Endpoint, inbound: boolean): StreamConnection {
    const { clock, log, receive } = this.#options;
    const key = keyOf(peer);
    const connection = new StreamConnection({
      ...opening,
      transport: this,
      peer,
      inbound,
      clock,
      log,
      receive,
      limits: this.#limits,
      queue: this.#queue,
      spoke: () => this.#silent.delete(connection),
      ended: () => {
        this.#silent.delete(connection);
        if (this.#connections.get(key) === connection) this.#connections.delete(key);
      },
    });
    this.#connections.set(key, connection);
    return connection;
  }
}

function viaPort(response: string): number | undefined {
  const [, port] = /:\s*(\d+)$/.exec(parseMessage(response).via.sentBy) ?? [];
  return port === undefined ? undefined : Number(port);
}

/** Two requests share a connection when they ask the same of its other end. */
const keyOf = ({ address, port, host = '', insecure = false }: Endpoint): string =>
  `${address} ${port} ${host} ${insecure}`;
