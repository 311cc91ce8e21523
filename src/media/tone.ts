// Sine tones, made and measured. Samples are 8 kHz, mono, 16 bit.

export const SAMPLES_PER_SECOND = 8000;

/** Loudness of a whole chord: half of full scale, so that nothing clips. */
const AMPLITUDE = 16_384;

/** Writes the chord's samples from position `offset` on; consecutive frames join without a click. */
export function fillTone(frequenciesHz: readonly number[], offset: number, samples: Int16Array): void {
  const each = AMPLITUDE / Math.max(1, frequenciesHz.length);
  samples.fill(0);
  for (const hz of frequenciesHz) {
    const step = (2 * Math.PI * hz) / SAMPLES_PER_SECOND;
    for (let at = 0; at < samples.length; at++) {
      samples[at] = (samples[at] as number) + Math.round(each * Math.sin(step * (offset + at)));
    }
  }
}

/**
 * Amplitude of the frequency in `samples` by Goertzel's algorithm, as a share of full scale: a pure sine of
 * amplitude 32768 gives 1. Frequencies closer than `8000 / samples.length` Hz are not told apart.
 */
export function toneLevel(samples: Int16Array, hz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / SAMPLES_PER_SECOND);
  let last = 0;
  let beforeLast = 0;
  for (const sample of samples) {
    const next = sample / 32_768 + coefficient * last - beforeLast;
    beforeLast = last;
    last = next;
  }
  const power = last * last + beforeLast * beforeLast - coefficient * last * beforeLast;
  return samples.length === 0 ? 0 : (2 * Math.sqrt(Math.max(0, power))) / samples.length;
}
