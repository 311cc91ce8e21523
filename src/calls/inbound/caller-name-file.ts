// Callers' names in a file, `number,name` a line: read at the first question, and again when it has changed.
import { open, stat } from 'node:fs/promises';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { ownCopy } from '../../lib/own-copy.ts';
import type { NameSource } from './caller-name.ts';

/** Some 400,000 names. A larger file is not read. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
/** How often the file is looked at, at most. */
const LOOK_EVERY_MS = 1000;

interface World {
  readonly clock: Clock;
  readonly log: Log;
}

export interface NameFileLimits {
  readonly maxBytes?: number;
}

type Names = ReadonlyMap<string, string>;

/**
 * The first question waits until the file is read; while it is read again, the names of before are good. A file that is
 * gone, too large or unreadable leaves the names as they were, and is told of in the log.
 */
export function namesInFile(
  path: string,
  { clock, log }: World,
  { maxBytes = MAX_FILE_BYTES }: NameFileLimits = {},
): NameSource {
  let names: Names | undefined;
  /** Size and time of what was read last, or the error that was met. */
  let version = '';
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    const found = await stat(path).then(
      ({ size, mtimeMs }) => ({ size, state: `${size} ${mtimeMs}` }),
      (error: Error) => ({ size: 0, state: error.message }),
    );
    if (found.state === version) return;
    version = found.state;
    try {
      if (found.size > maxBytes) throw new Error(`${path} is larger than ${maxBytes} bytes`);
      names = await readNames(path, log);
    } catch (error) {
      log.warn({ path, err: (error as Error).message }, 'callers’ names could not be read');
    }
  }

  return async (number) => {
    const now = clock.monotonic();
    if (!looking && now - lookedAtMs >= LOOK_EVERY_MS) {
      lookedAtMs = now;
      looking = look().finally(() => (looking = undefined));
    }
    if (!names) await looking;
    return names?.get(number);
  };
}

/** A chunk at a time, so that calls go on meanwhile. */
async function readNames(path: string, log: Log): Promise<Names> {
  const names = new Map<string, string>();
  let bad = 0;
  const file = await open(path);
  for await (const line of file.readLines()) {
    const entry = parseLine(line);
    if (entry === 'bad') bad++;
    else if (entry) names.set(...entry);
  }
  log.info({ path, names: names.size, bad_lines: bad }, 'callers’ names were read');
  return names;
}

const LINE = /^\s*"?(\+\d{1,15})"?\s*,\s*(?:"((?:[^"]|"")*)"|([^"]*))$/;
const MAX_LINE_CHARACTERS = 500;

/** Numbers in E.164, names with quotes around them where they hold a comma (RFC 4180); undefined for empty lines and `#`. */
export function parseLine(given: string): readonly [number: string, name: string] | 'bad' | undefined {
  if (given.length > MAX_LINE_CHARACTERS) return 'bad';
  const line = given.replace(/^\ufeff/, '').trim();
  if (line === '' || line.startsWith('#')) return undefined;
  const [, number, quoted, plain = ''] = LINE.exec(line) ?? [];
  if (number === undefined) return 'bad';
  return [ownCopy(number), ownCopy(quoted?.replaceAll('""', '"') ?? plain)];
}
