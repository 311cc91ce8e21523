// GSM 06.10 full rate, the sound: frames to samples at 8 kHz (ETSI EN 300 961 §5), in the arithmetic of 16 bits that the
// standard prescribes to the bit. The words in brackets are its own.
//
//   pulses ──long-term prediction──▶ residual ──short-term synthesis──▶ ──de-emphasis──▶ samples
//            alike so long ago                  the filter of the ratios
import { type GsmFrame, type GsmSubframe, gsmFrames, wavGsmFrames } from './gsm-frame.ts';

const FRAME_SAMPLES = 160;
const SUBFRAME_SAMPLES = 40;
const LAG = { least: 40, most: 120 };
/** Of the filter. */
const ORDER = 8;
const DE_EMPHASIS = 28_180;

/** How a code becomes a log-area ratio (MIC, B and INVA). */
const RATIOS = [
  { least: -32, offset: 0, inverse: 13_107 },
  { least: -32, offset: 0, inverse: 13_107 },
  { least: -16, offset: 2048, inverse: 13_107 },
  { least: -16, offset: -2560, inverse: 13_107 },
  { least: -8, offset: 94, inverse: 19_223 },
  { least: -8, offset: -1792, inverse: 17_476 },
  { least: -4, offset: -341, inverse: 31_454 },
  { least: -4, offset: -1144, inverse: 29_708 },
];
/** From one frame's ratios to the next one's, up to which sample (§5.2.9). */
const TRANSITIONS: readonly { end: number; mix(before: number, now: number): number }[] = [
  { end: 13, mix: (before, now) => (before >> 2) + (now >> 2) + (before >> 1) },
  { end: 27, mix: (before, now) => (before >> 1) + (now >> 1) },
  { end: 40, mix: (before, now) => (before >> 2) + (now >> 2) + (now >> 1) },
  { end: FRAME_SAMPLES, mix: (_, now) => now },
];
/** By `gain` (QLB). */
const GAINS = [3277, 11_469, 21_299, 32_767];
/** By the mantissa of `peak` (FAC). */
const FACTORS = [18_431, 20_479, 22_527, 24_575, 26_623, 28_671, 30_719, 32_767];

/** @param bytes of a `.gsm` file: `isGsm`. */
export const readGsm = (bytes: Buffer): Int16Array => decode(gsmFrames(bytes));

/**
 * @param bytes the samples of a WAV file with encoding 49
 * @throws {RangeError} where they end inside a block.
 */
export const readWavGsm = (bytes: Buffer): Int16Array => decode(wavGsmFrames(bytes));

function decode(frames: Iterable<GsmFrame>): Int16Array {
  const decoder = new GsmDecoder();
  const all = Array.from(frames, (frame) => decoder.decode(frame));
  const samples = new Int16Array(all.length * FRAME_SAMPLES);
  for (const [at, each] of all.entries()) samples.set(each, at * FRAME_SAMPLES);
  return samples;
}

/** Each frame begins where the one before has left the filters. */
class GsmDecoder {
  /** The residual of the last 120 samples, and of the subframe under way (`drp`). */
  readonly #residual = new Int16Array(LAG.most + SUBFRAME_SAMPLES);
  #lag = LAG.least;
  #ratios: readonly number[] = RATIOS.map(() => 0);
  /** Of the filter (`v`). */
  readonly #delayed = new Int16Array(ORDER + 1);
  /** Of the de-emphasis (`msr`). */
  #last = 0;

