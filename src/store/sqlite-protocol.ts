// What the two sides of the SQLite thread say to each other.
import type { Durability, SqlResult, Statement } from './engine.ts';

/** Several statements are one transaction. */
export interface SqlRequest {
  readonly id: number;
  readonly work: 'close' | SqlWork;
}

/** A group has few different statements: the text of each crosses once. */
export interface SqlWork {
  readonly texts: readonly string[];
  readonly statements: readonly { readonly text: number; readonly parameters: Statement['parameters'] }[];
  readonly durability: Durability;
}

export function packed(statements: readonly Statement[], durability: Durability): SqlWork {
  const numbers = new Map<string, number>();
  const numbered = statements.map(({ sql, parameters }) => {
    const text = numbers.get(sql) ?? numbers.size;
    numbers.set(sql, text);
    return { text, parameters };
  });
  return { texts: [...numbers.keys()], statements: numbered, durability };
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
