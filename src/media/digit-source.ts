// Keys to press, frame by frame: each 100 ms long and 100 ms apart, pauses between them as asked.
import { MediaError } from './engine.ts';
import { eventOf, tonesOf, writeEvent } from './telephone-event.ts';
import { fillTone } from './tone.ts';

const FRAME_SAMPLES = 160;
const PRESS_FRAMES = 5;
const GAP_FRAMES = 5;
/** The last packet of a press is sent three times in all (RFC 4733 §2.5.1.4). */
const END_FRAMES = 2;
const PAUSE_FRAMES: Record<string, number> = { w: 25, W: 50 };
const MAX_DIGITS = 500;

/** @throws {MediaError} `bad-digits` where there is something else than keys and pauses, or far too much of it. */
export function checkDigits(digits: string): void {
  if (!/^[0-9*#A-DwW]*$/.test(digits) || digits.length > MAX_DIGITS)
    throw new MediaError('bad-digits', `digits are at most ${MAX_DIGITS} of 0-9, *, #, A-D, w and W`);
}

export class DigitSource {
  #digits: string;
  #at = 0;
  /** Frames of the current digit that are through. */
  #frame = 0;

  constructor(digits: string) {
    this.#digits = digits;
  }

  /** Presses more keys when these are through. */
  add(digits: string): void {
    if (this.#digits.length < MAX_DIGITS) this.#digits += digits;
  }

  get finished(): boolean {
    return this.#at >= this.#digits.length;
  }

  /** Whether the next frame begins a press: its event takes that frame's timestamp, to its end. */
  get startsPress(): boolean {
    return this.#key !== '' && this.#frame === 0;
  }

  /** The next frame as sound, for a peer that takes no events. */
  readTone(samples: Int16Array): void {
    if (this.#key !== '' && this.#frame < PRESS_FRAMES)
      fillTone(tonesOf(this.#key), this.#frame * FRAME_SAMPLES, samples);
    else samples.fill(0);
    this.#advance();
  }

  /** Writes the next frame's event to `datagram` from `start` on; false where the frame is silent. */
  readEvent(datagram: Buffer, start: number): boolean {
    const key = this.#key;
    const frame = this.#frame;
    this.#advance();
    if (key === '' || frame >= PRESS_FRAMES + END_FRAMES) return false;
    const pressed = Math.min(frame + 1, PRESS_FRAMES);
    const end = frame + 1 >= PRESS_FRAMES;
    writeEvent({ event: eventOf(key), end, duration: pressed * FRAME_SAMPLES }, datagram, start);
    return true;
  }

  /** The key that is pressed now; empty in a pause and at the end. */
  get #key(): string {
    const digit = this.#digits[this.#at] ?? '';
    return digit in PAUSE_FRAMES ? '' : digit;
  }

  #advance(): void {
    const frames = PAUSE_FRAMES[this.#digits[this.#at] ?? ''] ?? PRESS_FRAMES + GAP_FRAMES;
    if (++this.#frame < frames) return;
    this.#frame = 0;
    this.#at++;
  }
}
