// Answers of the DNS, kept for a while: bounded in number and time, and one query for all who ask at once.
import type { Clock } from '../../lib/clock.ts';
import type { AddressRecord, DnsResolver } from './locate.ts';

export interface DnsCacheOptions {
  readonly clock: Clock;
  /** Names and record types that are kept; the one that was asked for least recently goes first. */
  readonly maxEntries?: number;
}

const MAX_ENTRIES = 10_000;
/** A resolver that says nothing for this long has failed; `cachedResolver` rejects with `ETIMEOUT`. */
const QUERY_LIMIT_MS = 5000;
/** Node tells the TTL of addresses only; other records are kept this long. */
const RECORDS_MS = 60_000;
const MAX_ADDRESS_MS = 3_600_000;
/** That there is nothing (RFC 2308 allows longer; a name just made should be found soon). */
const ABSENCE_MS = 30_000;
/** That the resolver failed: spares it the calls that follow at once. */
const FAILURE_MS = 2000;

interface Entry {
  readonly answer: Promise<readonly object[]>;
  /** On the monotonic clock; a query under way has no end yet. */
  expiresMs: number;
}

/** The same resolver with a memory. */
export function cachedResolver(resolver: DnsResolver, options: DnsCacheOptions): DnsResolver {
  const cache = new DnsCache(options);
  const ttl = { ttl: true } as const;
  return {
    resolveNaptr: (name) => cache.ask(`NAPTR ${name}`, () => resolver.resolveNaptr(name)),
    resolveSrv: (name) => cache.ask(`SRV ${name}`, () => resolver.resolveSrv(name)),
    resolve4: (name) => cache.ask(`A ${name}`, () => resolver.resolve4(name, ttl), addressTtlMs),
    resolve6: (name) => cache.ask(`AAAA ${name}`, () => resolver.resolve6(name, ttl), addressTtlMs),
  };
}

class DnsCache {
  readonly #clock: Clock;
  readonly #maxEntries: number;
  readonly #entries = new Map<string, Entry>();

  constructor({ clock, maxEntries = MAX_ENTRIES }: DnsCacheOptions) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
  }

  ask<T extends object>(
    question: string,
    query: () => Promise<readonly T[]>,
    ttlMs: (records: readonly T[]) => number = () => RECORDS_MS,
  ): Promise<readonly T[]> {
    const key = question.toLowerCase();
    const known = this.#entries.get(key);
    this.#entries.delete(key);
    if (known && known.expiresMs > this.#clock.monotonic()) {
      this.#entries.set(key, known);
      return known.answer as Promise<readonly T[]>;
    }
    const answer = this.#limited(query);
    this.#keep(key, answer, ttlMs);
    return answer;
  }

  #keep<T extends object>(
    key: string,
    answer: Promise<readonly T[]>,
    ttlMs: (records: readonly T[]) => number,
  ): void {
    const entry: Entry = { answer, expiresMs: Number.POSITIVE_INFINITY };
    const keepFor = (durationMs: number): void => {
      entry.expiresMs = this.#clock.monotonic() + durationMs;
    };
    answer.then(
      (records) => keepFor(records.length ? ttlMs(records) : ABSENCE_MS),
      (error: NodeJS.ErrnoException) =>
        keepFor(error.code === 'ENOTFOUND' || error.code === 'ENODATA' ? ABSENCE_MS : FAILURE_MS),
    );
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#maxEntries && oldest !== undefined) this.#entries.delete(oldest);
  }

  #limited<T>(query: () => Promise<readonly T[]>): Promise<readonly T[]> {
    const answer = query();
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(QUERY_LIMIT_MS, () =>
        reject(Object.assign(new Error('the resolver did not answer'), { code: 'ETIMEOUT' })),
      );
      answer.finally(() => this.#clock.cancel(timer)).then(resolve, reject);
    });
  }
}

const addressTtlMs = (records: readonly AddressRecord[]): number =>
  Math.min(MAX_ADDRESS_MS, ...records.map(({ ttl }) => ttl * 1000));
