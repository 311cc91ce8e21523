// How many new calls are taken in a second: a bucket of tokens that fills at that rate (RFC 3261 §21.5.4).

export interface TokenBucket {
  readonly tokens: number;
  /** When `tokens` was right. */
  readonly atMs: number;
}

/** A second's worth may come at once. */
export const fullBucket = (perSecond: number, nowMs: number): TokenBucket => ({
  tokens: perSecond,
  atMs: nowMs,
});

/** The bucket without one token, or undefined when there is none to take. */
export function takeToken(bucket: TokenBucket, perSecond: number, nowMs: number): TokenBucket | undefined {
  const filled = bucket.tokens + ((nowMs - bucket.atMs) * perSecond) / 1000;
  const tokens = Math.min(filled, perSecond);
  return tokens >= 1 ? { tokens: tokens - 1, atMs: nowMs } : undefined;
}
