// Chance as a port: tags, branches and weighted draws come from here, so that tests can seed them.
import { randomFillSync } from 'node:crypto';

export interface Random {
  /** A number in [0, 1). */
  fraction(): number;
  /** `bytes` random bytes as lower-case hex, two digits each. */
  hex(bytes: number): string;
}

const POOL_BYTES = 4096;

/** Cryptographically strong; bytes are drawn from the system in blocks, as one draw per tag is slow. */
export function systemRandom(): Random {
  const pool = Buffer.allocUnsafe(POOL_BYTES);
  let used = POOL_BYTES;
  const take = (bytes: number): number => {
    if (used + bytes > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    used += bytes;
    return used - bytes;
  };
  return {
    fraction: () => pool.readUIntBE(take(6), 6) / 2 ** 48,
    hex: (bytes) => {
      const start = take(bytes);
      return pool.toString('hex', start, start + bytes);
    },
  };
}

/** The same sequence for the same seed (mulberry32); for tests and simulations, never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const byte = (): string =>
    Math.floor(fraction() * 256)
      .toString(16)
      .padStart(2, '0');
  return { fraction, hex: (bytes) => Array.from({ length: bytes }, byte).join('') };
}
