// The DNS as this machine sees it: services from its servers, addresses by the system's own look-up.
import { lookup, Resolver } from 'node:dns/promises';
import type { DnsResolver } from './sip/index.ts';

const TIMEOUT_MS = 1000;
/** The system's look-up tells no TTL. */
const LOOKUP_TTL_S = 30;

/** /etc/hosts and search domains count for addresses; a name without a dot is taken for a local one without services. */
export function systemResolver(): DnsResolver {
  const dns = new Resolver({ timeout: TIMEOUT_MS, tries: 2 });
  const addresses = (family: 4 | 6) => async (host: string) =>
    (await lookup(host, { family, all: true })).map(({ address }) => ({ address, ttl: LOOKUP_TTL_S }));
  return {
    resolveNaptr: async (name) => (name.includes('.') ? dns.resolveNaptr(name) : []),
    resolveSrv: async (name) => (isLocalService(name) ? [] : dns.resolveSrv(name)),
    resolve4: addresses(4),
    resolve6: addresses(6),
  };
}

const isLocalService = (name: string): boolean => /^_[^.]+\._[^.]+\.[^.]+$/.test(name);
