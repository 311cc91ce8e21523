// Opens every socket that the stack is to listen on, or none.
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { TransportName } from '../agent.ts';
import type { StreamLimits } from './stream-connection.ts';
import { listenTcp } from './tcp.ts';
import { listenTls, type TlsOptions } from './tls.ts';
import type { Receive, Transport } from './transport.ts';
import { listenUdp } from './udp.ts';

export interface ListenPlace {
  /** An IPv6 host takes IPv6 only. */
  readonly host: string;
  /** 0 takes any free one; for TCP the one that UDP got on the same host, where that is free. */
  readonly port: number;
  /** UDP without it. */
  readonly transport?: TransportName;
}

export interface ListenOptions {
  readonly listen: readonly ListenPlace[];
  readonly advertise?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly receive: Receive;
  /** Needed for a place with TLS. */
  readonly tls?: TlsOptions | undefined;
  readonly streamLimits?: Partial<StreamLimits> | undefined;
}

/**
 * @throws {Error} of the system (`EADDRINUSE` …) or of OpenSSL when it cannot listen somewhere; nothing is left open.
 * @throws {RangeError} for TLS without a certificate.
 */
export async function listenAll(options: ListenOptions): Promise<readonly Transport[]> {
  const transports: Transport[] = [];
  try {
    for (const place of options.listen) transports.push(await open(place, options, transports));
  } catch (error) {
    await Promise.all(transports.map((transport) => transport.close()));
    throw error;
  }
  return transports;
}

function open(place: ListenPlace, options: ListenOptions, others: readonly Transport[]): Promise<Transport> {
  const { advertise, clock, log, receive, tls, streamLimits: limits } = options;
  const common = { host: place.host, port: place.port, advertise, log, receive };
  switch (place.transport ?? 'udp') {
    case 'udp':
      return listenUdp(common);
    case 'tcp': {
      const follow = place.port === 0 ? udpPort(place.host, others) : undefined;
      const open = (port: number) => listenTcp({ ...common, port, clock, limits });
      return follow === undefined ? open(place.port) : open(follow).catch(() => open(0));
    }
    case 'tls':
      if (!tls) throw new RangeError('listening for TLS needs a certificate');
      return listenTls({ ...common, clock, limits, tls });
  }
}

const udpPort = (host: string, transports: readonly Transport[]): number | undefined =>
  transports.find(({ local }) => local.transport === 'udp' && local.address === host)?.local.port;
