// Opens every socket that the stack is to listen on, or none.
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { TransportName } from './endpoint.ts';
import type { StreamLimits } from './stream-connection.ts';
import { listenTcp } from './tcp.ts';
import { listenTls, type TlsOptions } from './tls.ts';
import type { Receive, Transport } from './transport.ts';
import { listenUdp } from './udp.ts';

export interface ListenPlace {
  /** An IPv6 host takes IPv6 only. */
  readonly host: string;
  /** 0 takes any free one: one number for UDP and TCP on all hosts, and one for TLS, where that can be had. */
  readonly port: number;
  /** UDP without it. */
  readonly transport?: TransportName;
  /** Address for Via and Contact, in place of `ListenOptions.advertise` and of the host. */
  readonly advertise?: string;
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

/** Somebody else's connection may have a number of ours, in TCP alone. */
const TRIES = 20;

/**
 * @throws {Error} of the system (`EADDRINUSE` …) or of OpenSSL when it cannot listen somewhere; nothing is left open.
 * @throws {RangeError} for TLS without a certificate.
 */
export async function listenAll(options: ListenOptions): Promise<readonly Transport[]> {
  for (let tries = 1; ; tries++) {
    const transports = await openAll(options);
    if (tries === TRIES || haveOneNumber(options.listen, transports)) return transports;
    await closeAll(transports);
  }
}

/** Whether those that could choose, TLS apart, have the same one; a second socket of one kind on one host never can. */
function haveOneNumber(places: readonly ListenPlace[], transports: readonly Transport[]): boolean {
  const kinds = places.map(({ host, transport = 'udp' }) => `${transport} ${host}`);
  const free = transports.filter(
    (_, index) => places[index]?.port === 0 && kinds.indexOf(kinds[index] as string) === index,
  );
  return [true, false].every((isTls) => {
    const chosen = free.filter(({ local }) => (local.transport === 'tls') === isTls);
    return new Set(chosen.map(({ local }) => local.port)).size <= 1;
  });
}

const closeAll = (transports: readonly Transport[]): Promise<unknown> =>
  Promise.all(transports.map((transport) => transport.close()));

async function openAll(options: ListenOptions): Promise<readonly Transport[]> {
  const transports: Transport[] = [];
  try {
    for (const place of options.listen) transports.push(await open(place, options, transports));
  } catch (error) {
    await closeAll(transports);
    throw error;
  }
  return transports;
}

function open(place: ListenPlace, options: ListenOptions, others: readonly Transport[]): Promise<Transport> {
  const { clock, log, receive, tls, streamLimits: limits } = options;
  const { host, port, advertise = options.advertise } = place;
  const common = { host, advertise, log, receive };
  const listenAt = (port: number): Promise<Transport> => {
    switch (place.transport ?? 'udp') {
      case 'udp':
        return listenUdp({ ...common, port });
      case 'tcp':
        return listenTcp({ ...common, port, clock, limits });
      case 'tls':
        if (!tls) throw new RangeError('listening for TLS needs a certificate');
        return listenTls({ ...common, port, clock, limits, tls });
    }
  };
  const taken = port === 0 ? portOf(others, place.transport === 'tls') : undefined;
  return taken === undefined ? listenAt(port) : listenAt(taken).catch(() => listenAt(0));
}

const portOf = (transports: readonly Transport[], tls: boolean): number | undefined =>
  transports.find(({ local }) => (local.transport === 'tls') === tls)?.local.port;
