import { defineConfig } from 'vitest/config';

/** Tests of PostgreSQL alone. */
const POSTGRES_ONLY = '**/store/postgres-*.test.ts';

/** Tests of both projects: once on SQLite, once on PostgreSQL. */
const BOTH_ENGINES = [
  'src/api/{configuration,paging,recordings}.test.ts',
  'src/calls/recording/shelf.test.ts',
  'test/conformance/**/*.test.ts',
  'test/store/**/*.test.ts',
];

export default defineConfig({
  test: {
    reporters: ['default', './test/support/closing-line.ts'],
    // Most of what the tests do is wait, for timers and peers.
    maxWorkers: 3,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'sqlite',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [POSTGRES_ONLY],
        },
      },
      {
        extends: true,
        test: {
          name: 'postgres',
          include: [POSTGRES_ONLY, ...BOTH_ENGINES],
          globalSetup: './test/support/postgres-server.ts',
        },
      },
    ],
  },
});
