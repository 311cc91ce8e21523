// This side of the SQLite thread: statements out, rows and typed errors back.
import { closeSync, openSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Durability, SqlResult, Statement } from './engine.ts';
import {
  packed,
  type SqlAnswer,
  type SqlFault,
  type SqliteOptions,
  type SqlRequest,
} from './sqlite-protocol.ts';
import { IntegrityError, StoreError } from './store.ts';

interface Waiting {
  readonly resolve: (results: readonly SqlResult[]) => void;
  readonly reject: (error: Error) => void;
}

const CLOSED = new StoreError('closed', 'The database is closed');

export class SqliteClient {
  readonly #worker: Worker;
  readonly #path: string;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #closed: StoreError | undefined;

  private constructor(options: SqliteOptions) {
    // Type stripping rewrites imports, not URLs: the worker has the extension this file has.
    const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
    this.#worker = new Worker(new URL(`./sqlite-worker${extension}`, import.meta.url), {
      workerData: options,
    });
    this.#path = options.path;
    this.#worker.on('message', (answer: SqlAnswer) => this.#settle(answer));
    this.#worker.on('error', (error: Error) =>
      this.#fail(new StoreError('failed', `The database thread died: ${error.message}`)),
    );
    this.#worker.on('exit', () => this.#fail(CLOSED));
  }

  /** @throws {StoreError} when the file cannot be opened or is no database. */
  static async open(options: SqliteOptions): Promise<SqliteClient> {
    createPrivately(options.path);
    const client = new SqliteClient(options);
    try {
      await client.#answerTo(0);
    } catch (error) {
      await client.close();
      throw error;
    }
    return client;
  }

  /** Several statements are one transaction: all of them or none. */
  run(statements: readonly Statement[], durability: Durability): Promise<readonly SqlResult[]> {
    return this.#closed ? Promise.reject(this.#closed) : this.#ask(packed(statements, durability));
  }

  /** What was asked before is answered first. A second call does nothing. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = CLOSED;
      await this.#ask('close').catch(() => {});
    }
    await this.#worker.terminate();
  }

  #ask(work: SqlRequest['work']): Promise<readonly SqlResult[]> {
    this.#lastId += 1;
    const answer = this.#answerTo(this.#lastId);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage({ id: this.#lastId, work } satisfies SqlRequest);
    return answer;
  }

  #answerTo(id: number): Promise<readonly SqlResult[]> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #settle(answer: SqlAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('fault' in answer) waiting?.reject(errorOf(answer.fault, this.#path));
    else waiting?.resolve(answer.results);
  }

  #fail(error: StoreError): void {
    this.#closed ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Made before SQLite makes it: its journal files take on the mode of the database. */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, 'a', 0o600));
  } catch (error) {
    throw errorOf({ message: (error as Error).message, errcode: CANNOT_OPEN }, path);
  }
}

const CANNOT_OPEN = 14;

const INTEGRITY: ReadonlyMap<number, IntegrityError['kind']> = new Map([
  [2067, 'unique'],
  [1555, 'unique'],
  [787, 'reference'],
  [1811, 'restrict'],
]);

const advice = (path: string): ReadonlyMap<number, [code: StoreError['code'], message: string]> => {
  const unwritable: [StoreError['code'], string] = [
    'unwritable',
    `Cannot write the database ${path}: give this user write access to the file and its folder, or set TANDEM_DATA`,
  ];
  const locked: [StoreError['code'], string] = [
    'locked',
    `The database ${path} is locked by another program: stop it, or set TANDEM_DATA to another folder`,
  ];
  const corrupt: [StoreError['code'], string] = [
    'corrupt',
    `${path} is damaged or no database: restore a backup, or move it away to start empty`,
  ];
  return new Map([
    [3, unwritable],
    [8, unwritable],
    [10, unwritable],
    [CANNOT_OPEN, unwritable],
    [5, locked],
    [6, locked],
    [11, corrupt],
    [26, corrupt],
    [13, ['full', `The disk that holds ${path} is full: free some space`]],
  ]);
};

/** The low byte of an extended result code is the primary one. */
function errorOf({ message, errcode }: SqlFault, path: string): Error {
  const kind = INTEGRITY.get(errcode);
  if (kind) return new IntegrityError(kind, message);
  const [code, text] = advice(path).get(errcode & 0xff) ?? [
    'failed',
    `The database refused a statement: ${message}`,
  ];
  return new StoreError(code, code === 'failed' ? text : `${text} (${message})`);
}
