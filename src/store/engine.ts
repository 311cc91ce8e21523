// What the store needs of a database engine, and the words both sides use: statements in, rows out.
import type { Kysely } from 'kysely';

/** What columns hold on every engine: booleans are 0 and 1, 64-bit integers are numbers. */
export type SqlValue = string | number | null;
export type SqlRow = { readonly [column: string]: SqlValue };

export interface Statement {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/** `full` survives a power cut, `normal` a killed exchange (a power cut may cost the last moments). */
export type Durability = 'full' | 'normal';

export interface SqlResult {
  readonly rows: readonly SqlRow[];
  readonly changes: number;
}

/** Tables are known by the resources' definitions, not by their types. */
export type Tables = Record<string, SqlRow>;

/** Hears what others write to the database. Calls come one at a time, and are repeated where they reject. */
export interface Watcher {
  /** Anything may have changed. */
  everything(): Promise<void>;
  rows(table: string, sids: readonly string[]): Promise<void>;
}

export interface Engine {
  readonly db: Kysely<Tables>;
  /** Nobody else writes: what the watcher has heard is all there is. */
  readonly isSole: boolean;
  /** Several statements are one transaction: all of them or none. */
  run(statements: readonly Statement[], durability: Durability): Promise<readonly SqlResult[]>;
  /** Makes transactions that begin with the same one go one after another; none where there is only one writer. */
  exclusive(name: string): readonly Statement[];
  /** Resolves once `everything` was heard a first time. */
  watch(watcher: Watcher): Promise<void>;
  /** Milliseconds since it was last certain that the watcher has heard of every change. */
  watchedAgeMs(): number;
  close(): Promise<void>;
}
