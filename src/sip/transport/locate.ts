// From a SIP URI to the places its requests are sent to (RFC 3263): addresses now, NAPTR and SRV slot in at `find`.
import { isIP } from 'node:net';
import type { Endpoint, TransportName } from '../agent.ts';
import type { SipUri } from '../message/uri.ts';

/** The parts of a `node:dns/promises` Resolver that are asked. */
export interface AddressResolver {
  resolve4(host: string): Promise<readonly string[]>;
  resolve6(host: string): Promise<readonly string[]>;
}

export type LocateErrorCode = 'not-found' | 'resolver-failed' | 'unsupported-transport';

export class LocateError extends Error {
  readonly code: LocateErrorCode;

  constructor(code: LocateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LocateError';
    this.code = code;
  }
}

/** One target is tried at this many addresses. */
export const MAX_ADDRESSES = 3;

const DEFAULT_PORTS: Readonly<Record<TransportName, number>> = { udp: 5060, tcp: 5060, tls: 5061 };
const SPOKEN: ReadonlySet<TransportName> = new Set(['udp']);

/**
 * Where to send a request for `uri`, in order of preference; IPv4 first. `maddr` is not followed: it would let a URI
 * name one host and reach another.
 * @throws {LocateError} `unsupported-transport`, `not-found` when the name has no address, `resolver-failed` when
 *   the resolver could not say.
 */
export async function locate(uri: SipUri, resolver: AddressResolver): Promise<Endpoint[]> {
  const transport = transportOf(uri);
  const port = uri.port ?? DEFAULT_PORTS[transport];
  const addresses = isIP(uri.host) ? [uri.host] : await find(uri.host, resolver);
  return addresses.slice(0, MAX_ADDRESSES).map((address) => ({ transport, address, port }));
}

/** RFC 3263 §4.1, without NAPTR. */
function transportOf(uri: SipUri): TransportName {
  const named = uri.params.get('transport')?.toLowerCase() ?? (uri.scheme === 'sips' ? 'tls' : 'udp');
  const transport = uri.scheme === 'sips' && named === 'tcp' ? 'tls' : named;
  if ((SPOKEN as ReadonlySet<string>).has(transport) && uri.scheme === 'sip')
    return transport as TransportName;
  throw new LocateError('unsupported-transport', `SIP over ${transport} is not spoken`);
}

async function find(host: string, resolver: AddressResolver): Promise<readonly string[]> {
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (addresses.length > 0) return addresses;
  const failure = answers.find((answer) => answer.status === 'rejected' && !isAbsence(answer.reason));
  if (failure?.status === 'rejected') {
    throw new LocateError('resolver-failed', `${host} could not be looked up`, { cause: failure.reason });
  }
  throw new LocateError('not-found', `${host} has no address`);
}

/** The resolver's word that there is nothing, as against its having failed. */
const isAbsence = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOTFOUND' || error.code === 'ENODATA');
