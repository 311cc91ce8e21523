// Settings of the process: where its data is, who owns it, how it stops and what it logs.
import { LOG_LEVELS } from '../lib/log.ts';
import { oneOf, readDatabase, readText, textLike, wholeNumber } from './readers.ts';
import type { Topic } from './setting.ts';

export const RUNNING = {
  dataFolder: {
    variable: 'TANDEM_DATA',
    flag: 'data',
    default: './data',
    meaning: 'folder of the database, the key and account.json',
    read: readText,
  },
  database: {
    variable: 'TANDEM_DATABASE',
    unset: 'SQLite in the data folder',
    meaning: 'PostgreSQL instead: postgres://user:password@host:port/database',
    read: readDatabase,
  },
  key: {
    variable: 'TANDEM_KEY',
    unset: 'the file "key" in the data folder, made at the first start',
    meaning: 'encrypts stored secrets: 64 hex digits, as `openssl rand -hex 32` gives them',
    read: textLike(/^[0-9a-f]{64}$/i, 'must be 64 hex digits (openssl rand -hex 32)'),
  },
  drainS: {
    variable: 'TANDEM_DRAIN_S',
    flag: 'drain-s',
    default: '60',
    meaning: 'seconds that running calls are given to end after SIGTERM',
    read: wholeNumber(0, 86_400),
  },
  logLevel: {
    variable: 'TANDEM_LOG_LEVEL',
    flag: 'log-level',
    default: 'info',
    meaning: LOG_LEVELS.join(', '),
    read: oneOf(LOG_LEVELS),
  },
} as const satisfies Topic;

/** They go together. */
export const FIRST_ACCOUNT = {
  accountSid: {
    variable: 'TANDEM_ACCOUNT_SID',
    unset: 'made at the first start, kept in account.json',
    meaning: 'SID of the first account; goes with TANDEM_AUTH_TOKEN',
    read: textLike(/^AC[0-9a-fA-F]{32}$/, 'must be AC and 32 hex digits'),
  },
  authToken: {
    variable: 'TANDEM_AUTH_TOKEN',
    unset: 'made at the first start, kept in account.json',
    meaning: 'token of the first account, at least 16 characters',
    read: textLike(/^[\x20-\x7e]{16,}$/, 'must be at least 16 printable ASCII characters'),
  },
} as const satisfies Topic;
