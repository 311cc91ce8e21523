import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

it('leaves the exit code of its process alone: failed tests fail the run', async () => {
  const program = `
    import { startPostgres } from ${JSON.stringify(new URL('postgres-server.ts', import.meta.url).href)};
    await (await startPostgres()).remove();
    process.exitCode = 3;`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'ignore' });
  expect(await once(child, 'exit')).toEqual([3, null]);
}, 60_000);
