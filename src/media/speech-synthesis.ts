// Runs the speech worker: one text at a time, with a time limit, a fresh worker now and then.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Clock, systemClock } from '../lib/clock.ts';
import { MediaError } from './engine.ts';
import type { SpeechRequest, SpeechResult, SpeechWorkerData } from './speech-worker.ts';
import { workerUrl } from './worker-url.ts';

const MAX_WAITING = 100;
const LIMIT_MS = 20_000;
/** flite's memory grows with every text: 70 → 230 MB after five. */
const TEXTS_PER_WORKER = 20;

export interface SpeechSynthesisOptions {
  readonly clock?: Clock;
  /** Starts a worker that answers each SpeechRequest with a SpeechResult. */
  readonly spawn?: (data: SpeechWorkerData) => Worker;
}

const spawnFlite = (data: SpeechWorkerData): Worker =>
  new Worker(workerUrl('speech-worker', import.meta.url), {
    workerData: data,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });

export class SpeechSynthesis {
  readonly #clock: Clock;
  readonly #spawn: (data: SpeechWorkerData) => Worker;
  #folder: Promise<string> | undefined;
  #worker: Worker | undefined;
  #textsLeft = 0;
  #speaking: PromiseWithResolvers<Int16Array> | undefined;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor({ clock = systemClock, spawn = spawnFlite }: SpeechSynthesisOptions = {}) {
    this.#clock = clock;
    this.#spawn = spawn;
  }

  /** Samples at 8 kHz in shared memory. Rejects with MediaError `speech-failed`. */
  async speak(request: SpeechRequest): Promise<Int16Array> {
    if (this.#waiting >= MAX_WAITING)
      throw new MediaError('speech-failed', 'too many texts wait to be spoken');
    this.#waiting++;
    const turn = this.#last.then(() => this.#speakNow(request));
    this.#last = turn.catch(() => {}).finally(() => this.#waiting--);
    return turn;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#fail('the media engine is closed');
    await this.#last;
    await this.#drop();
    if (this.#folder) await rm(await this.#folder, { recursive: true, force: true });
  }

  async #speakNow(request: SpeechRequest): Promise<Int16Array> {
    const worker = await this.#ready();
    this.#textsLeft--;
    this.#speaking = Promise.withResolvers();
    const limit = this.#clock.after(LIMIT_MS, () => this.#fail(`no speech within ${LIMIT_MS} ms`));
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(request);
    try {
      const samples = await this.#speaking.promise;
      if (this.#textsLeft === 0) await this.#drop();
      return samples;
    } catch (error) {
      await this.#drop();
      throw error;
    } finally {
      this.#speaking = undefined;
      this.#clock.cancel(limit);
    }
  }

  async #ready(): Promise<Worker> {
    this.#folder ??= mkdtemp(join(tmpdir(), 'tandem-speech-'));
    const folder = await this.#folder;
    if (this.#closed) throw new MediaError('speech-failed', 'the media engine is closed');
    this.#worker ??= this.#start(folder);
    return this.#worker;
  }

  #start(folder: string): Worker {
    this.#textsLeft = TEXTS_PER_WORKER;
    const worker = this.#spawn({ folder });
    /** A dropped worker has no say any more. */
    const current = (): boolean => worker === this.#worker;
    const failed = (reason: string): void => {
      if (current()) this.#fail(reason);
    };
    return worker
      .on('message', (result: SpeechResult) => {
        if ('error' in result) failed(result.error);
        else if (current()) this.#speaking?.resolve(result.samples);
      })
      .on('error', (error) => failed(`the speech worker failed: ${String(error)}`))
      .on('exit', (code) => failed(`the speech worker ended with code ${code}`));
  }

  #fail(reason: string): void {
    this.#speaking?.reject(new MediaError('speech-failed', reason));
  }

  async #drop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}
