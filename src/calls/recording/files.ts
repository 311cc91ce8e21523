// Where recordings lie on the disk: `recordings/AC…/RE….wav` in the data folder, for this user only.
import { existsSync, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isSid } from '../../resources/index.ts';

/** Whose file is meant; both SIDs become parts of a path. */
export interface RecordingKey {
  readonly accountSid: string;
  readonly sid: string;
}

export class RecordingFiles {
  readonly #folder: string;

  /** @param dataFolder must be there; `recordings` in it is made when the first one begins. */
  constructor(dataFolder: string) {
    this.#folder = resolve(dataFolder, 'recordings');
  }

  /** @throws {RangeError} for what is no SID: it must not lead anywhere else. */
  path({ accountSid, sid }: RecordingKey): string {
    if (!isSid(accountSid, 'AC') || !isSid(sid, 'RE')) throw new RangeError('not the SIDs of a recording');
    return join(this.#folder, accountSid, `${sid}.wav`);
  }

  /** The path, in a folder that exists; a folder that cannot be made fails the recording when it opens its file. */
  prepare(key: RecordingKey): string {
    const path = this.path(key);
    for (const folder of [this.#folder, join(this.#folder, key.accountSid)]) makeFolder(folder);
    return path;
  }

  /** Does nothing where there is none. Rejects with the file system's error where it cannot be removed. */
  async remove(key: RecordingKey): Promise<void> {
    await rm(this.path(key), { force: true });
  }
}

function makeFolder(path: string): void {
  if (existsSync(path)) return;
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch {
    // Said by the recording.
  }
}
