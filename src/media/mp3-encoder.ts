// A recording as MP3, made while it is read: a worker encodes one slice whenever the reader wants more.
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { MediaError } from './engine.ts';
import type { Mp3Slice, Mp3WorkerData } from './mp3-worker.ts';
import { workerUrl } from './worker-url.ts';

/**
 * The WAV file of a recording as MP3: 8 kHz, 32 kbit/s a channel; two channels are mixed where `isMono` asks for it. Each stream has a worker of its own, from the first
 * read until it ends or is destroyed. It fails with MediaError `bad-audio` where the file is no recording or cannot
 * be read.
 */
export const encodeMp3 = (wavPath: string, { isMono = false } = {}): Readable =>
  Readable.from(slicesOf({ file: wavPath, isMono }), { objectMode: false });

async function* slicesOf(data: Mp3WorkerData): AsyncGenerator<Buffer> {
  const worker = new Worker(workerUrl('mp3-worker', import.meta.url), { workerData: data });
  const ended = once(worker, 'exit');
  ended.catch(() => {});
  try {
    for (;;) {
      const message = once(worker, 'message');
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage('more');
      const [slice] = (await Promise.race([message, ended])) as [Mp3Slice | number];
      if (typeof slice === 'number') throw new MediaError('engine-failed', 'the MP3 worker ended');
      if ('error' in slice) throw new MediaError('bad-audio', slice.error);
      if (!slice.bytes) return;
      yield Buffer.from(slice.bytes);
    }
  } finally {
    await worker.terminate();
  }
}
