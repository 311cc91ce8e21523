// A session's sockets: RTP and RTCP, for IPv4, for IPv6, or for both at the same ports; the RTP one of the peer's kind is
// connected while the peer's source is settled.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Source } from './latch.ts';

/** What a session sends through. */
export interface PeerSockets {
  /** The datagram is reused for the next frame. */
  send(datagram: Buffer, to: Source): void;
  sendRtcp(datagram: Buffer, to: Source): void;
  /** Nothing but this source can be the peer from now on; undefined: it is open again. */
  settle(source: Source | undefined): void;
}

interface Pair {
  readonly ipv6: boolean;
  readonly rtp: Socket;
  readonly rtcp: Socket;
}

type Pairs = readonly [Pair, ...Pair[]];

export class SessionSockets implements PeerSockets {
  readonly #pairs: Pairs;
  /** The one that is connected. */
  #connected: Socket | undefined;

  private constructor(pairs: Pairs) {
    this.#pairs = pairs;
  }

  /**
   * Binds an even port and the next one at every address; undefined when somebody else has any of them.
   * @param addresses one, or one of each kind
   */
  static async bind(addresses: readonly string[], port: number): Promise<SessionSockets | undefined> {
    const bound = await Promise.all(addresses.map((address) => bindPair(address, port)));
    const [first, ...others] = bound.filter((pair) => pair !== undefined);
    if (first && others.length === addresses.length - 1) return new SessionSockets([first, ...others]);
    for (const pair of bound) if (pair) closePair(pair);
    return undefined;
  }

  onRtp(receive: (datagram: Buffer, from: RemoteInfo) => void): void {
    for (const { rtp } of this.#pairs) rtp.on('message', receive);
  }

  onRtcp(receive: (datagram: Buffer, from: RemoteInfo) => void): void {
    for (const { rtcp } of this.#pairs) rtcp.on('message', receive);
  }

  send(datagram: Buffer, to: Source): void {
    if (this.#connected) this.#connected.send(datagram);
    else this.#pairFor(to.address).rtp.send(datagram, to.port, to.address);
  }

  sendRtcp(datagram: Buffer, { port, address }: Source): void {
    this.#pairFor(address).rtcp.send(datagram, port, address);
  }

  /**
   * Connects to the peer: sending costs a quarter less, and the system drops what strangers send. Undefined: to
   * nobody.
   */
  settle(source: Source | undefined): void {
    this.#connected?.disconnect();
    const socket = source && this.#pairFor(source.address).rtp;
    if (source) socket?.connect(source.port, source.address);
    this.#connected = socket && isConnected(socket) ? socket : undefined;
  }

  close(): void {
    for (const pair of this.#pairs) closePair(pair);
  }

  #pairFor(address: string): Pair {
    const [first, second] = this.#pairs;
    return second && address.includes(':') === second.ipv6 ? second : first;
  }
}

async function bindPair(address: string, port: number): Promise<Pair | undefined> {
  const [rtp, rtcp] = await Promise.all([bind(address, port), bind(address, port + 1)]);
  if (rtp && rtcp) return { ipv6: isIPv6(address), rtp, rtcp };
  rtp?.close();
  rtcp?.close();
  return undefined;
}

function closePair({ rtp, rtcp }: Pair): void {
  rtp.close();
  rtcp.close();
}

/** `connect` is done when it returns, for addresses are not looked up; but it may have failed. */
function isConnected(socket: Socket): boolean {
  try {
    return socket.remoteAddress().port > 0;
  } catch {
    return false;
  }
}

function bind(address: string, port: number): Promise<Socket | undefined> {
  const ipv6 = isIPv6(address);
  const socket = createSocket({
    type: ipv6 ? 'udp6' : 'udp4',
    ipv6Only: ipv6,
    // Only addresses come here; Node's own look-up costs an allocation and a tick for every packet.
    lookup: (host, _options, done) => done(null, host, ipv6 ? 6 : 4),
  });
  return new Promise((resolve) => {
    socket.once('error', () => {
      socket.close();
      resolve(undefined);
    });
    socket.bind({ port, address, exclusive: true }, () => {
      // An unreachable peer is no reason to stop: its call is ended by signalling.
      socket.removeAllListeners('error').on('error', () => {});
      resolve(socket);
    });
  });
}
