// SIP over UDP: one socket, one datagram per message (RFC 3261 §18).
import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Log } from '../../lib/log.ts';
import { normaliseAddress } from '../../lib/networks.ts';

import { bracketed } from '../message/uri.ts';
import type { Endpoint } from './endpoint.ts';
import type { Flow, Receive, Transport } from './transport.ts';

/** A burst of calls must find room while the event loop is busy; the system may grant less. */
const BUFFER_BYTES = 4 * 1024 * 1024;

export interface UdpOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Address for Via and Contact. */
  readonly advertise?: string | undefined;
  readonly log: Log;
  readonly receive: Receive;
}

/** @throws {Error} of the system (`EADDRINUSE`, `EADDRNOTAVAIL` …) when it cannot listen there. */
export async function listenUdp(options: UdpOptions): Promise<Transport> {
  const { host, port, log, receive } = options;
  const socket = isIPv6(host)
    ? createSocket({ type: 'udp6', ipv6Only: true, lookup: found(6) })
    : createSocket({ type: 'udp4', lookup: found(4) });
  await bind(socket, host, port);
  enlargeBuffers(socket);
  socket.on('error', (error) => log.warn({ error: error.message, host, port }, 'SIP socket error'));
  const transport = new UdpTransport(socket, options);
  const flows = new KnownFlows(transport);
  socket.on('message', (datagram: Buffer, { address, port }: RemoteInfo) => {
    // The one string per datagram: latin1 keeps every byte, and takes one byte of memory for each.
    receive(datagram.toString('latin1'), flows.of(normaliseAddress(address), port));
  });
  return transport;
}

/** So many are known before they are forgotten. */
const MAX_KNOWN_FLOWS = 1000;

/** Most datagrams come from few peers, and each transaction and dialog holds its flow: they share them. */
class KnownFlows {
  readonly #transport: Transport;
  /** By the peer's port: the last one that had it. */
  readonly #flows = new Map<number, Flow>();

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  of(address: string, port: number): Flow {
    const known = this.#flows.get(port);
    if (known?.peer.address === address) return known;
    if (this.#flows.size === MAX_KNOWN_FLOWS) this.#flows.clear();
    const { local } = this.#transport;
    const flow: Flow = {
      transport: this.#transport,
      peer: { transport: 'udp', address, port, local: local.address },
    };
    this.#flows.set(port, flow);
    return flow;
  }
}

/** What is sent to is an address already: looking it up would cost a turn of the event loop each time. */
const found =
  (family: 4 | 6): NonNullable<SocketOptions['lookup']> =>
  (address, _, done) =>
    done(null, address, family);

const bind = (socket: Socket, address: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const refuse = (error: Error): void => {
      socket.close();
      reject(error);
    };
    socket.once('error', refuse);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off('error', refuse);
      resolve();
    });
  });

function enlargeBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(BUFFER_BYTES);
    socket.setSendBufferSize(BUFFER_BYTES);
  } catch {
    // The default buffers do too, they only overflow sooner.
  }
}

class UdpTransport implements Transport {
  readonly local: Endpoint;
  readonly sentBy: string;
  readonly #socket: Socket;
  readonly #log: Log;
  #closed = false;

  constructor(socket: Socket, { host, advertise, log }: UdpOptions) {
    const { port } = socket.address();
    this.local = { transport: 'udp', address: host, port };
    this.sentBy = `${bracketed(advertise ?? host)}:${port}`;
    this.#socket = socket;
    this.#log = log;
  }

  send(octets: string, to: Endpoint, failed?: (error: Error) => void): void {
    // A spoofed source port of 0 is no place to answer to, and Node would throw.
    if (this.#closed || to.port < 1 || to.port > 65_535) return;
    this.#socket.send(
      Buffer.from(octets, 'latin1'),
      to.port,
      to.address,
      failed ? notice(failed) : this.#ignore,
    );
  }

  hasFlow(): boolean {
    return true;
  }

  readonly #ignore = (error: Error | null): void => {
    if (error) this.#log.debug({ error: error.message }, 'a SIP datagram could not be sent');
  };

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    return new Promise((resolve) => {
      this.#socket.close(() => resolve());
    });
  }
}

const notice =
  (failed: (error: Error) => void) =>
  (error: Error | null): void => {
    if (error) failed(error);
  };
