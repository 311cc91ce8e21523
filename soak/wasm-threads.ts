// node --expose-gc soak/wasm-threads.ts [seconds] [--bare]: six threads at once make WebAssembly modules that call into JavaScript,
// run them, forget them, and are ended in the middle. The process outlives it, as src/lib/steady-wasm.ts has it; with
// --bare, as Node comes, it often does not. One JSON line with the result.
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isMainThread, Worker } from 'node:worker_threads';

declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: { run(): void } };
};

const THREADS = 6;
/** Modules between two turns of a thread's event loop. */
const MODULES = 50;
const CALLS = 3000;
/** Each kind of import has a wrapper of its own. */
const KINDS = 2000;

const leb = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
const signed = (value: number): number[] =>
  value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
const section = (id: number, bytes: readonly number[]): number[] => [id, ...leb(bytes.length), ...bytes];

const MAGIC_AND_VERSION = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
/** `(br_if 0 (i32.lt_s (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const CALLS)))` */
const COUNT_AND_REPEAT = [0x20, 0, 0x41, 1, 0x6a, 0x22, 0, 0x41, ...signed(CALLS), 0x48, 0x0d, 0];

/** i32, f32 and f64, with a constant 0 of each. */
const TYPES = [
  { type: 0x7f, zero: [0x41, 0] },
  { type: 0x7d, zero: [0x43, 0, 0, 0, 0] },
  { type: 0x7c, zero: [0x44, 0, 0, 0, 0, 0, 0, 0, 0] },
] as const;

/** `(import "a" "f" (func (param …)))` and `(export "run")`, which calls it so often; the parameters tell the kind. */
function moduleOf(kind: number): Uint8Array {
  const params = Array.from(
    { length: 4 + (kind % 4) },
    (_, at) => TYPES[Math.floor(kind / 3 ** at) % 3] ?? TYPES[0],
  );
  const loop = [...params.flatMap(({ zero }) => zero), 0x10, 0, ...COUNT_AND_REPEAT];
  const body = [1, 1, 0x7f, 0x03, 0x40, ...loop, 0x0b, 0x0b];
  return Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...section(1, [2, 0x60, ...leb(params.length), ...params.map(({ type }) => type), 0, 0x60, 0, 0]),
    ...section(2, [1, 1, 0x61, 1, 0x66, 0, 0]),
    ...section(3, [1, 1]),
    ...section(7, [1, 3, 0x72, 0x75, 0x6e, 0, 1]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ]);
}

async function runModules(): Promise<never> {
  for (let count = 1; ; count++) {
    const module = new WebAssembly.Module(moduleOf(Math.floor(Math.random() * KINDS)));
    new WebAssembly.Instance(module, { a: { f() {} } }).exports.run();
    if (count % MODULES > 0) continue;
    globalThis.gc?.();
    await pause(0);
  }
}

/** Runs a thread, ends it in the middle, and says that it ran. */
async function endOne(): Promise<void> {
  const worker = new Worker(import.meta.filename);
  await once(worker, 'online');
  await pause(300 + Math.random() * 700);
  await worker.terminate();
}

async function soak(seconds: number): Promise<object> {
  const until = performance.now() + seconds * 1000;
  let threads = 0;
  const oneAfterTheOther = async (): Promise<void> => {
    for (; performance.now() < until; threads++) await endOne();
  };
  await Promise.all(Array.from({ length: THREADS }, oneAfterTheOther));
  return { name: 'wasm-threads', seconds, threads, passed: threads > 0 };
}

if (isMainThread) {
  const { values, positionals } = parseArgs({
    options: { bare: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (!values.bare) await import('../src/lib/steady-wasm.ts');
  process.stdout.write(`${JSON.stringify(await soak(Number(positionals[0] ?? 60)))}\n`);
} else await runModules();
