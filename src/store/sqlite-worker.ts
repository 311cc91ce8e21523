// The thread that owns the SQLite file: node:sqlite blocks, and SIP must not wait for a disk.
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { Durability, SqlResult, SqlRow, Statement } from './engine.ts';
import type { SqlAnswer, SqlFault, SqliteOptions, SqlRequest } from './sqlite-protocol.ts';

const MAX_PREPARED = 256;

const prepared = new Map<string, StatementSync>();
let database: DatabaseSync | undefined;
let durability: Durability = 'full';

function open({ path, busyTimeoutMs }: SqliteOptions): void {
  database = new DatabaseSync(path);
  database.exec(`pragma busy_timeout = ${busyTimeoutMs}`);
  database.exec('pragma journal_mode = wal');
  database.exec('pragma foreign_keys = on');
  database.exec('pragma synchronous = full');
}

function prepare(sql: string): StatementSync {
  if (!database) throw new Error('The database is not open');
  const known = prepared.get(sql);
  if (known) return known;
  const [oldest] = prepared.keys();
  if (prepared.size >= MAX_PREPARED && oldest !== undefined) prepared.delete(oldest);
  const statement = database.prepare(sql);
  prepared.set(sql, statement);
  return statement;
}

function run({ sql, parameters }: Statement): SqlResult {
  const statement = prepare(sql);
  if (statement.columns().length > 0) {
    const rows = statement.all(...parameters) as SqlRow[];
    return { rows, changes: rows.length };
  }
  return { rows: [], changes: Number(statement.run(...parameters).changes) };
}

function transaction(statements: readonly Statement[]): readonly SqlResult[] {
  database?.exec('begin immediate');
  try {
    const results = statements.map(run);
    database?.exec('commit');
    return results;
  } catch (error) {
    // A full disk ends the transaction by itself.
    if (database?.isTransaction) database.exec('rollback');
    throw error;
  }
}

function execute(work: SqlRequest['work']): readonly SqlResult[] {
  if (work === 'close') {
    prepared.clear();
    database?.close();
    return [];
  }
  if (work.durability !== durability) {
    database?.exec(`pragma synchronous = ${work.durability}`);
    durability = work.durability;
  }
  const [first] = work.statements;
  return first && work.statements.length === 1 ? [run(first)] : transaction(work.statements);
}

function answer(id: number, work: () => readonly SqlResult[]): SqlAnswer {
  try {
    return { id, results: work() };
  } catch (error) {
    return { id, fault: faultOf(error) };
  }
}

function faultOf(error: unknown): SqlFault {
  const { message, errcode = 0 } = error as { message: string; errcode?: number };
  return { message, errcode };
}

const opened = answer(0, () => {
  open(workerData as SqliteOptions);
  return [];
});
const send = (message: SqlAnswer): void => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(message);
};
send(opened);
parentPort?.on('message', ({ id, work }: SqlRequest) => send(answer(id, () => execute(work))));
