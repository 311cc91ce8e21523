// Audio files to samples, through the cache and off the main thread; one file at a time, with a time limit.
import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { AudioResult } from './audio-worker.ts';
import { MediaError } from './engine.ts';
import type { PromptCache } from './prompt-cache.ts';
import { workerUrl } from './worker-url.ts';

const MAX_WAITING = 100;
const LIMIT_MS = 30_000;

export interface AudioFilesOptions {
  readonly cache: PromptCache;
  readonly clock?: Clock;
  /** Starts a worker that answers each file with an AudioResult. */
  readonly spawn?: () => Worker;
}

const spawnAudioWorker = (): Worker => new Worker(workerUrl('audio-worker', import.meta.url));

export class AudioFiles {
  readonly #options: AudioFilesOptions;
  readonly #underWay = new Map<string, Promise<Int16Array>>();
  #worker: Worker | undefined;
  #reading: PromiseWithResolvers<Int16Array> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: AudioFilesOptions) {
    this.#options = options;
  }

  /** Samples at 8 kHz. Rejects with MediaError `bad-audio`. */
  render(file: Uint8Array): Promise<Int16Array> {
    const key = createHash('sha256').update('audio\n').update(file).digest('hex');
    const underWay = this.#underWay.get(key) ?? this.#make(key, file);
    this.#underWay.set(key, underWay);
    return underWay;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#fail('the media engine is closed');
    await this.#last;
    await this.#drop();
  }

  async #make(key: string, file: Uint8Array): Promise<Int16Array> {
    try {
      const cached = await this.#options.cache.get(key);
      if (cached) return cached;
      if (this.#underWay.size > MAX_WAITING) throw badAudio('too many files wait to be read');
      const turn = this.#last.then(() => this.#read(file));
      this.#last = turn.catch(() => {});
      const samples = await turn;
      await this.#options.cache.put(key, samples);
      return samples;
    } finally {
      this.#underWay.delete(key);
    }
  }

  async #read(file: Uint8Array): Promise<Int16Array> {
    if (this.#closed) throw badAudio('the media engine is closed');
    const { clock = systemClock } = this.#options;
    this.#worker ??= this.#start();
    this.#reading = Promise.withResolvers();
    const limit = clock.after(LIMIT_MS, () => {
      this.#fail(`not read within ${LIMIT_MS} ms`);
      void this.#drop();
    });
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(file);
    try {
      return await this.#reading.promise;
    } finally {
      this.#reading = undefined;
      clock.cancel(limit);
    }
  }

  #start(): Worker {
    const worker = (this.#options.spawn ?? spawnAudioWorker)();
    /** A dropped worker has no say any more; one that failed is dropped. */
    const failed = (reason: string): void => {
      if (worker !== this.#worker) return;
      this.#worker = undefined;
      this.#fail(reason);
    };
    return worker
      .on('message', (result: AudioResult) => {
        if (worker !== this.#worker) return;
        if ('error' in result) this.#fail(result.error);
        else this.#reading?.resolve(result.samples);
      })
      .on('error', (error) => failed(`the audio worker failed: ${String(error)}`))
      .on('exit', (code) => failed(`the audio worker ended with code ${code}`));
  }

  #fail(reason: string): void {
    this.#reading?.reject(badAudio(reason));
  }

  async #drop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

const badAudio = (reason: string): MediaError =>
  new MediaError('bad-audio', `the audio cannot be played: ${reason}`);
