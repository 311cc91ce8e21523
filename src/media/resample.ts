// From any rate down to 8 kHz: a low-pass below 4 kHz, read at the new rate's instants.
import { SAMPLES_PER_SECOND } from './tone.ts';

/** Zero crossings of the filter on either side, in samples of the new rate. */
const HALF_WIDTH = 11.5;
/** A little under 4 kHz, so that the filter's slope ends there. */
const CUTOFF_HZ = 3520;

interface Phase {
  /** First source sample under the filter, counted from the one at or before the instant. */
  readonly from: number;
  readonly taps: Float64Array;
}

/**
 * The samples at 8 kHz; outside of `samples` there is silence.
 * @param samplesPerSecond 8000 or more.
 */
export function resample(samples: Int16Array, samplesPerSecond: number): Int16Array {
  if (samplesPerSecond === SAMPLES_PER_SECOND) return samples;
  const ratio = samplesPerSecond / SAMPLES_PER_SECOND;
  const count = SAMPLES_PER_SECOND / greatestCommonDivisor(samplesPerSecond, SAMPLES_PER_SECOND);
  const phases = Array.from({ length: count }, (_, at) => phase((at * ratio) % 1, samplesPerSecond));
  const resampled = new Int16Array(Math.ceil(samples.length / ratio));
  for (let at = 0; at < resampled.length; at++) {
    const { from, taps } = phases[at % count] as Phase;
    const first = Math.floor((at * samplesPerSecond) / SAMPLES_PER_SECOND) + from;
    let sum = 0;
    for (let tap = Math.max(0, -first); tap < taps.length; tap++)
      sum += (taps[tap] as number) * (samples[first + tap] ?? 0);
    resampled[at] = Math.max(-32_768, Math.min(32_767, Math.round(sum)));
  }
  return resampled;
}

/** Windowed sinc (Hamming) for an instant so much after a source sample, scaled so that a constant keeps its value. */
function phase(fraction: number, samplesPerSecond: number): Phase {
  const half = (HALF_WIDTH * samplesPerSecond) / SAMPLES_PER_SECOND;
  const from = Math.ceil(fraction - half);
  const cutoff = CUTOFF_HZ / samplesPerSecond;
  const taps = Float64Array.from({ length: Math.floor(fraction + half) - from + 1 }, (_, at) => {
    const distance = from + at - fraction;
    const angle = Math.PI * distance;
    const sinc = distance === 0 ? 2 * cutoff : Math.sin(2 * cutoff * angle) / angle;
    return sinc * (0.54 + 0.46 * Math.cos(angle / half));
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return { from, taps: taps.map((tap) => tap / sum) };
}

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b);
