// SIP over TLS 1.2 and later: certificates that can be replaced, and peers checked by the name of their domain.
import { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import {
  connect,
  createSecureContext,
  getCACertificates,
  type PeerCertificate,
  type SecureContext,
  TLSSocket,
} from 'node:tls';
import { certificateNames, isNamed } from './certificate-names.ts';
import type { Endpoint } from './endpoint.ts';
import type { OpeningSocket } from './stream-connection.ts';
import { listenStream, type StreamKind, type StreamOptions } from './stream-transport.ts';
import type { Transport } from './transport.ts';

/** In PEM; the chain below the root may follow the certificate. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface TlsOptions extends Certificate {
  /** Certificates in PEM that are trusted beside those the system trusts. */
  readonly ca?: string | undefined;
}

export interface TlsTransport extends Transport {
  /**
   * Connections that are made from now on show this certificate and, where `ca` is given, trust that; those that are
   * up stay.
   * @throws {Error} of OpenSSL when one is none, or the key is another one's; everything stays as it was then.
   */
  reload(tls: TlsOptions): void;
}

const MIN_VERSION = 'TLSv1.2';

/** @throws {Error} of the system when it cannot listen, of OpenSSL when the certificate or the CA is none. */
export async function listenTls(
  options: StreamOptions & { readonly tls: TlsOptions },
): Promise<TlsTransport> {
  const kind = new TlsKind(options.tls);
  const transport = await listenStream(kind, options);
  return Object.assign(transport, { reload: (tls: TlsOptions) => kind.reload(tls) });
}

class TlsKind implements StreamKind {
  readonly name = 'tls';
  readonly defaultPort = 5061;
  #client: SecureContext;
  #server: SecureContext;

  constructor(options: TlsOptions) {
    this.#server = serverContext(options);
    this.#client = clientContext(options.ca);
  }

  reload(options: TlsOptions): void {
    const server = serverContext(options);
    if (options.ca !== undefined) this.#client = clientContext(options.ca);
    this.#server = server;
  }

  accept(socket: Socket): OpeningSocket {
    const secured = new TLSSocket(socket, { isServer: true, secureContext: this.#server });
    return { socket: secured, readyEvent: 'secure' };
  }

  connect(
    { address, port, host = address, insecure = false }: Endpoint,
    localAddress?: string,
  ): OpeningSocket {
    const socket = connect({
      host: address,
      port,
      ...(localAddress !== undefined && { localAddress }),
      secureContext: this.#client,
      // An address is no server name (RFC 6066 §3).
      ...(isIP(host) === 0 && { servername: host }),
      rejectUnauthorized: !insecure,
      checkServerIdentity: (_, certificate) => nameFault(host, certificate),
    });
    return { socket, readyEvent: 'secureConnect' };
  }
}

const serverContext = ({ cert, key }: Certificate): SecureContext =>
  createSecureContext({ cert, key, minVersion: MIN_VERSION });

/** Made once, not per connection: reading the roots takes longer than a handshake. */
function clientContext(ca: string | undefined): SecureContext {
  // OpenSSL would pass over what is no certificate.
  if (ca !== undefined) void new X509Certificate(ca);
  const trusted = [...getCACertificates('default'), ...(ca === undefined ? [] : [ca])];
  return createSecureContext({ minVersion: MIN_VERSION, ca: trusted });
}

function nameFault(host: string, { subjectaltname, subject }: PeerCertificate): Error | undefined {
  const names = certificateNames(subjectaltname, subject?.CN);
  if (isNamed(host, names)) return undefined;
  return new Error(`the certificate is not for ${host} but for ${names.join(', ') || 'nobody'}`);
}
