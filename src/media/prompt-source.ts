// What a session sends, frame by frame, while a prompt plays.
import { ringingOf, ringsAt } from './ringback.ts';
import { fillTone, SAMPLES_PER_SECOND } from './tone.ts';

/** A prompt as the worker takes it: speech has become samples by then. */
export type Playable =
  | { readonly kind: 'samples'; readonly samples: Int16Array }
  | { readonly kind: 'tone'; readonly frequenciesHz: readonly number[]; readonly durationMs: number }
  | { readonly kind: 'silence'; readonly durationMs: number }
  | { readonly kind: 'ringback'; readonly country?: string };

export class PromptSource {
  readonly #playable: Playable;
  readonly #length: number;
  #offset = 0;

  constructor(playable: Playable) {
    this.#playable = playable;
    this.#length = lengthOf(playable);
  }

  get finished(): boolean {
    return this.#offset >= this.#length;
  }

  /** Fills the next frame; the last one ends in silence. */
  read(frame: Int16Array): void {
    if (this.#playable.kind === 'tone') {
      fillTone(this.#playable.frequenciesHz, this.#offset, frame);
    } else if (this.#playable.kind === 'ringback') {
      const ringing = ringingOf(this.#playable.country);
      if (ringsAt(ringing, this.#offset)) fillTone(ringing.frequenciesHz, this.#offset, frame);
      else frame.fill(0);
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

function lengthOf(playable: Playable): number {
  if (playable.kind === 'samples') return playable.samples.length;
  if (playable.kind === 'ringback') return Number.POSITIVE_INFINITY;
  return (playable.durationMs / 1000) * SAMPLES_PER_SECOND;
}
