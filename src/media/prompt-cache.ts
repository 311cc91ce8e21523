// Rendered prompts by key: the latest ones in memory, all of them on disk where a folder is given.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { readSamples } from './wav.ts';

const MAX_MEMORY_BYTES = 32 * 1024 * 1024;

export interface PromptCacheOptions {
  readonly folder?: string | undefined;
  readonly maxBytes?: number;
  readonly log: Log;
  readonly random: Random;
}

export class PromptCache {
  readonly #options: PromptCacheOptions;
  /** Oldest use first. */
  readonly #prompts = new Map<string, Int16Array>();
  #bytes = 0;

  constructor(options: PromptCacheOptions) {
    this.#options = options;
  }

  /** @param key Fit to be a file's name. */
  async get(key: string): Promise<Int16Array | undefined> {
    const samples = this.#prompts.get(key) ?? (await this.#read(key));
    if (samples) this.#remember(key, samples);
    return samples;
  }

  async put(key: string, samples: Int16Array): Promise<void> {
    this.#remember(key, samples);
    if (this.#options.folder !== undefined) await this.#write(this.#options.folder, key, samples);
  }

  #remember(key: string, samples: Int16Array): void {
    this.#forget(key);
    this.#prompts.set(key, samples);
    this.#bytes += samples.byteLength;
    for (const oldest of this.#prompts.keys()) {
      if (this.#bytes <= (this.#options.maxBytes ?? MAX_MEMORY_BYTES)) return;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#bytes -= this.#prompts.get(key)?.byteLength ?? 0;
    this.#prompts.delete(key);
  }

  async #read(key: string): Promise<Int16Array | undefined> {
    if (this.#options.folder === undefined) return undefined;
    try {
      return readSamples(await readFile(fileOf(this.#options.folder, key)));
    } catch {
      return undefined;
    }
  }

  /** A full disk costs time, not speech: it is logged only. */
  async #write(folder: string, key: string, samples: Int16Array): Promise<void> {
    const unfinished = `${fileOf(folder, key)}.${this.#options.random.hex(4)}`;
    try {
      await mkdir(folder, { recursive: true });
      await writeFile(unfinished, Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength));
      await rename(unfinished, fileOf(folder, key));
    } catch (error) {
      this.#options.log.warn({ error: String(error), folder }, 'a rendered prompt could not be kept');
    }
  }
}

/** Raw samples: 8 kHz, mono, 16 bit, little-endian. */
const fileOf = (folder: string, key: string): string => join(folder, `${key}.s16`);
