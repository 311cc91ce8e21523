// Makes a recording readable that a crash left without its sizes.
import { open } from 'node:fs/promises';
import { SAMPLES_PER_SECOND } from './tone.ts';
import { readRecordingHeader, WAV_HEADER_BYTES, wavHeader } from './wav-writer.ts';

export interface RepairedWav {
  readonly durationMs: number;
  readonly bytes: number;
  readonly channels: 1 | 2;
}

/**
 * Sets the header's sizes to what the file really holds, a last half sample cut off; a file that is right stays as
 * it is. Only for files that recordings wrote.
 * @throws {RangeError} where the file is none of these; errors of the file system as they come.
 */
export async function repairWav(path: string): Promise<RepairedWav> {
  const file = await open(path, 'r+');
  try {
    const header = Buffer.alloc(WAV_HEADER_BYTES);
    const { bytesRead } = await file.read(header, 0, WAV_HEADER_BYTES, 0);
    const channels = readRecordingHeader(header.subarray(0, bytesRead));
    if (channels === undefined) throw new RangeError('not a recording');
    const { size } = await file.stat();
    const frame = channels * 2;
    const dataBytes = Math.floor((size - WAV_HEADER_BYTES) / frame) * frame;
    if (header.readUInt32LE(40) !== dataBytes || size !== WAV_HEADER_BYTES + dataBytes) {
      await file.truncate(WAV_HEADER_BYTES + dataBytes);
      await file.write(wavHeader(channels, dataBytes), 0, WAV_HEADER_BYTES, 0);
      await file.datasync();
    }
    const durationMs = Math.round((dataBytes / frame / SAMPLES_PER_SECOND) * 1000);
    return { durationMs, bytes: WAV_HEADER_BYTES + dataBytes, channels };
  } finally {
    await file.close();
  }
}
