// kysely over anything that runs a statement. Its transactions are only for migrations: nothing else may run meanwhile.
import { CompiledQuery, type DatabaseConnection, type Driver, type QueryResult } from 'kysely';
import type { SqlResult, SqlValue, Statement } from './engine.ts';

/** @param begin the statement that begins a transaction. */
export function statementDriver(run: (statement: Statement) => Promise<SqlResult>, begin: string): Driver {
  const connection: DatabaseConnection = {
    async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
      const { rows, changes } = await run({ sql, parameters: parameters as readonly SqlValue[] });
      return { rows: rows as R[], numAffectedRows: BigInt(changes) };
    },
    streamQuery: () => {
      throw new Error('Rows are not streamed: ask for pages');
    },
  };
  const execute = async (sql: string): Promise<void> => {
    await connection.executeQuery(CompiledQuery.raw(sql));
  };
  return {
    init: async () => {},
    acquireConnection: async () => connection,
    beginTransaction: () => execute(begin),
    commitTransaction: () => execute('commit'),
    rollbackTransaction: () => execute('rollback'),
    releaseConnection: async () => {},
    destroy: async () => {},
  };
}
