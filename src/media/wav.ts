// Reads a WAV file of 16-bit PCM, mono; strict, for a file comes from another program.

import { halveRate } from './resample.ts';

export interface Wav {
  readonly samplesPerSecond: number;
  readonly samples: Int16Array;
}

const PCM = 1;

/** @throws {RangeError} saying what is wrong with the file. */
export function readWav(bytes: Buffer): Wav {
  if (ascii(bytes, 0) !== 'RIFF' || ascii(bytes, 8) !== 'WAVE') throw new RangeError('not a WAV file');
  const format = chunk(bytes, 'fmt ');
  if (format.length < 16) throw new RangeError('the fmt chunk is too short');
  const [encoding, channels, bits] = [
    format.readUInt16LE(0),
    format.readUInt16LE(2),
    format.readUInt16LE(14),
  ];
  if (encoding !== PCM || channels !== 1 || bits !== 16) throw new RangeError('not 16-bit PCM, mono');
  const pcm = chunk(bytes, 'data');
  if (pcm.length % 2 !== 0) throw new RangeError('the data chunk ends inside a sample');
  return { samplesPerSecond: format.readUInt32LE(4), samples: readSamples(pcm) };
}

/** Little-endian 16-bit samples, copied out of `bytes`; an odd last byte is left out. */
export function readSamples(bytes: Buffer): Int16Array {
  return Int16Array.from({ length: bytes.length >> 1 }, (_, at) => bytes.readInt16LE(at * 2));
}

/**
 * Samples at 8 kHz of a file at 8 or 16 kHz.
 * @throws {RangeError} saying what is wrong with the file.
 */
export function readAudioFile(bytes: Buffer): Int16Array {
  const { samplesPerSecond, samples } = readWav(bytes);
  if (samplesPerSecond === 8000) return samples;
  if (samplesPerSecond === 16_000) return halveRate(samples);
  throw new RangeError(`${samplesPerSecond} samples a second, neither 8000 nor 16000`);
}

const ascii = (bytes: Buffer, at: number): string => bytes.toString('latin1', at, at + 4);

/** Body of the first chunk with this name; chunks are padded to even lengths. */
function chunk(bytes: Buffer, name: string): Buffer {
  for (let at = 12; at + 8 <= bytes.length; ) {
    const start = at + 8;
    const end = start + bytes.readUInt32LE(at + 4);
    if (end > bytes.length) throw new RangeError(`the chunk "${ascii(bytes, at)}" is cut off`);
    if (ascii(bytes, at) === name) return bytes.subarray(start, end);
    at = end + (end % 2);
  }
  throw new RangeError(`there is no "${name}" chunk`);
}
