// Which SIP domains a certificate speaks for (RFC 5922 §7).
import { isIP } from 'node:net';
import { parseUri } from '../message/uri.ts';

/**
 * The identities of a certificate, lower case: domains of its SIP URIs, or its DNS names where it has no such URI;
 * and its IP addresses. The common name counts only where there is no subjectAltName at all.
 * @param subjectAltName as Node shows it: `DNS:a.example, URI:sip:example, IP Address:192.0.2.1`.
 */
export function certificateNames(
  subjectAltName: string | undefined,
  commonName: string | readonly string[] | undefined,
): string[] {
  if (!subjectAltName)
    return [commonName ?? []]
      .flat()
      .map((name) => name.toLowerCase())
      .filter(isDomain);
  // A name that Node had to quote has characters that no domain has.
  const entries = subjectAltName.split(', ').filter((entry) => !entry.includes('"'));
  const valuesOf = (kind: string): string[] =>
    entries.flatMap((entry) => (entry.startsWith(kind) ? [entry.slice(kind.length).toLowerCase()] : []));
  const domains = valuesOf('URI:').flatMap(sipDomain);
  return [
    ...(domains.length ? domains : valuesOf('DNS:')).filter(isDomain),
    ...valuesOf('IP Address:').map(canonical),
  ];
}

/** Whole names only: RFC 5922 §7.2 knows no wildcards. */
export const isNamed = (host: string, names: readonly string[]): boolean =>
  names.includes(canonical(host.toLowerCase().replace(/\.$/, '')));

/** A URI speaks for a domain when it is `sip:` and names no user. */
function sipDomain(uri: string): string[] {
  try {
    const { scheme, user, host } = parseUri(uri);
    return scheme === 'sip' && user === undefined ? [host] : [];
  } catch {
    return [];
  }
}

/** An address is vouched for as an address, never by a text that looks like one. */
const isDomain = (name: string): boolean => isIP(name) === 0;

/** One spelling of an IPv6 address: OpenSSL writes it out in full. */
const canonical = (name: string): string => (isIP(name) === 6 ? new URL(`http://[${name}]`).hostname : name);
