// Which of our sockets carries what goes to a destination.
import ipaddr from 'ipaddr.js';
import type { Endpoint } from './endpoint.ts';
import type { Transport } from './transport.ts';

/**
 * The listener that the destination names, else one of its transport and kind of address. Among several, the one whose
 * address is nearest, as RFC 6724 §5 chooses a source: loopback for loopback, private for private, and then the one that
 * has most leading bits in common with the destination.
 */
export function transportTo(transports: readonly Transport[], destination: Endpoint): Transport | undefined {
  const fitting = transports.filter(
    ({ local }) =>
      local.transport === destination.transport && isSix(local.address) === isSix(destination.address),
  );
  if (fitting.length < 2) return fitting[0];
  const named = fitting.find(({ local }) => local.address === destination.local);
  return named ?? nearest(fitting, destination.address);
}

/** Of what is an address already; asking the system's grammar costs more than the rest of the choice. */
const isSix = (address: string): boolean => address.includes(':');

function nearest(transports: readonly Transport[], address: string): Transport | undefined {
  const there = ipaddr.process(address);
  const ranked = transports.map((transport) => ({
    transport,
    rank: nearness(ipaddr.process(transport.local.address), there),
  }));
  // The first one where several are as near.
  return ranked.reduce((best, each) => (each.rank > best.rank ? each : best)).transport;
}

type Address = ReturnType<typeof ipaddr.process>;

function nearness(here: Address, there: Address): number {
  const sameMachine = isLoopback(here) === isLoopback(there) ? 1000 : 0;
  return sameMachine + (isPrivate(here) === isPrivate(there) ? 500 : 0) + commonBits(here, there);
}

const PRIVATE = new Set(['private', 'uniqueLocal', 'carrierGradeNat', 'linkLocal']);
const isLoopback = (address: Address): boolean => address.range() === 'loopback';
const isPrivate = (address: Address): boolean => PRIVATE.has(address.range());

function commonBits(a: Address, b: Address): number {
  const other = b.toByteArray();
  let bits = 0;
  for (const [index, byte] of a.toByteArray().entries()) {
    const differing = byte ^ (other[index] ?? 0);
    if (differing !== 0) return bits + Math.clz32(differing) - 24;
    bits += 8;
  }
  return bits;
}
