// What WAV (RIFF) and AIFF (FORM) files are made of: chunks, each with a name and a length.

/** Four characters. */
export const ascii = (bytes: Buffer, at: number): string => bytes.toString('latin1', at, at + 4);

/**
 * Body of the first chunk with this name; chunks are padded to even lengths.
 * @param lengthAt reads a length: little-endian in RIFF, big-endian in FORM
 * @throws {RangeError} where there is none, or it is cut off.
 */
export function chunkOf(bytes: Buffer, name: string, lengthAt: (at: number) => number): Buffer {
  for (let at = 12; at + 8 <= bytes.length; ) {
    const start = at + 8;
    const end = start + lengthAt(at + 4);
    if (end > bytes.length) throw new RangeError(`the chunk "${ascii(bytes, at)}" is cut off`);
    if (ascii(bytes, at) === name) return bytes.subarray(start, end);
    at = end + (end % 2);
  }
  throw new RangeError(`there is no "${name}" chunk`);
}
