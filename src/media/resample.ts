// From 16 kHz to 8 kHz: a low-pass below 4 kHz, then every second sample.

const TAPS = 47;
const CENTRE = (TAPS - 1) / 2;
/** Share of the source rate; a little under a quarter, so that the filter's slope ends at 4 kHz. */
const CUTOFF = 0.22;

/** Windowed sinc (Hamming), scaled so that a constant keeps its value. */
const filter: Float64Array = (() => {
  const taps = Float64Array.from({ length: TAPS }, (_, at) => {
    const from = at - CENTRE;
    const sinc = from === 0 ? 2 * CUTOFF : Math.sin(2 * Math.PI * CUTOFF * from) / (Math.PI * from);
    return sinc * (0.54 - 0.46 * Math.cos((2 * Math.PI * at) / (TAPS - 1)));
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
})();

/** Half as many samples; outside of `samples` there is silence. */
export function halveRate(samples: Int16Array): Int16Array {
  return Int16Array.from({ length: Math.ceil(samples.length / 2) }, (_, at) => {
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap++)
      sum += (filter[tap] as number) * (samples[at * 2 + tap - CENTRE] ?? 0);
    return Math.max(-32_768, Math.min(32_767, Math.round(sum)));
  });
}
