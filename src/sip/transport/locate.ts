// From a SIP URI to the places its requests are sent to (RFC 3263): NAPTR, then SRV, then A and AAAA.
import { isIP } from 'node:net';
import type { Random } from '../../lib/random.ts';
import type { SipUri } from '../message/uri.ts';
import type { Endpoint, TransportName } from './endpoint.ts';
import { inSrvOrder, type SrvRecord } from './srv-order.ts';

export interface AddressRecord {
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

export interface NaptrRecord {
  readonly flags: string;
  readonly service: string;
  readonly replacement: string;
  readonly order: number;
  readonly preference: number;
}

/** The parts of a `node:dns/promises` Resolver that are asked; they reject with Node's error codes. */
export interface DnsResolver {
  resolveNaptr(name: string): Promise<readonly NaptrRecord[]>;
  resolveSrv(name: string): Promise<readonly SrvRecord[]>;
  resolve4(name: string, options: { readonly ttl: true }): Promise<readonly AddressRecord[]>;
  resolve6(name: string, options: { readonly ttl: true }): Promise<readonly AddressRecord[]>;
}

export type LocateErrorCode = 'not-found' | 'timed-out' | 'resolver-failed' | 'unsupported-transport';

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
/** No more services, and no more servers of all of them, are looked up, whatever a zone may hold. */
const MAX_LOOKUPS = 10;

const DEFAULT_PORTS: Readonly<Record<TransportName, number>> = { udp: 5060, tcp: 5060, tls: 5061 };
const SRV_PREFIXES: Readonly<Record<TransportName, string>> = {
  udp: '_sip._udp.',
  tcp: '_sip._tcp.',
  tls: '_sips._tcp.',
};
const NAPTR_SERVICES: ReadonlyMap<string, TransportName> = new Map([
  ['SIP+D2U', 'udp'],
  ['SIP+D2T', 'tcp'],
  ['SIPS+D2T', 'tls'],
]);

/**
 * Where to send a request for `uri`, in order of preference; of a name's addresses IPv4 comes first. `maddr` is not
 * followed: it would let a URI name one host and reach another.
 * @throws {LocateError} `unsupported-transport`; `not-found` when the name has no address; `timed-out` or
 *   `resolver-failed` when the resolver could not say.
 */
export async function locate(
  uri: SipUri,
  { resolver, random }: { readonly resolver: DnsResolver; readonly random: Random },
): Promise<Endpoint[]> {
  const search = new Search(uri, resolver, random);
  await search.run();
  return search.result();
}

/** The way of one URI through the DNS. */
class Search {
  readonly #uri: SipUri;
  readonly #resolver: DnsResolver;
  readonly #random: Random;
  readonly #found: Endpoint[] = [];
  /** The first failure that says nothing about what exists. */
  #trouble: NodeJS.ErrnoException | undefined;
  /** A resolver that timed out is not asked for more services: the addresses may be known by other means. */
  #isSlow = false;
  #addressLookups = 0;
  /** Whether the DNS named the transport. */
  #isChosen = false;

  constructor(uri: SipUri, resolver: DnsResolver, random: Random) {
    this.#uri = uri;
    this.#resolver = resolver;
    this.#random = random;
  }

