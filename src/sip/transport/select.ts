// Which of our sockets carries what goes to a destination.
import { isIPv6 } from 'node:net';
import { isLoopback } from '../../lib/networks.ts';
import type { Endpoint } from '../agent.ts';
import type { Transport } from './transport.ts';

/** A socket of the destination's kind; among several, the one that shares its being loopback or not. */
export function transportTo(transports: readonly Transport[], destination: Endpoint): Transport | undefined {
  const fitting = transports.filter(
    ({ local }) =>
      local.transport === destination.transport && isIPv6(local.address) === isIPv6(destination.address),
  );
  if (fitting.length < 2) return fitting[0];
  const near = isLoopback(destination.address);
  return fitting.find(({ local }) => isLoopback(local.address) === near) ?? fitting[0];
}
