// What the two sides of the SQLite thread say to each other.

export type SqlValue = string | number | null;
export type SqlRow = { readonly [column: string]: SqlValue };

export interface Statement {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/** `full` survives a power cut, `normal` a killed process (a power cut may cost the last commits). */
export type Durability = 'full' | 'normal';

/** Several statements are one transaction. */
export interface SqlRequest {
  readonly id: number;
  readonly work: 'close' | { readonly statements: readonly Statement[]; readonly durability: Durability };
}

export interface SqlResult {
  readonly rows: readonly SqlRow[];
  readonly changes: number;
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
