// G.711 in both laws by table: 8 kHz, one byte a sample (ITU-T G.711, via the usual 16-bit linear form).
import type { PayloadType } from './engine.ts';

/** Bytes that mean silence, by payload type. */
export const SILENCE: Record<PayloadType, number> = { 0: 0xff, 8: 0xd5 };

const ULAW_BIAS = 132;
const ULAW_CLIP = 32_635;

const ulawToLinear = (byte: number): number => {
  const bits = ~byte & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + ULAW_BIAS) << ((bits & 0x70) >> 4)) - ULAW_BIAS;
  return bits & 0x80 ? -magnitude : magnitude;
};

const linearToUlaw = (sample: number): number => {
  const biased = Math.min(Math.abs(sample), ULAW_CLIP) + ULAW_BIAS;
  const exponent = 24 - Math.clz32(biased);
  const mantissa = (biased >> (exponent + 3)) & 0x0f;
  return ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | mantissa) & 0xff;
};

const alawToLinear = (byte: number): number => {
  const bits = byte ^ 0x55;
  const exponent = (bits & 0x70) >> 4;
  const mantissa = ((bits & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return bits & 0x80 ? magnitude : -magnitude;
};

const linearToAlaw = (sample: number): number => {
  const magnitude = Math.min(sample < 0 ? ~sample : sample, 0x7fff) >> 4;
  const exponent = Math.max(0, 28 - Math.clz32(magnitude));
  const mantissa = (exponent < 2 ? magnitude : magnitude >> (exponent - 1)) & 0x0f;
  return ((sample < 0 ? 0 : 0x80) | (exponent << 4) | mantissa) ^ 0x55;
};

const toLinear: Record<PayloadType, Int16Array> = {
  0: Int16Array.from({ length: 256 }, (_, byte) => ulawToLinear(byte)),
  8: Int16Array.from({ length: 256 }, (_, byte) => alawToLinear(byte)),
};

/** Indexed by the sample's 16 bits taken as unsigned. */
const fromLinear = (encode: (sample: number) => number): Uint8Array =>
  Uint8Array.from({ length: 65_536 }, (_, bits) => encode((bits << 16) >> 16));

const toCode: Record<PayloadType, Uint8Array> = { 0: fromLinear(linearToUlaw), 8: fromLinear(linearToAlaw) };

/** Decodes `codes[start, end)` into `samples`, from its beginning. */
export function decode(
  law: PayloadType,
  codes: Uint8Array,
  range: { start: number; end: number },
  samples: Int16Array,
): void {
  const table = toLinear[law];
  for (let at = range.start; at < range.end; at++)
    samples[at - range.start] = table[codes[at] as number] as number;
}

/** Encodes every sample into `codes`, from `start` on. */
export function encode(law: PayloadType, samples: Int16Array, codes: Uint8Array, start: number): void {
  const table = toCode[law];
  for (let at = 0; at < samples.length; at++)
    codes[start + at] = table[(samples[at] as number) & 0xffff] as number;
}

/** Every code of the one law in the other. */
const inOtherLaw = (from: PayloadType, to: PayloadType): Uint8Array =>
  Uint8Array.from(toLinear[from], (sample) => toCode[to][sample & 0xffff] as number);

/** By the law that comes in. */
const transcodes: Record<PayloadType, Uint8Array> = { 0: inOtherLaw(0, 8), 8: inOtherLaw(8, 0) };

/** Turns `codes[start, end)` of `law` into the other law, in place. */
export function transcode(law: PayloadType, codes: Uint8Array, range: { start: number; end: number }): void {
  const table = transcodes[law];
  for (let at = range.start; at < range.end; at++) codes[at] = table[codes[at] as number] as number;
}
