// Targets whose certificate is not checked.
import type { Migration } from 'kysely/migration';
import { indexed, resourceTable, type Schema } from './columns.ts';

export const insecureTargets: Migration = {
  async up(db: Schema) {
    await resourceTable(db, 'insecure_targets')
      .addColumn('target_sid', 'text', (column) =>
        column.notNull().unique().references('connection_policy_targets.sid').onDelete('cascade'),
      )
      .execute();
    await indexed(db, 'insecure_targets', ['account_sid']);
  },
};
