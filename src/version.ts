// The version, from package.json: the one place that says it.
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

export const VERSION = manifest.version;

/** As peers see it: User-Agent and Server headers. */
export const PRODUCT = `Tandem/${VERSION}`;
