// Whom a request speaks to: a SIP domain, an Elastic trunk, or nobody here. By the Request-URI's host, else by address.
import { isIP } from 'node:net';
import {
  type DomainSuffixes,
  domain,
  ipRecord,
  type Row,
  sourceIpMapping,
  trunk,
} from '../resources/index.ts';
import type { Endpoint } from '../sip/index.ts';
import type { Directory } from '../store/index.ts';
import { ipv4Number, longestPrefixes } from './ipv4-network.ts';

export type Domain = Row<typeof domain>;
export type Trunk = Row<typeof trunk>;

/**
 * How a domain was found. An IP record that holds the source says who calls; one that holds the address that was called
 * says nothing of the caller.
 */
export type FoundBy = 'name' | 'called-address' | 'source-address';

export type Place =
  | { readonly kind: 'domain'; readonly host: string; readonly domain: Domain; readonly by: FoundBy }
  | { readonly kind: 'trunk'; readonly host: string; readonly trunk: Trunk };

/** `host` is what the Request-URI names, in lower case. */
export type Identified = Place | { readonly kind: 'unknown'; readonly host: string };

export interface Premises {
  readonly directory: Directory;
  readonly suffixes: DomainSuffixes;
}

export function identify(
  host: string,
  received: Pick<Endpoint, 'address'>,
  { directory, suffixes }: Premises,
): Identified {
  const name = host.toLowerCase().replace(/\.$/, '');
  for (const domainName of canonicalNames(name, suffixes.sip)) {
    const [found] = directory.findBy(domain, { domainName });
    if (found) return { kind: 'domain', host: name, domain: found, by: 'name' };
  }
  for (const domainName of canonicalNames(name, suffixes.trunk)) {
    const [found] = directory.findBy(trunk, { domainName });
    if (found) return { kind: 'trunk', host: name, trunk: found };
  }
  const byCalled = isIP(name) ? mappedDomain(directory, name) : undefined;
  if (byCalled) return { kind: 'domain', host: name, domain: byCalled, by: 'called-address' };
  const bySource = mappedDomain(directory, received.address);
  if (bySource) return { kind: 'domain', host: name, domain: bySource, by: 'source-address' };
  return { kind: 'unknown', host: name };
}

/** Edges and regions that may stand in a localized name: `name.sip.dublin.twilio.com`, `name.sip.dublin.ie1.twilio.com`. */
const MAX_LOCAL_LABELS = 2;

/** The names a host may stand for under the suffixes: itself, and without its edge. Any word is taken as an edge. */
function canonicalNames(host: string, suffixes: readonly string[]): readonly string[] {
  return suffixes.flatMap((suffix) => {
    if (host.endsWith(`.${suffix}`)) return [host];
    const [first = '', ...rest] = suffix.split('.');
    const end = `.${rest.join('.')}`;
    if (rest.length === 0 || !host.endsWith(end)) return [];
    const labels = host.slice(0, -end.length).split('.');
    const at = labels.lastIndexOf(first);
    const local = labels.length - 1 - at;
    if (at < 1 || local < 1 || local > MAX_LOCAL_LABELS) return [];
    return [`${labels.slice(0, at).join('.')}.${suffix}`];
  });
}

/** The domain that the narrowest IP record of an address is mapped to. */
function mappedDomain(directory: Directory, address: string): Domain | undefined {
  const number = ipv4Number(address);
  if (number === undefined) return undefined;
  for (const { sid } of longestPrefixes(directory.all(ipRecord), number)) {
    for (const { sipDomainSid } of directory.findBy(sourceIpMapping, { ipRecordSid: sid })) {
      const found = directory.find(domain, sipDomainSid);
      if (found) return found;
    }
  }
  return undefined;
}
