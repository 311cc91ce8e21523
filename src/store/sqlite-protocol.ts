// What the two sides of the SQLite thread say to each other.
import type { Durability, SqlResult, Statement } from './engine.ts';

/** Several statements are one transaction. */
export interface SqlRequest {
  readonly id: number;
  readonly work: 'close' | { readonly statements: readonly Statement[]; readonly durability: Durability };
}

/** `errcode` is SQLite's extended result code. */
export interface SqlFault {
  readonly message: string;
  readonly errcode: number;
}

/** `id` 0 answers the opening of the database. */
export type SqlAnswer =
  | { readonly id: number; readonly results: readonly SqlResult[] }
  | { readonly id: number; readonly fault: SqlFault };

export interface SqliteOptions {
  readonly path: string;
  readonly busyTimeoutMs: number;
}
