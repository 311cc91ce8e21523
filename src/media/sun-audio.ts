// Sun's audio files (.au, .snd) of PCM, µ-law or A-law, and µ-law without any header (RFC 2046 §4.3: audio/basic).
import { bigEndianSamples, lawSamples, mono, type Wav } from './wav.ts';

const MAGIC = '.snd';
const HEADER_BYTES = 24;
const ULAW = 1;
const PCM_8 = 2;
const PCM_16 = 3;
const ALAW = 27;

export const isSunAudio = (bytes: Buffer): boolean => bytes.toString('latin1', 0, 4) === MAGIC;

/** Audio of type `audio/basic`: bare µ-law, 8 kHz and mono, gets a header that says so; a file with one is left alone. */
export function withSunHeader(bytes: Uint8Array): Buffer {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isSunAudio(file)) return file;
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 'latin1');
  for (const [at, value] of [HEADER_BYTES, file.length, ULAW, 8000, 1].entries())
    header.writeUInt32BE(value, 4 + at * 4);
  return Buffer.concat([header, file]);
}

/** @throws {RangeError} saying what is wrong with the file. */
export function readSunAudio(bytes: Buffer): Wav {
  if (bytes.length < HEADER_BYTES) throw new RangeError('the header is too short');
  const start = bytes.readUInt32BE(4);
  if (start < HEADER_BYTES) throw new RangeError('the sound begins inside the header');
  // The length may be unknown (all ones); whatever is there is the sound.
  const data = bytes.subarray(start, start + bytes.readUInt32BE(8));
  return {
    samplesPerSecond: bytes.readUInt32BE(16),
    samples: mono(decodeSamples(data, bytes.readUInt32BE(12)), bytes.readUInt32BE(20)),
  };
}

function decodeSamples(data: Buffer, encoding: number): Int16Array {
  switch (encoding) {
    case ULAW:
      return lawSamples(0, data);
    case ALAW:
      return lawSamples(8, data);
    case PCM_8:
      return Int16Array.from(data, (byte) => byte << 8);
    case PCM_16:
      if (data.length % 2 !== 0) throw new RangeError('the sound ends inside a sample');
      return bigEndianSamples(data);
    default:
      throw new RangeError(`neither PCM of 8 or 16 bits, µ-law nor A-law: encoding ${encoding}`);
  }
}
