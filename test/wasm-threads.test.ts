import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const SOAK = join(import.meta.dirname, '../soak/wasm-threads.ts');

it('outlives threads that run WebAssembly and are ended in the middle', { timeout: 60_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', SOAK, '5']);
  expect(JSON.parse(stdout)).toMatchObject({ passed: true });
});
