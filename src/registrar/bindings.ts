// Every AOR with its bindings, in memory; and how often each registers.
import type { BindingRow } from './binding.ts';

/** Twilio's 32008. */
const REGISTERS_PER_SECOND = 5;

interface Entry {
  rows: readonly BindingRow[];
  /** REGISTERs that may still come, and when that was right (monotonic milliseconds). */
  allowed: number;
  atMs: number;
}

export class Bindings {
  readonly #entries = new Map<string, Entry>();
  #size = 0;

  /** How many bindings there are, expired ones included until the next sweep. */
  get size(): number {
    return this.#size;
  }

  /** Whether nothing is held, not even a rate. */
  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** Every binding, expired ones included until the next sweep. */
  *all(): Generator<BindingRow> {
    for (const { rows } of this.#entries.values()) yield* rows;
  }

  /** Those of a user that have not expired, the oldest first. */
  of(domainSid: string, username: string, now: number): readonly BindingRow[] {
    const rows = this.#entries.get(keyOf(domainSid, username))?.rows ?? [];
    return rows.every(({ expiresAt }) => expiresAt > now)
      ? rows
      : rows.filter(({ expiresAt }) => expiresAt > now);
  }

  set(domainSid: string, username: string, rows: readonly BindingRow[]): void {
    const entry = this.#entry(keyOf(domainSid, username), 0);
    this.#size += rows.length - entry.rows.length;
    entry.rows = rows;
  }

  /** Takes up a binding that an earlier run left. */
  restore(row: BindingRow): void {
    const entry = this.#entry(keyOf(row.domainSid, row.username), 0);
    entry.rows = [...entry.rows, row];
    this.#size++;
  }

  /** Whether the user may register once more now. */
  mayRegister(domainSid: string, username: string, nowMs: number): boolean {
    const entry = this.#entry(keyOf(domainSid, username), nowMs);
    const filled = entry.allowed + ((nowMs - entry.atMs) * REGISTERS_PER_SECOND) / 1000;
    entry.allowed = Math.min(filled, REGISTERS_PER_SECOND);
    entry.atMs = nowMs;
    if (entry.allowed < 1) return false;
    entry.allowed -= 1;
    return true;
  }

  /** Forgets what `isGone` says, and gives it back. */
  sweep(isGone: (row: BindingRow) => boolean): readonly BindingRow[] {
    const gone: BindingRow[] = [];
    for (const [key, entry] of this.#entries) {
      const left = entry.rows.filter((row) => !isGone(row));
      if (left.length < entry.rows.length) gone.push(...entry.rows.filter(isGone));
      this.#size += left.length - entry.rows.length;
      entry.rows = left;
      if (left.length === 0) this.#entries.delete(key);
    }
    return gone;
  }

  #entry(key: string, nowMs: number): Entry {
    const known = this.#entries.get(key);
    if (known) return known;
    const entry: Entry = { rows: [], allowed: REGISTERS_PER_SECOND, atMs: nowMs };
    this.#entries.set(key, entry);
    return entry;
  }
}

const keyOf = (domainSid: string, username: string): string => `${domainSid} ${username}`;
