// The data folder: made at the first start, with the key that encrypts stored secrets. Files are for this user only.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Random } from '../lib/random.ts';
import { StoreError } from './store.ts';

export interface DataFolder {
  readonly databasePath: string;
  readonly accountPath: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

const KEY = /^[0-9a-f]{64}$/i;

/**
 * @param key 64 hex digits; without one the file `key` is read, or made.
 * @throws {StoreError} `unwritable` or `bad-file`.
 */
export function openDataFolder(path: string, random: Random, key?: string): DataFolder {
  writing(path, () => makeFolder(path));
  return {
    databasePath: join(path, 'tandem.sqlite'),
    accountPath: join(path, 'account.json'),
    key: Buffer.from(key ?? keyFile(join(path, 'key'), random), 'hex'),
  };
}

/** Not by `recursive`: where a file system refuses a new folder with ENOENT, Node would try for ever. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

function keyFile(path: string, random: Random): string {
  const key = (readIfThere(path) ?? writeOnce(path, `${random.hex(32)}\n`)).trim();
  if (KEY.test(key)) return key;
  throw new StoreError(
    'bad-file',
    `${path} must hold 64 hex digits: restore it from a backup, or set TANDEM_KEY`,
  );
}

/** @throws {StoreError} when it is there and cannot be read. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new StoreError('unwritable', `Cannot read ${path}: ${(error as Error).message}`);
  }
}

/** Writes a file that is not there yet, readable by this user only; gives back its text. */
export function writeOnce(path: string, text: string): string {
  writing(path, () => writeFileSync(path, text, { mode: 0o600, flag: 'wx' }));
  return text;
}

function writing(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    const cause = (error as Error).message;
    throw new StoreError(
      'unwritable',
      `Cannot write ${path}: give this user write access, or set TANDEM_DATA to another folder (${cause})`,
    );
  }
}
