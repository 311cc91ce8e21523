// Reads an AIFF or AIFF-C file of PCM, µ-law or A-law (Apple, "Audio Interchange File Format", 1.3 and AIFF-C draft of
// 1991); strict, for a file comes from another program.
import { ascii, chunkOf } from './chunks.ts';
import { bigEndianSamples, lawSamples, mono, readSamples, type Wav } from './wav.ts';

/** What AIFF-C may say in place of PCM, by its four characters. */
const LAWS: Record<string, 0 | 8> = { ulaw: 0, ULAW: 0, alaw: 8, ALAW: 8 };
const COMMON_BYTES = 18;

export const isAiff = (bytes: Buffer): boolean =>
  ascii(bytes, 0) === 'FORM' && ['AIFF', 'AIFC'].includes(ascii(bytes, 8));

/** @throws {RangeError} saying what is wrong with the file. */
export function readAiff(bytes: Buffer): Wav {
  const common = chunk(bytes, 'COMM');
  if (common.length < COMMON_BYTES) throw new RangeError('the COMM chunk is too short');
  const sound = chunk(bytes, 'SSND');
  if (sound.length < 8) throw new RangeError('the SSND chunk is too short');
  // The samples stand behind an offset and a block size, which only ever align them.
  const data = sound.subarray(8 + sound.readUInt32BE(0));
  const isCompressed = ascii(bytes, 8) === 'AIFC' && common.length >= COMMON_BYTES + 4;
  const encoding = isCompressed ? ascii(common, COMMON_BYTES) : 'NONE';
  const samples = decodeSamples(data, encoding, common.readUInt16BE(6));
  return {
    samplesPerSecond: readExtended(common.subarray(8, 18)),
    samples: mono(samples, common.readUInt16BE(0)),
  };
}

function decodeSamples(data: Buffer, encoding: string, bits: number): Int16Array {
  const law = LAWS[encoding];
  if (law !== undefined) return lawSamples(law, data);
  if (encoding !== 'NONE' && encoding !== 'twos' && encoding !== 'sowt')
    throw new RangeError(`neither PCM, µ-law nor A-law: encoding ${JSON.stringify(encoding)}`);
  if (bits === 8) return Int16Array.from(data, (byte) => byte << 8);
  if (bits !== 16) throw new RangeError(`PCM of ${bits} bits, neither 8-bit nor 16-bit`);
  if (data.length % 2 !== 0) throw new RangeError('the SSND chunk ends inside a sample');
  return encoding === 'sowt' ? readSamples(data) : bigEndianSamples(data);
}

/** A positive number of 80 bits: sign and exponent (16), then a mantissa with its leading one (64). */
function readExtended(bytes: Buffer): number {
  const exponent = bytes.readUInt16BE(0) - 16_383;
  return (bytes.readUInt32BE(2) + bytes.readUInt32BE(6) / 2 ** 32) * 2 ** (exponent - 31);
}

const chunk = (bytes: Buffer, name: string): Buffer => chunkOf(bytes, name, (at) => bytes.readUInt32BE(at));
