// What the store needs of a database engine.
import type { Kysely } from 'kysely';
import type { Durability, SqlResult, SqlRow, Statement } from './sqlite-protocol.ts';

/** Tables are known by the resources' definitions, not by their types. */
export type Tables = Record<string, SqlRow>;

export interface Engine {
  readonly db: Kysely<Tables>;
  /** Several statements are one transaction: all of them or none. */
  run(statements: readonly Statement[], durability: Durability): Promise<readonly SqlResult[]>;
  close(): Promise<void>;
}
