// npm run bench [name …]: every benchmark, or the named ones, one after another; one JSON line each.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

interface Benchmark {
  /** Resolves with figures; ratios are against a yardstick measured in the same run. */
  measure(): Promise<object>;
}

const FRAME = new Set([
  'run',
  'call-floor',
  'call-peers',
  'cpu-time',
  'dialog-calls',
  'dialog-peer',
  'registrar',
  'rest-floor',
  'sip-load',
  'trunk-live',
  'trunk-parties',
  'trunk-servers',
]);
const all = readdirSync(import.meta.dirname)
  .filter((file) => /^[a-z-]+\.ts$/.test(file))
  .map((file) => file.slice(0, -3))
  .filter((name) => !FRAME.has(name));
const named = process.argv.slice(2);
const unknown = named.find((name) => !all.includes(name));
if (unknown !== undefined) {
  console.error(`There is no benchmark "${unknown}"; there are ${all.join(', ')}`);
  process.exit(1);
}
for (const name of named.length ? named : all) {
  console.error(`${name} …`);
  const { measure } = (await import(join(import.meta.dirname, `${name}.ts`))) as Benchmark;
  console.log(JSON.stringify({ benchmark: name, ...(await measure()) }));
}
