// The same HTTP server over TLS: what a connection carries is decrypted and handed to it as if it had been its own.
import type { Server as HttpServer } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { createServer, type Server } from 'node:tls';

export interface HttpsOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly tls: HttpsCertificate;
}

/** In PEM; the chain below the root may follow the certificate. */
export interface HttpsCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface HttpsListener {
  /** `https://127.0.0.1:8443` */
  readonly url: string;
  /** For connections from now on. @throws {Error} of OpenSSL; everything stays as it was then. */
  reload(tls: HttpsCertificate): void;
  /** Takes no new connections; resolves when the last one has ended, which the HTTP server's own closing sees to. */
  close(): Promise<void>;
}

const MIN_VERSION = 'TLSv1.2';
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** @throws {Error} of the system when it cannot listen, of OpenSSL for a bad certificate. */
export async function listenHttps(http: HttpServer, options: HttpsOptions): Promise<HttpsListener> {
  const { host, port, tls } = options;
  const server = createServer({
    ...contextOf(tls),
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  });
  server.on('secureConnection', (socket) => http.emit('connection', socket));
  // Who does not get through the handshake is cut off by Node; without a listener nothing else is to be done.
  await listening(server, port, host);
  return {
    url: `https://${isIPv6(host) ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`,
    reload: (changed) => server.setSecureContext(contextOf(changed)),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

const contextOf = ({ cert, key }: HttpsCertificate) => ({ cert, key, minVersion: MIN_VERSION }) as const;

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
