// A session's two sockets, RTP and RTCP; the RTP one is connected while the peer's source is settled.
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

interface Source {
  readonly address: string;
  readonly port: number;
}

export class SessionSockets {
  readonly rtp: Socket;
  readonly rtcp: Socket;
  #connected = false;

  private constructor(rtp: Socket, rtcp: Socket) {
    this.rtp = rtp;
    this.rtcp = rtcp;
  }

  /** Binds an even port and the next one; undefined when somebody else has either. */
  static async bind(address: string, port: number): Promise<SessionSockets | undefined> {
    const [rtp, rtcp] = await Promise.all([bind(address, port), bind(address, port + 1)]);
    if (rtp && rtcp) return new SessionSockets(rtp, rtcp);
    rtp?.close();
    rtcp?.close();
    return undefined;
  }

  send(datagram: Buffer, port: number, address: string): void {
    if (this.#connected) this.rtp.send(datagram);
    else this.rtp.send(datagram, port, address);
  }

  /**
   * Connects to the peer: sending costs a quarter less, and the system drops what strangers send. Undefined: to
   * nobody.
   */
  settle(source: Source | undefined): void {
    if (this.#connected) this.rtp.disconnect();
    if (source) this.rtp.connect(source.port, source.address);
    this.#connected = isConnected(this.rtp);
  }

  close(): void {
    this.rtp.close();
    this.rtcp.close();
  }
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
