// Under which address others reach what listens on a SIP host.
import { isIP } from 'node:net';
import type { Config } from './config.ts';
import { isLoopback } from './lib/networks.ts';

/**
 * The TANDEM_PUBLIC_IP of the host's kind, IPv4 or IPv6, else the host. A loopback host that stands beside others of its
 * kind keeps its own address: who calls there is on this machine.
 */
export function publicAddress(host: string, { sip: { hosts }, publicIps = [] }: AddressConfig): string {
  const isKind = (address: string) => isIP(address) === isIP(host);
  const keepsOwn = isLoopback(host) && hosts.some((other) => isKind(other) && !isLoopback(other));
  const found = keepsOwn ? undefined : publicIps.find(isKind);
  return found ?? host;
}

type AddressConfig = Pick<Config, 'sip' | 'publicIps'>;

/** Where others reach the first SIP host. */
export const mainAddress = (config: AddressConfig): string =>
  publicAddress(config.sip.hosts[0] as string, config);
