// Which of a target's addresses may be called: none in a forbidden network, and never the exchange itself.
import type { Networks } from '../lib/networks.ts';
import type { Endpoint } from '../sip/index.ts';

export interface Surroundings {
  readonly networks: Networks;
  /** Where this exchange listens. */
  readonly own: readonly Endpoint[];
}

/** @throws {Error} saying why none of the addresses may be called. */
export function callableEndpoints(
  found: readonly Endpoint[],
  { networks, own }: Surroundings,
): readonly Endpoint[] {
  const isOwn = (endpoint: Endpoint) =>
    own.some(({ address, port }) => address === endpoint.address && port === endpoint.port);
  const callable = found.filter((endpoint) => networks.allows(endpoint.address) && !isOwn(endpoint));
  if (callable.length > 0) return callable;
  const loop = found.find(isOwn);
  if (loop) throw new Error(`${loop.address}:${loop.port} is this exchange itself: the call would loop`);
  const refused = found.map(({ address }) => address).join(', ');
  throw new Error(`${refused} is in a network that calls may not reach; TANDEM_ALLOW_NETS can allow it`);
}
