// kysely on the SQLite thread.
import { type Dialect, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import { statementDriver } from './kysely-driver.ts';
import type { SqliteClient } from './sqlite-client.ts';

/** SQLite does roll back DDL; kysely leaves that unused, and a kill would leave half a migration behind. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

export const sqliteDialect = (client: SqliteClient): Dialect => ({
  createAdapter: () => new TransactionalSqliteAdapter(),
  createDriver: () =>
    statementDriver(async (statement) => {
      const [result] = await client.run([statement], 'full');
      return result ?? { rows: [], changes: 0 };
    }, 'begin immediate'),
  createIntrospector: (db) => new SqliteIntrospector(db),
  createQueryCompiler: () => new SqliteQueryCompiler(),
});
