// Which run of an exchange a data folder belonged to last, so that the next run need not wait for its lease to end.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readIfThere } from './data-folder.ts';

/**
 * Writes this run into the folder.
 * @returns the run before, where it is certainly over: undefined where its process may be alive
 */
export function succeed(folder: string, node: string): string | undefined {
  const path = join(folder, 'node');
  const [, id, pid] = /^([0-9a-f]{32}) (\d+)$/.exec(readIfThere(path)?.trim() ?? '') ?? [];
  writeFileSync(path, `${node} ${process.pid}\n`, { mode: 0o600 });
  return id !== undefined && !isAlive(Number(pid)) ? id : undefined;
}

/** In containers every run has the same number: our own is not of another. */
function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
