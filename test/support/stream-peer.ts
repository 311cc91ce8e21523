// Either end of TCP and TLS connections, under a test's hand: octets out, octets in, and how it ended.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import {
  type ConnectionOptions,
  connect as connectTls,
  createServer as createTlsServer,
  type TLSSocket,
} from 'node:tls';
import type { SelfSigned } from '../../src/lib/self-signed-certificate.ts';
import type { Endpoint } from '../../src/sip/index.ts';
import type { Place, Wire } from './sip-peer.ts';

export interface StreamPeer {
  readonly socket: Socket;
  /** Everything that came. */
  heard(): string;
  isClosed(): boolean;
  write(octets: string): void;
  close(): void;
  /** Ends by RST. */
  reset(): void;
}

/** Resolves when the connection is up, with TLS also the handshake. */
export async function openStreamPeer(to: Endpoint, options: ConnectionOptions = {}): Promise<StreamPeer> {
  const { address: host, port } = to;
  const raw = connect({ host, port });
  const socket =
    to.transport === 'tls' ? connectTls({ socket: raw, rejectUnauthorized: false, ...options }) : raw;
  let heard = '';
  let isClosed = false;
  socket.on('data', (octets: Buffer) => (heard += octets.toString('latin1')));
  await once(socket, to.transport === 'tls' ? 'secureConnect' : 'connect');
  socket.on('error', () => {});
  socket.on('close', () => (isClosed = true));
  return {
    socket,
    heard: () => heard,
    isClosed: () => isClosed,
    write: (octets) => socket.write(octets, 'latin1'),
    close: () => socket.destroy(),
    reset: () => raw.resetAndDestroy(),
  };
}

/** The first name of the certificate that the other end showed. */
export const certificateName = ({ socket }: StreamPeer): unknown =>
  (socket as TLSSocket).getPeerCertificate().subject.CN;

/** Listens on a free port and cuts what comes into SIP messages; over TLS where there is a certificate. */
export async function listenOverStreams(
  receive: (text: string, from: Place) => void,
  certificate: SelfSigned | undefined,
): Promise<Wire> {
  const sockets = new Map<string, Socket>();
  const take = (socket: Socket) => {
    const from = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    sockets.set(keyOf(from), socket);
    let pending = '';
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(keyOf(from)));
    socket.on('data', (octets: Buffer) => {
      pending = eachMessage(pending + octets.toString('latin1'), (text) => receive(text, from));
    });
  };
  const server = certificate ? createTlsServer(certificate, take) : createServer(take);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const disconnect = () => {
    for (const socket of sockets.values()) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    send: (text, to) => void sockets.get(keyOf(to))?.write(text, 'latin1'),
    disconnect,
    close: () => {
      disconnect();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const keyOf = ({ address, port }: Place): string => `${address}:${port}`;

/** Calls back for each whole message in `octets`; what is left is the beginning of another one. */
function eachMessage(octets: string, each: (text: string) => void): string {
  let rest = octets.trimStart();
  for (;;) {
    const head = /^[^]*?\r\n\r\n/.exec(rest)?.[0];
    const end = (head?.length ?? 0) + Number(/^Content-Length: *(\d+)/im.exec(head ?? '')?.[1] ?? 0);
    if (head === undefined || rest.length < end) return rest;
    each(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
}
