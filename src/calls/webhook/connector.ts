// How webhooks connect: only to networks that are allowed, judged on the very address that is dialled.
import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls } from 'node:tls';
import { buildConnector } from 'undici';
import type { Networks } from '../../lib/networks.ts';
import type { Overrides } from './overrides.ts';

/** Every address of a name, as `dns.lookup` gives them with `all`. */
export type LookupAll = (
  hostname: string,
  callback: (
    error: NodeJS.ErrnoException | null,
    addresses: readonly { readonly address: string; readonly family: number }[],
  ) => void,
) => void;

export interface ConnectorParts {
  readonly networks: Networks;
  /** Certificates that are trusted in place of the system's, in PEM. */
  readonly ca?: string;
  /** The system's where missing. */
  readonly lookup?: LookupAll;
}

/** No connection came about: nothing was sent, so that anything may be sent again. */
export class ConnectFailure extends Error {
  /** The system's, OpenSSL's or undici's. */
  readonly code: string;

  constructor(cause: Error) {
    super(cause.message || String((cause as { code?: string }).code), { cause });
    this.code = String((cause as { code?: string }).code ?? '');
  }
}

export const FORBIDDEN_NETWORK = 'ERR_FORBIDDEN_NETWORK';

class ForbiddenNetwork extends Error {
  readonly code = FORBIDDEN_NETWORK;

  constructor(address: string) {
    super(`${address} is in a network that webhooks may not reach; TANDEM_ALLOW_NETS can allow it`);
  }
}

/** Literal addresses are judged before connecting, looked-up ones as they are handed to the socket. */
export function guardedConnector(
  parts: ConnectorParts,
  { connectMs, sni }: Pick<Overrides, 'connectMs' | 'sni'>,
): buildConnector.connector {
  const { networks, ca } = parts;
  const tls = { lookup: guardedLookup(parts), ...(ca !== undefined && { ca }) };
  const connect = buildConnector({ timeout: connectMs, allowH2: false, ...tls });
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, '');
    const done: buildConnector.Callback = (...[error, socket]) =>
      error ? callback(new ConnectFailure(error), null) : callback(null, socket as Socket);
    if (isIP(host) && !networks.allows(host)) return done(new ForbiddenNetwork(host), null);
    if (sni || options.protocol !== 'https:') return connect(options, done);
    return connectUnnamed({ ...tls, host, port: Number(options.port || 443) }, connectMs, done);
  };
}

function guardedLookup({ networks, lookup = lookupAll }: ConnectorParts): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, (error, addresses) => {
      if (error) return callback(error, '');
      const isWanted = (family: number) => !options.family || options.family === family;
      const allowed = addresses.filter(({ address, family }) => isWanted(family) && networks.allows(address));
      const [first] = allowed;
      if (!first) return callback(new ForbiddenNetwork(hostname), '');
      if (options.all) return callback(null, [...allowed]);
      return callback(null, first.address, first.family);
    });
  };
}

const lookupAll: LookupAll = (hostname, callback) => systemLookup(hostname, { all: true }, callback);

/** TLS without a server name (`sni=n`), its certificate checked all the same. */
function connectUnnamed(
  options: { readonly host: string; readonly port: number; readonly lookup: LookupFunction },
  timeoutMs: number,
  done: buildConnector.Callback,
): void {
  const socket = connectTls({
    ...options,
    servername: '',
    checkServerIdentity: (_name, certificate) => checkServerIdentity(options.host, certificate),
  });
  const tooLate = AbortSignal.timeout(timeoutMs);
  const giveUp = (): void => {
    socket.destroy(
      Object.assign(new Error('no TLS connection in time'), { code: 'UND_ERR_CONNECT_TIMEOUT' }),
    );
  };
  tooLate.addEventListener('abort', giveUp);
  const settled = (): void => {
    tooLate.removeEventListener('abort', giveUp);
    socket.off('error', failed);
  };
  const failed = (error: Error): void => {
    settled();
    socket.on('error', () => {});
    done(error, null);
  };
  socket.setNoDelay(true);
  socket.once('error', failed).once('secureConnect', () => {
    settled();
    done(null, socket);
  });
}
