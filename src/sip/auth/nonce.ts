// Nonces that the server need not remember: a time and a signature (RFC 7616 §5.4), and which counts were used.
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import { ownCopy } from '../../lib/own-copy.ts';
import type { Random } from '../../lib/random.ts';

/**
 * `stale`: ours, but too old, used already, or no longer told apart from a used one: the client gets a new one.
 * `forged`: not ours, or of another domain.
 */
export type NonceVerdict = 'good' | 'stale' | 'forged';

export interface NonceOptions {
  /** Secret of all nodes that share the domains. */
  readonly key: Buffer;
  readonly clock: Clock;
  readonly random: Random;
  /** Default 5 min. */
  readonly lifetimeMs?: number;
  /** How many nonces in use are known at once. Default 100,000. */
  readonly remembered?: number;
}

/** Counts below the highest one by this many may still come, each once: requests overtake each other. */
const WINDOW = 31;
const SALT_BYTES = 6;
const TIME_DIGITS = 12;
const SIGNED_DIGITS = TIME_DIGITS + 2 * SALT_BYTES;
const NONCE = /^[0-9a-f]{56}$/;

/** Counts that were used: the highest, and a bit for each of those below it. */
interface Used {
  readonly highest: number;
  readonly below: number;
}

/** The window after `nc` was used, or undefined when it may not be. Pure. */
export function useCount(used: Used | undefined, nc: number): Used | undefined {
  if (!used) return { highest: nc, below: 0 };
  const ahead = nc - used.highest;
  if (ahead > 0) return { highest: nc, below: ahead > WINDOW ? 0 : ((used.below << 1) | 1) << (ahead - 1) };
  const bit = 1 << (-ahead - 1);
  if (ahead === 0 || ahead < -WINDOW || used.below & bit) return undefined;
  return { highest: used.highest, below: used.below | bit };
}

export class Nonces {
  readonly #key: KeyObject;
  readonly #options: NonceOptions;
  readonly #lifetimeMs: number;
  readonly #remembered: number;
  readonly #used = new Map<string, Used>();
  /** A nonce as old as one that was forgotten cannot be told from it. */
  #forgottenMs = 0;

  constructor(options: NonceOptions) {
    this.#options = options;
    this.#key = createSecretKey(options.key);
    this.#lifetimeMs = options.lifetimeMs ?? 300_000;
    this.#remembered = options.remembered ?? 100_000;
  }

  issue(domain: string): string {
    const { clock, random } = this.#options;
    const signed = clock.now().toString(16).padStart(TIME_DIGITS, '0') + random.hex(SALT_BYTES);
    return signed + this.#signature(signed, domain);
  }

  /** Whether this is a nonce that was issued for the domain, however old and however often used. */
  isOf(nonce: string, domain: string): boolean {
    const signed = nonce.slice(0, SIGNED_DIGITS);
    return NONCE.test(nonce) && isSame(nonce.slice(SIGNED_DIGITS), this.#signature(signed, domain));
  }

  /** Judges a nonce and marks the count as used. An answer without qop counts as 1: it is good once. */
  use(nonce: string, domain: string, nc = 1): NonceVerdict {
    if (!this.isOf(nonce, domain)) return 'forged';
    const issuedMs = Number.parseInt(nonce.slice(0, TIME_DIGITS), 16);
    const ageMs = this.#options.clock.now() - issuedMs;
    const known = this.#used.get(nonce);
    if (ageMs > this.#lifetimeMs || (!known && issuedMs <= this.#forgottenMs)) return 'stale';
    const used = nc >= 1 ? useCount(known, nc) : undefined;
    if (!used) return 'stale';
    this.#used.set(known ? nonce : ownCopy(nonce), used);
    if (this.#used.size > this.#remembered) this.#forgetOldest();
    return 'good';
  }

  #forgetOldest(): void {
    const [oldest = ''] = this.#used.keys();
    this.#used.delete(oldest);
    this.#forgottenMs = Math.max(this.#forgottenMs, Number.parseInt(oldest.slice(0, TIME_DIGITS), 16));
  }

  #signature(signed: string, domain: string): string {
    return createHmac('sha256', this.#key).update(`${signed} ${domain}`).digest('hex').slice(0, 32);
  }
}

const isSame = (a: string, b: string): boolean => timingSafeEqual(Buffer.from(a), Buffer.from(b));
