// Reads an MP3 file with mpg123 as WebAssembly. To be run off the main thread: it takes a hundredth of the sound's time.
// mpg123 is under the LGPL 2.1; the package `mpg123-decoder` (MIT) holds it, and can be replaced without a change here.
import { MPEGDecoder } from 'mpg123-decoder';
import { resample } from './resample.ts';
import { checkRate } from './wav.ts';

const SLICE_BYTES = 64 * 1024;
const MAX_SECONDS = 30 * 60;

/** An ID3 tag, or a frame's sync word (ISO 11172-3 §2.4.1.3). */
export const isMp3 = (bytes: Buffer): boolean =>
  bytes.toString('latin1', 0, 3) === 'ID3' ||
  (bytes.length > 1 && bytes[0] === 0xff && ((bytes[1] as number) & 0xe0) === 0xe0);

/**
 * Samples at 8 kHz, mono.
 * @throws {RangeError} where there is no sound in it, or more than half an hour.
 */
export async function readMp3(bytes: Buffer): Promise<Int16Array> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  const slices: Int16Array[] = [];
  let [rate, length] = [0, 0];
  try {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      const { channelData, sampleRate } = decoder.decode(bytes.subarray(at, at + SLICE_BYTES));
      const slice = mix(channelData);
      if (slice.length === 0) continue;
      rate ||= sampleRate;
      length += slice.length;
      if (sampleRate !== rate) throw new RangeError('the rate changes inside of the file');
      if (length > rate * MAX_SECONDS) throw new RangeError(`longer than ${MAX_SECONDS} s`);
      slices.push(slice);
    }
  } finally {
    decoder.free();
  }
  if (length === 0) throw new RangeError('no MP3 frame in it');
  checkRate(rate);
  return resample(joined(slices, length), rate);
}

function mix(channels: readonly Float32Array[]): Int16Array {
  const [left = new Float32Array(0), right = left] = channels;
  return Int16Array.from(left, (sample, at) => {
    const both = (sample + (right[at] as number)) / 2;
    return Math.max(-32_768, Math.min(32_767, Math.round(both * 32_768)));
  });
}

function joined(slices: readonly Int16Array[], length: number): Int16Array {
  const all = new Int16Array(length);
  let at = 0;
  for (const slice of slices) {
    all.set(slice, at);
    at += slice.length;
  }
  return all;
}