  /** RFC 3263 §4.1 and §4.2: what the URI names is not looked up. */
  async run(): Promise<void> {
    const { host, port } = this.#uri;
    const named = namedTransport(this.#uri);
    const transport = named ?? defaultTransport(this.#uri);
    if (isIP(host) !== 0) return this.#add(host, transport, port ?? DEFAULT_PORTS[transport]);
    if (port !== undefined) return this.#addAddresses(host, transport, port);
    if (named ? await this.#bySrv(SRV_PREFIXES[named] + host, named) : await this.#byServices()) return;
    await this.#addAddresses(host, transport, DEFAULT_PORTS[transport]);
  }

  result(): Endpoint[] {
    if (this.#found.length > 0) return this.#found;
    const { host } = this.#uri;
    if (!this.#trouble) throw new LocateError('not-found', `${host} has no address`);
    const code = isTimeout(this.#trouble) ? 'timed-out' : 'resolver-failed';
    const what = code === 'timed-out' ? 'looking it up took too long' : 'could not be looked up';
    throw new LocateError(code, `${host} ${what}`, { cause: this.#trouble });
  }

  /** Whether the name has records that say where its services are, of whatever use they were. */
  async #byServices(): Promise<boolean> {
    const { host, scheme } = this.#uri;
    const spoken: TransportName[] = scheme === 'sips' ? ['tls'] : ['udp', 'tcp'];
    const services = servicesOf(await this.#ask(() => this.#resolver.resolveNaptr(host)), scheme === 'sips');
    for (const [name, transport] of services.slice(0, MAX_LOOKUPS)) await this.#bySrv(name, transport);
    if (services.length > 0) return true;
    let isKnown = false;
    for (const transport of spoken) {
      if (this.#isFull || (isKnown && this.#found.length > 0)) break;
      isKnown = (await this.#bySrv(SRV_PREFIXES[transport] + host, transport)) || isKnown;
    }
    return isKnown;
  }

  /** Whether there are SRV records. */
  async #bySrv(name: string, transport: TransportName): Promise<boolean> {
    if (this.#isFull) return true;
    const records = await this.#ask(() => this.#resolver.resolveSrv(name));
    this.#isChosen ||= records.length > 0;
    for (const { name: host, port } of inSrvOrder(records, this.#random)) {
      if (isServer(host, port) && !this.#isFull) await this.#addAddresses(host, transport, port);
    }
    return records.length > 0;
  }

  async #addAddresses(host: string, transport: TransportName, port: number): Promise<void> {
    if (++this.#addressLookups > MAX_LOOKUPS) return;
    const options = { ttl: true } as const;
    const answers = await Promise.all([
      this.#ask(() => this.#resolver.resolve4(host, options), true),
      this.#ask(() => this.#resolver.resolve6(host, options), true),
    ]);
    for (const { address } of answers.flat()) this.#add(address, transport, port);
  }

  #add(address: string, transport: TransportName, port: number): void {
    const isKnown = this.#found.some(
      (one) => one.transport === transport && one.address === address && one.port === port,
    );
    if (this.#isFull || isKnown) return;
    // The certificate is for the name in the URI, wherever the DNS leads (RFC 5922 §4).
    const { host, params } = this.#uri;
    const mayUseTcp = transport === 'udp' && !params.has('transport') && !this.#isChosen;
    this.#found.push({
      transport,
      address,
      port,
      ...(transport === 'tls' && { host }),
      ...(mayUseTcp && { mayUseTcp }),
    });
  }

  get #isFull(): boolean {
    return this.#found.length >= MAX_ADDRESSES;
  }

  async #ask<T>(query: () => Promise<readonly T[]>, even = false): Promise<readonly T[]> {
    if (this.#isSlow && !even) return [];
    try {
      return await query();
    } catch (error) {
      if (isAbsence(error)) return [];
      this.#trouble ??= error as NodeJS.ErrnoException;
      this.#isSlow ||= isTimeout(error);
      return [];
    }
  }
}

/** The transport that the URI's parameter asks for. @throws {LocateError} `unsupported-transport`. */
function namedTransport({ scheme, params }: SipUri): TransportName | undefined {
  const named = params.get('transport')?.toLowerCase();
  if (named === undefined) return undefined;
  const transport = scheme === 'sips' && named === 'tcp' ? 'tls' : named;
  const isSpoken = scheme === 'sips' ? transport === 'tls' : Object.hasOwn(DEFAULT_PORTS, transport);
  if (isSpoken) return transport as TransportName;
  throw new LocateError('unsupported-transport', `${scheme} over ${named} is not spoken`);
}

const defaultTransport = ({ scheme }: SipUri): TransportName => (scheme === 'sips' ? 'tls' : 'udp');

/** "." says that there is no such service (RFC 2782); to port 0 nothing can be sent. */
const isServer = (host: string, port: number): boolean => host !== '' && host !== '.' && port > 0;

/**
 * SRV names with their transports, best first. Other flags than `s` have no meaning here (RFC 3263 §4.1); a record with
 * a regular expression has no replacement (RFC 3403 §4.1).
 */
const servicesOf = (records: readonly NaptrRecord[], secureOnly: boolean): [string, TransportName][] =>
  records
    .toSorted((a, b) => a.order - b.order || a.preference - b.preference)
    .flatMap(({ flags, service, replacement }) => {
      const transport = NAPTR_SERVICES.get(service.toUpperCase());
      const isUsable =
        flags.toLowerCase() === 's' &&
        replacement !== '' &&
        transport &&
        (!secureOnly || transport === 'tls');
      return isUsable ? [[replacement, transport] as [string, TransportName]] : [];
    });

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

/** The resolver's word that there is nothing, as against its having failed. */
const isAbsence = (error: unknown): boolean => ['ENOTFOUND', 'ENODATA'].includes(String(codeOf(error)));
const isTimeout = (error: unknown): boolean => ['ETIMEOUT', 'EAI_AGAIN'].includes(String(codeOf(error)));
