// The client end of a TCP or TLS connection, under a test's hand: octets out, octets in, and how it ended.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { Endpoint } from '../../src/sip/index.ts';

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
