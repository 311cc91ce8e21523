// IPv4 networks as rows hold them: an address and a prefix length. Access control lists and IP records know no IPv6.
import { isIPv4 } from 'node:net';

export interface Network {
  readonly ipAddress: string;
  readonly cidrPrefixLength: number;
}

const ADDRESSES = 2 ** 32;

/** The address as a number, undefined where it is not IPv4. */
export function ipv4Number(address: string): number | undefined {
  if (!isIPv4(address)) return undefined;
  return address.split('.').reduce((number, octet) => number * 256 + Number(octet), 0);
}

/** First and last address; bits of the row's address beyond its prefix mean nothing. */
function rangeOf({ ipAddress, cidrPrefixLength }: Network): readonly [first: number, last: number] {
  const size = ADDRESSES / 2 ** cidrPrefixLength;
  const address = ipv4Number(ipAddress) ?? 0;
  const first = address - (address % size);
  return [first, first + size - 1];
}

export function contains(network: Network, address: number): boolean {
  const [first, last] = rangeOf(network);
  return address >= first && address <= last;
}

/** How many addresses lie between, 0 for one inside. */
export function distance(network: Network, address: number): number {
  const [first, last] = rangeOf(network);
  return Math.max(first - address, address - last, 0);
}

/** Those that contain the address, the longest prefix first; the oldest first among equals. */
export const longestPrefixes = <N extends Network>(networks: readonly N[], address: number): readonly N[] =>
  networks
    .filter((network) => contains(network, address))
    .toSorted((a, b) => b.cidrPrefixLength - a.cidrPrefixLength);

export const formatNetwork = ({ ipAddress, cidrPrefixLength }: Network): string =>
  `${ipAddress}/${cidrPrefixLength}`;
