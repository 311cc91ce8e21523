// Where everything lasting is kept: resources by their definitions, the calls' journal, and a mirror for routing.
//
// store.ts         the port            open-store.ts   assembles it         journal*.ts  group commit
// sql-store.ts     it, on any engine   list-page.ts    pages by cursor      directory.ts configuration in memory
// codec.ts         row ↔ columns       cipher.ts       secrets at rest      statements.ts  SQL built once
// outbox.ts        callbacks to be sent and those that were         nodes.ts     who of several exchanges is alive
// node-orders.ts               what they ask of each other
// live-dialogs.ts  dialogs that another run ends where this one is lost
// engine.ts        what is needed of a database; kysely-driver.ts is kysely on it
// sqlite-*.ts      SQLite in a worker thread
// postgres-*.ts    PostgreSQL through connection pools, other nodes' changes heard by LISTEN/NOTIFY
// migrations/      the schema          data-folder.ts, first-account.ts     the first start
export { type DataFolder, openDataFolder } from './data-folder.ts';
export type { Directory } from './directory.ts';
export { type Credentials, ensureFirstAccount } from './first-account.ts';
export { openStore, type StoreOptions } from './open-store.ts';
export { laneOf, webhookSid } from './outbox.ts';
export {
  type Along,
  CursorError,
  type Filter,
  IntegrityError,
  type Journal,
  type JournalEntry,
  LimitError,
  type LiveDialog,
  type OrderOutcome,
  type OutboxRow,
  type PageOf,
  type PageRequest,
  type Patch,
  type Store,
  type StoreCounts,
  StoreError,
} from './store.ts';
