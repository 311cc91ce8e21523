// Reads a WAV file of PCM, µ-law, A-law or GSM 06.10; strict, for a file comes from another program.
import { ascii, chunkOf } from './chunks.ts';
import type { PayloadType } from './engine.ts';
import { decode } from './g711.ts';
import { readWavGsm } from './gsm.ts';
import { resample } from './resample.ts';

export interface Wav {
  readonly samplesPerSecond: number;
  /** Mono: of two channels, their mean. */
  readonly samples: Int16Array;
}

const PCM = 1;
const ALAW = 6;
const ULAW = 7;
const GSM = 49;
/** The encoding is the first two bytes of a GUID further on. */
const EXTENSIBLE = 0xfffe;
const LAWS: Record<number, PayloadType> = { [ALAW]: 8, [ULAW]: 0 };
const RATES = { lowest: 8000, highest: 48_000 };

/** @throws {RangeError} saying what is wrong with the file. */
export function readWav(bytes: Buffer): Wav {
  if (!isWav(bytes)) throw new RangeError('not a WAV file');
  const format = chunk(bytes, 'fmt ');
  if (format.length < 16) throw new RangeError('the fmt chunk is too short');
  const [tag, channels, bits] = [format.readUInt16LE(0), format.readUInt16LE(2), format.readUInt16LE(14)];
  const encoding = tag === EXTENSIBLE && format.length >= 40 ? format.readUInt16LE(24) : tag;
  if (encoding === GSM && channels !== 1) throw new RangeError('GSM that is not mono');
  const samples = decodeSamples(chunk(bytes, 'data'), encoding, bits);
  return { samplesPerSecond: format.readUInt32LE(4), samples: mono(samples, channels) };
}

export const isWav = (bytes: Buffer): boolean => ascii(bytes, 0) === 'RIFF' && ascii(bytes, 8) === 'WAVE';

/** Little-endian 16-bit samples, copied out of `bytes`; an odd last byte is left out. */
export function readSamples(bytes: Buffer): Int16Array {
  return Int16Array.from({ length: bytes.length >> 1 }, (_, at) => bytes.readInt16LE(at * 2));
}

export const bigEndianSamples = (bytes: Buffer): Int16Array =>
  Int16Array.from({ length: bytes.length >> 1 }, (_, at) => bytes.readInt16BE(at * 2));

export function lawSamples(law: PayloadType, codes: Buffer): Int16Array {
  const samples = new Int16Array(codes.length);
  decode(law, codes, { start: 0, end: codes.length }, samples);
  return samples;
}

/**
 * What one ear hears of interleaved samples: of two channels, their mean.
 * @throws {RangeError} for another number of channels, and where one of them has a sample more.
 */
export function mono(samples: Int16Array, channels: number): Int16Array {
  if (channels !== 1 && channels !== 2) throw new RangeError(`${channels} channels: neither mono nor stereo`);
  if (samples.length % channels !== 0) throw new RangeError('the sound ends inside a sample');
  return channels === 1 ? samples : mean(samples);
}

/**
 * Samples at 8 kHz of what was read from a file at 8 to 48 kHz.
 * @throws {RangeError} for another rate.
 */
export function atTelephoneRate({ samplesPerSecond, samples }: Wav): Int16Array {
  checkRate(samplesPerSecond);
  return resample(samples, samplesPerSecond);
}

/** @throws {RangeError} for a rate that we do not convert. */
export function checkRate(samplesPerSecond: number): void {
  if (!(samplesPerSecond >= RATES.lowest && samplesPerSecond <= RATES.highest))
    throw new RangeError(`${samplesPerSecond} samples a second, not ${RATES.lowest} to ${RATES.highest}`);
}

function decodeSamples(data: Buffer, encoding: number, bits: number): Int16Array {
  const law = LAWS[encoding];
  if (law !== undefined && bits === 8) return lawSamples(law, data);
  if (encoding === GSM) return readWavGsm(data);
  if (encoding !== PCM) throw new RangeError(`neither PCM, µ-law, A-law nor GSM: encoding ${encoding}`);
  if (bits === 8) return Int16Array.from(data, (byte) => (byte - 128) << 8);
  if (bits !== 16) throw new RangeError(`PCM of ${bits} bits, neither 8-bit nor 16-bit`);
  if (data.length % 2 !== 0) throw new RangeError('the data chunk ends inside a sample');
  return readSamples(data);
}

const mean = (samples: Int16Array): Int16Array =>
  Int16Array.from(
    { length: samples.length / 2 },
    (_, at) => ((samples[at * 2] as number) + (samples[at * 2 + 1] as number)) >> 1,
  );

const chunk = (bytes: Buffer, name: string): Buffer => chunkOf(bytes, name, (at) => bytes.readUInt32LE(at));
