// Which addresses calls and webhooks may reach; judged on the address that is dialled, after DNS.
import { BlockList, isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Address ranges that never lead to a stranger on the internet: loopback, private, unique local, shared. */
const PRIVATE_RANGES = new Set(['loopback', 'private', 'uniqueLocal', 'carrierGradeNat']);

/** Ranges that nobody may dial: link-local holds cloud metadata services; the rest name no host. */
const FORBIDDEN_RANGES = new Set(['linkLocal', 'unspecified', 'multicast', 'broadcast', 'reserved']);

export interface Networks {
  /** Whether `address` (IPv4, IPv6 or v4-mapped IPv6) may be dialled. Anything that is no address may not. */
  allows(address: string): boolean;
}

/** `::ffff:10.0.0.1` → `10.0.0.1`; any other address unchanged. */
export function normaliseAddress(address: string): string {
  if (!address.includes(':') || !ipaddr.isValid(address)) return address;
  return ipaddr.process(address).toString();
}

export const isLoopback = (address: string): boolean =>
  isIP(address) !== 0 && ipaddr.process(address).range() === 'loopback';

/**
 * Public addresses are always allowed; private ones only inside `nets`; link-local and the like never.
 * @param nets CIDR blocks such as `10.0.0.0/8`; `'private'` allows every loopback and private address.
 * @throws {RangeError} naming a block that does not parse.
 */
export function allowNetworks(nets: readonly string[] | 'private'): Networks {
  const listed = new BlockList();
  if (nets !== 'private') for (const net of nets) addBlock(listed, net);
  return {
    allows(address) {
      if (isIP(address) === 0) return false;
      const parsed = ipaddr.process(address);
      const range = parsed.range();
      if (FORBIDDEN_RANGES.has(range)) return false;
      if (!PRIVATE_RANGES.has(range)) return true;
      return nets === 'private' || listed.check(parsed.toString(), parsed.kind());
    },
  };
}

function addBlock(list: BlockList, net: string): void {
  if (!ipaddr.isValidCIDR(net)) throw new RangeError(`"${net}" is not a network such as 10.0.0.0/8`);
  const [address, bits] = ipaddr.parseCIDR(net);
  list.addSubnet(address.toString(), bits, address.kind());
}
