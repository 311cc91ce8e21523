// The thread that owns the SQLite file: node:sqlite blocks, and SIP must not wait for a disk.
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { Durability, SqlResult, SqlRow, Statement } from './engine.ts';
import type { SqlAnswer, SqlFault, SqliteOptions, SqlRequest, SqlWork } from './sqlite-protocol.ts';

const MAX_PREPARED = 256;
/** One object for them all: an answer with many of them is copied to the other thread as one and references to it. */
const ONE_CHANGED: SqlResult = { rows: [], changes: 1 };

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

function run(statement: StatementSync, parameters: Statement['parameters']): SqlResult {
  if (statement.columns().length > 0) {
    const rows = statement.all(...parameters) as SqlRow[];
    return { rows, changes: rows.length };
  }
  const changes = Number(statement.run(...parameters).changes);
  return changes === 1 ? ONE_CHANGED : { rows: [], changes };
}

function transaction(work: SqlWork): readonly SqlResult[] {
  database?.exec('begin immediate');
  try {
    const results = runAll(work);
    database?.exec('commit');
    return results;
  } catch (error) {
    // A full disk ends the transaction by itself.
    if (database?.isTransaction) database.exec('rollback');
    throw error;
  }
}

function runAll({ texts, statements }: SqlWork): readonly SqlResult[] {
  const made = texts.map(prepare);
  return statements.map(({ text, parameters }) => run(made[text] as StatementSync, parameters));
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
  return work.statements.length === 1 ? runAll(work) : transaction(work);
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
