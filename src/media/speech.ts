// Text to samples, through the cache; the same text asked for twice at once is spoken once.
import { createHash } from 'node:crypto';
import { MediaError } from './engine.ts';
import type { PromptCache } from './prompt-cache.ts';
import type { SpeechSynthesis } from './speech-synthesis.ts';
import { type Voice, voiceFor } from './voice.ts';

const MAX_CHARACTERS = 4096;

export class Speech {
  readonly #synthesis: Pick<SpeechSynthesis, 'speak'>;
  readonly #cache: PromptCache;
  readonly #underWay = new Map<string, Promise<Int16Array>>();

  constructor(synthesis: Pick<SpeechSynthesis, 'speak'>, cache: PromptCache) {
    this.#synthesis = synthesis;
    this.#cache = cache;
  }

  /** Samples at 8 kHz. Rejects with MediaError `speech-failed`, also for a text over 4096 characters. */
  async render(text: string, voiceName?: string): Promise<Int16Array> {
    if (text.length > MAX_CHARACTERS) {
      throw new MediaError('speech-failed', `the text is longer than ${MAX_CHARACTERS} characters`);
    }
    const spoken = text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
    if (spoken === '') return new Int16Array(0);
    const voice = voiceFor(voiceName);
    const key = createHash('sha256').update(`${voice}\n${spoken}`).digest('hex');
    const underWay = this.#underWay.get(key) ?? this.#make(key, spoken, voice);
    this.#underWay.set(key, underWay);
    return underWay;
  }

  async #make(key: string, text: string, voice: Voice): Promise<Int16Array> {
    try {
      const cached = await this.#cache.get(key);
      if (cached) return cached;
      const samples = await this.#synthesis.speak({ text, voice });
      await this.#cache.put(key, samples);
      return samples;
    } finally {
      this.#underWay.delete(key);
    }
  }
}
