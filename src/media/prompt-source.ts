// What a session sends, frame by frame, while a prompt plays.
import { fillTone, SAMPLES_PER_SECOND } from './tone.ts';

/** A prompt as the worker takes it: speech has become samples by then. */
export type Playable =
  | { readonly kind: 'samples'; readonly samples: Int16Array }
  | { readonly kind: 'tone'; readonly frequenciesHz: readonly number[]; readonly durationMs: number }
  | { readonly kind: 'silence'; readonly durationMs: number };

export class PromptSource {
  readonly #playable: Playable;
  readonly #length: number;
  #offset = 0;

  constructor(playable: Playable) {
    this.#playable = playable;
    this.#length =
      playable.kind === 'samples'
        ? playable.samples.length
        : (playable.durationMs / 1000) * SAMPLES_PER_SECOND;
  }

  get finished(): boolean {
    return this.#offset >= this.#length;
  }

  /** Fills the next frame; the last one ends in silence. */
  read(frame: Int16Array): void {
    if (this.#playable.kind === 'tone') {
      fillTone(this.#playable.frequenciesHz, this.#offset, frame);
    } else {
      frame.fill(0);
      if (this.#playable.kind === 'samples') {
        frame.set(this.#playable.samples.subarray(this.#offset, this.#offset + frame.length));
      }
    }
    this.#offset += frame.length;
    if (this.finished) frame.fill(0, Math.ceil(frame.length - (this.#offset - this.#length)));
  }
}