  decode({ ratios, subframes }: GsmFrame): Int16Array {
    const samples = new Int16Array(FRAME_SAMPLES);
    for (const [at, subframe] of subframes.entries())
      samples.set(this.#predict(subframe), at * SUBFRAME_SAMPLES);
    const before = this.#ratios;
    const now = ratios.map(ratioOf);
    this.#ratios = now;
    let start = 0;
    for (const { end, mix } of TRANSITIONS) {
      const reflections = now.map((ratio, at) => reflectionOf(mix(before[at] as number, ratio)));
      this.#synthesise(reflections, samples.subarray(start, end));
      start = end;
    }
    return samples;
  }

  /** Long-term prediction (§5.3.2): the residual of a subframe. A lag that cannot be is the one before. */
  #predict(subframe: GsmSubframe): Int16Array {
    const { lag, gain } = subframe;
    if (lag >= LAG.least && lag <= LAG.most) this.#lag = lag;
    const share = GAINS[gain] as number;
    const residual = this.#residual;
    const pulses = pulsesOf(subframe);
    residual.copyWithin(0, SUBFRAME_SAMPLES);
    for (let at = 0; at < SUBFRAME_SAMPLES; at++) {
      const earlier = residual[LAG.most + at - this.#lag] as number;
      residual[LAG.most + at] = clip((pulses[at] as number) + times(share, earlier));
    }
    return residual.subarray(LAG.most);
  }

  /** Short-term synthesis (§5.3.4) and de-emphasis (§5.3.5), in place. */
  #synthesise(reflections: readonly number[], samples: Int16Array): void {
    const delayed = this.#delayed;
    for (let at = 0; at < samples.length; at++) {
      let sample = samples[at] as number;
      for (let stage = ORDER - 1; stage >= 0; stage--) {
        const reflection = reflections[stage] as number;
        const earlier = delayed[stage] as number;
        sample = clip(sample - times(reflection, earlier));
        delayed[stage + 1] = clip(earlier + times(reflection, sample));
      }
      delayed[0] = sample;
      this.#last = clip(sample + times(this.#last, DE_EMPHASIS));
      // Samples have 13 bits.
      samples[at] = clip(this.#last * 2) & ~7;
    }
  }
}

/** §5.2.8 (`LARpp`). */
function ratioOf(code: number, at: number): number {
  const { least, offset, inverse } = RATIOS[at] as (typeof RATIOS)[number];
  return clip(2 * times(inverse, clip(((code + least) << 10) - 2 * offset)));
}

/** §5.2.9: a log-area ratio to a reflection coefficient (`rrp`), in three straight lines. */
function reflectionOf(ratio: number): number {
  const size = Math.min(Math.abs(ratio), 32_767);
  const bent = size < 11_059 ? size * 2 : size < 20_070 ? size + 11_059 : clip((size >> 2) + 26_112);
  return ratio < 0 ? -bent : bent;
}

/** Inverse APCM and grid positioning (§5.2.16, §5.2.17: `ep`). */
function pulsesOf({ grid, peak, pulses }: GsmSubframe): Int16Array {
  const { exponent, mantissa } = floatOf(peak);
  const factor = FACTORS[mantissa] as number;
  const shift = 6 - exponent;
  const half = shift > 0 ? 1 << (shift - 1) : 0;
  const placed = new Int16Array(SUBFRAME_SAMPLES);
  for (const [at, pulse] of pulses.entries())
    placed[grid + 3 * at] = clip(times(factor, (2 * pulse - 7) << 12) + half) >> shift;
  return placed;
}

/** The exponent of a peak, -4 to 6, and its mantissa, 0 to 7 (§5.2.15). */
function floatOf(peak: number): { exponent: number; mantissa: number } {
  if (peak === 0) return { exponent: -4, mantissa: 7 };
  let exponent = peak > 15 ? (peak >> 3) - 1 : 0;
  let mantissa = peak - (exponent << 3);
  while (mantissa <= 7) {
    mantissa = (mantissa << 1) | 1;
    exponent -= 1;
  }
  return { exponent, mantissa: mantissa - 8 };
}

const clip = (value: number): number => (value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value);

/** The product of two fractions of 2¹⁵, rounded (`mult_r`). */
const times = (one: number, other: number): number => clip((one * other + 16_384) >> 15);
