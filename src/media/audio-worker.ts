// An audio worker's entry: turns one file at a time, WAV or MP3, into samples at 8 kHz.
import { parentPort } from 'node:worker_threads';
import { isMp3, readMp3 } from './mp3-decoder.ts';
import { readAudioFile } from './wav.ts';

/** One for each file, in order. The samples' memory is shared between threads. */
export type AudioResult = { readonly samples: Int16Array } | { readonly error: string };

parentPort?.on('message', async (file: Uint8Array) => {
  const result: AudioResult = await read(Buffer.from(file.buffer, file.byteOffset, file.byteLength)).then(
    (samples) => ({ samples: shared(samples) }),
    (error: unknown) => ({ error: (error as Error).message }),
  );
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(result);
});

const read = async (file: Buffer): Promise<Int16Array> => (isMp3(file) ? readMp3(file) : readAudioFile(file));

function shared(samples: Int16Array): Int16Array {
  const copy = new Int16Array(new SharedArrayBuffer(samples.byteLength));
  copy.set(samples);
  return copy;
}
