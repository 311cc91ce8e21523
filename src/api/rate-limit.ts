// How many requests an account may make: a token bucket each, filled by the clock.
import type { Clock } from '../lib/clock.ts';
import { ApiError } from './errors.ts';

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** A full bucket holds the requests of one second, so that a burst of that many passes. */
export interface Draw {
  readonly bucket: Bucket;
  /** 0 where a token was there. */
  readonly waitMs: number;
}

/** Takes a token, or says how long until there is one; pure. */
export function draw(bucket: Bucket | undefined, perSecond: number, nowMs: number): Draw {
  const filled = bucket ? bucket.tokens + ((nowMs - bucket.atMs) * perSecond) / 1000 : perSecond;
  const tokens = Math.min(perSecond, filled);
  if (tokens >= 1) return { bucket: { tokens: tokens - 1, atMs: nowMs }, waitMs: 0 };
  return { bucket: { tokens, atMs: nowMs }, waitMs: ((1 - tokens) * 1000) / perSecond };
}

/** The buckets of all accounts; only accounts that exist get one. */
export class RateLimit {
  readonly #buckets = new Map<string, Bucket>();
  readonly #perSecond: number;
  readonly #clock: Clock;

  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** @throws {ApiError} 429/20429 with Retry-After, in whole seconds. */
  admit(accountSid: string): void {
    const drawn = draw(this.#buckets.get(accountSid), this.#perSecond, this.#clock.monotonic());
    this.#buckets.set(accountSid, drawn.bucket);
    if (drawn.waitMs === 0) return;
    const seconds = Math.ceil(drawn.waitMs / 1000);
    throw new ApiError(429, 20429, 'Too Many Requests', { 'Retry-After': String(seconds) });
  }
}
