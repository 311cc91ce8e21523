// SIP over TCP.
import { connect } from 'node:net';
import { listenStream, type StreamKind, type StreamOptions } from './stream-transport.ts';
import type { Transport } from './transport.ts';

const TCP: StreamKind = {
  name: 'tcp',
  defaultPort: 5060,
  accept: (socket) => ({ socket }),
  connect: ({ address, port }, localAddress) => ({
    socket: connect({ host: address, port, ...(localAddress !== undefined && { localAddress }) }),
    readyEvent: 'connect',
  }),
};

/** @throws {Error} of the system (`EADDRINUSE`, `EADDRNOTAVAIL` …) when it cannot listen there. */
export const listenTcp = (options: StreamOptions): Promise<Transport> => listenStream(TCP, options);
