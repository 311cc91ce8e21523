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
  /** Whose they are, by SID. */
  readonly #owners = new Map<string, Entry>();

  /** How many bindings there are, expired ones included until the next sweep. */
  get size(): number {
    return this.#owners.size;
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
    this.#replace(entry, rows);
  }

  find(sid: string): BindingRow | undefined {
    return this.#owners.get(sid)?.rows.find((row) => row.sid === sid);
  }

  /** Adds a binding, or replaces the one with its SID. */
  put(row: BindingRow): void {
    const entry = this.#entry(keyOf(row.domainSid, row.username), 0);
    const isKnown = this.#owners.get(row.sid) === entry;
    const rows = isKnown
      ? entry.rows.map((each) => (each.sid === row.sid ? row : each))
      : [...entry.rows, row];
    this.#replace(entry, rows);
  }

  /** Forgets a binding, where there is one with this SID. */
  drop(sid: string): void {
    const entry = this.#owners.get(sid);
    if (entry)
      this.#replace(
        entry,
        entry.rows.filter((row) => row.sid !== sid),
      );
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
      const over = entry.rows.filter(isGone);
      const left = over.length === 0 ? entry.rows : entry.rows.filter((row) => !over.includes(row));
      gone.push(...over);
      this.#replace(entry, left);
      if (left.length === 0) this.#entries.delete(key);
    }
    return gone;
  }

  #replace(entry: Entry, rows: readonly BindingRow[]): void {
    if (rows === entry.rows) return;
    for (const { sid } of entry.rows) this.#owners.delete(sid);
    for (const { sid } of rows) this.#owners.set(sid, entry);
    entry.rows = rows;
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
