// Connections to PostgreSQL: every fault a store error, every wait bounded, values as the store knows them.
import pg from 'pg';
import type { Log } from '../lib/log.ts';
import type { SqlResult, SqlRow, Statement } from './engine.ts';
import { isCollision, isConsequence, storeErrorOf } from './postgres-faults.ts';
import { StoreError } from './store.ts';

export interface PostgresPoolOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string;
  readonly log: Log;
  readonly connections: number;
  /** Longer than any statement should take; a server that vanished without a word is given up after it. */
  readonly queryTimeoutMs: number;
  /** Whether commits wait for the disk. */
  readonly synchronous: boolean;
}

const CONNECT_TIMEOUT_MS = 5000;
const MAX_TRIES = 4;
const MAX_PREPARED = 256;

const BEGIN: Statement = { sql: 'begin', parameters: [] };
const COMMIT: Statement = { sql: 'commit', parameters: [] };

/** Type numbers of bool and int8 (pg_type): rows look as they do on SQLite. */
const PARSERS: ReadonlyMap<number, (text: string) => number> = new Map([
  [16, (text) => (text === 't' ? 1 : 0)],
  [20, Number],
]);

const TYPES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format: 'text' | 'binary') =>
    PARSERS.get(oid) ?? pg.types.getTypeParser(oid, format as 'text')) as pg.CustomTypesConfig['getTypeParser'],
};

/** `host:port/database`, for messages. */
export function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return host + pathname;
}

export class PostgresPool {
  readonly #pool: pg.Pool;
  readonly #place: string;
  readonly #queryTimeoutMs: number;
  readonly #names = new Map<string, string>();
  #closed = false;

  constructor({ url, log, connections, queryTimeoutMs, synchronous }: PostgresPoolOptions) {
    this.#place = placeOf(url);
    this.#queryTimeoutMs = queryTimeoutMs;
    this.#pool = new pg.Pool({
      connectionString: url,
      max: connections,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      pipeline: true,
      types: TYPES,
      application_name: 'tandem',
      onConnect: async (client: pg.ClientBase) => {
        // A connection that breaks is told of by the query it breaks; without a listener it would end the program.
        client.on('error', (error) => log.debug({ err: error.message }, 'database connection lost'));
        if (!synchronous) await client.query('set synchronous_commit = off');
      },
    });
    this.#pool.on('error', () => {});
  }

  /** Several statements are one transaction; they are sent without waiting for each other's answers. */
  async run(statements: readonly Statement[]): Promise<readonly SqlResult[]> {
    const [first] = statements;
    const isOne = first !== undefined && statements.length === 1;
    for (let tries = 1; ; tries++) {
      try {
        if (isOne) return [await this.#alone(first)];
        return await this.#transaction(statements);
      } catch (error) {
        if (tries === MAX_TRIES || !isCollision(error)) throw this.#fault(error);
      }
    }
  }

  /** kysely's view of it: one connection at a time. */
  async connect() {
    const client = await this.#connect();
    const timeout = this.#queryTimeoutMs;
    return {
      query: async <R>(sql: string, parameters: readonly unknown[]) => {
        try {
          return (await client.query({
            text: sql,
            values: [...parameters],
            query_timeout: timeout,
          })) as pg.QueryResult & { command: 'SELECT'; rows: R[] };
        } catch (error) {
          throw this.#fault(error);
        }
      },
      release: () => client.release(),
    };
  }

  async end(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#pool.end();
  }

  async #alone(statement: Statement): Promise<SqlResult> {
    const client = await this.#connect();
    try {
      return await this.#ask(client, statement);
    } finally {
      client.release();
    }
  }

  async #transaction(statements: readonly Statement[]): Promise<readonly SqlResult[]> {
    const client = await this.#connect();
    try {
      const asked = [BEGIN, ...statements, COMMIT].map((statement) => this.#ask(client, statement));
      const results = await Promise.allSettled(asked);
      const faults = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
      // COMMIT after a failure rolls back.
      if (faults.length > 0) throw faults.find((fault) => !isConsequence(fault)) ?? faults[0];
      return results.slice(1, -1).map((result) => (result as PromiseFulfilledResult<SqlResult>).value);
    } finally {
      client.release();
    }
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw this.#fault(error);
    }
  }

  async #ask(client: pg.PoolClient, { sql, parameters }: Statement): Promise<SqlResult> {
    const name = this.#nameOf(sql);
    const { rows, rowCount } = await client.query<SqlRow>({
      text: sql,
      values: [...parameters],
      query_timeout: this.#queryTimeoutMs,
      ...(name !== undefined && { name }),
    } as pg.QueryConfig);
    return { rows, changes: rowCount ?? 0 };
  }

  /** Statements with parameters are prepared once per connection; those that come late of very many are not. */
  #nameOf(sql: string): string | undefined {
    const known = this.#names.get(sql);
    if (known !== undefined || this.#names.size >= MAX_PREPARED) return known;
    const name = `tandem_${this.#names.size}`;
    this.#names.set(sql, name);
    return name;
  }

  #fault(error: unknown): Error {
    return this.#closed ? new StoreError('closed', 'The database is closed') : storeErrorOf(error, this.#place);
  }
}
