// Connections to PostgreSQL: every fault a store error, every wait bounded, values as the store knows them.
import pg from 'pg';
import type { Durability, SqlResult, SqlRow, Statement } from './engine.ts';
import { isCollision, isConsequence, storeErrorOf } from './postgres-faults.ts';
import { StoreError } from './store.ts';

export interface PostgresPoolOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string;
  readonly connections: number;
  /** Longer than any statement may take: a server that vanished without a word is given up after it. */
  readonly queryTimeoutMs: number;
  /** `full` commits wait for the server's disk. */
  readonly durability: Durability;
}

const CONNECT_TIMEOUT_MS = 5000;
const MAX_TRIES = 4;

const BEGIN: Statement = { sql: 'begin', parameters: [] };
const COMMIT: Statement = { sql: 'commit', parameters: [] };

/** By the type numbers of bool and int8 in pg_type: rows look as they do on SQLite. */
const PARSERS = new Map<number, (text: string) => number>([
  [16, (text) => (text === 't' ? 1 : 0)],
  [20, Number],
]);

export class PostgresPool {
  readonly #pool: pg.Pool;
  readonly #options: PostgresPoolOptions;
  /** Names of prepared statements by their SQL. */
  readonly #prepared = new Map<string, string>();
  #closed = false;

  constructor(options: PostgresPoolOptions) {
    this.#options = options;
    this.#pool = new pg.Pool({
      ...connectionOptions(options.url),
      max: options.connections,
      // Making a connection costs more than a call may wait.
      min: 1,
      pipeline: true,
      onConnect: async (client: pg.ClientBase) => {
        // The query that a broken connection breaks tells of it; an event that nobody hears would end the program.
        client.on('error', () => {});
        if (options.durability === 'normal') await client.query('set synchronous_commit = off');
      },
    });
    this.#pool.on('error', () => {});
  }

  /** Several statements are one transaction, sent as one packet and not one by one. */
  async run(statements: readonly Statement[]): Promise<readonly SqlResult[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#attempt(statements);
      } catch (error) {
        if (this.#closed) throw new StoreError('closed', 'The database is closed');
        if (tries === MAX_TRIES || !isCollision(error)) throw storeErrorOf(error, placeOf(this.#options.url));
      }
    }
  }

  /** What was asked before is answered first. A second call does nothing. */
  async end(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#pool.end();
  }

  async #attempt(statements: readonly Statement[]): Promise<readonly SqlResult[]> {
    const client = await this.#pool.connect();
    try {
      if (statements.length === 1) return [await this.#ask(client, statements[0] as Statement)];
      client.connection.stream.cork();
      const asked = [BEGIN, ...statements, COMMIT].map((statement) => this.#ask(client, statement));
      client.connection.stream.uncork();
      const answers = await Promise.allSettled(asked);
      const faults = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
      // COMMIT after a fault has rolled back.
      if (faults.length > 0) throw faults.find((fault) => !isConsequence(fault));
      return (await Promise.all(asked)).slice(1, -1);
    } finally {
      client.release();
    }
  }

  async #ask(client: pg.PoolClient, { sql, parameters }: Statement): Promise<SqlResult> {
    const { rows, rowCount } = await client.query<SqlRow>({
      text: sql,
      values: [...parameters],
      query_timeout: this.#options.queryTimeoutMs,
      ...this.#named(sql),
    } as pg.QueryConfig);
    return { rows, changes: rowCount ?? 0 };
  }

  /** Only inserts and deletes, which are few and return nothing: `select *` must not outlive a schema change. */
  #named(sql: string): { readonly name?: string } {
    if (this.#options.durability === 'full' && !/^(insert|delete) /.test(sql)) return {};
    const name = this.#prepared.get(sql) ?? `tandem_${this.#prepared.size}`;
    this.#prepared.set(sql, name);
    return { name };
  }
}

/** How every connection is made. */
export const connectionOptions = (url: string): pg.ClientConfig => ({
  connectionString: url,
  application_name: 'tandem',
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  keepAlive: true,
  types: {
    getTypeParser: (oid: number, format: unknown) =>
      PARSERS.get(oid) ?? pg.types.getTypeParser(oid, format as 'text'),
  } as pg.CustomTypesConfig,
});

/** `host:port/database`, for messages: no user, no password. */
export function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return host + pathname;
}
