// A recording of two channels, read as one of a single channel: both mixed, made while it is read.
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { WAV_HEADER_BYTES, wavHeader } from './wav-writer.ts';

export interface MonoWav {
  /** Of the whole file that the stream gives. */
  readonly bytes: number;
  readonly stream: Readable;
}

/** Bytes of one sample of either channel. */
const FRAME_BYTES = 4;
const SLICE_BYTES = 65_536;

/** Rejects with the file system's error where the file cannot be opened. Only for complete recordings of two channels. */
export async function monoWav(path: string): Promise<MonoWav> {
  const file = await open(path, 'r');
  const { size } = await file.stat();
  const frames = Math.max(0, Math.floor((size - WAV_HEADER_BYTES) / FRAME_BYTES));
  const stream = Readable.from(mixed(file, frames), { objectMode: false });
  // Where nobody reads it at all, the generator that closes the file never began.
  stream.once('close', () => void file.close().catch(() => {}));
  return { bytes: WAV_HEADER_BYTES + frames * 2, stream };
}

async function* mixed(file: FileHandle, frames: number): AsyncGenerator<Buffer> {
  yield wavHeader(1, frames * 2);
  const end = WAV_HEADER_BYTES + frames * FRAME_BYTES;
  for (let at = WAV_HEADER_BYTES; at < end; ) {
    const slice = Buffer.allocUnsafe(Math.min(SLICE_BYTES, end - at));
    const { bytesRead } = await file.read(slice, 0, slice.length, at);
    const whole = bytesRead - (bytesRead % FRAME_BYTES);
    if (whole === 0) throw new Error('the recording was cut short');
    yield mix(slice.subarray(0, whole));
    at += whole;
  }
}

function mix(frames: Buffer): Buffer {
  const out = Buffer.allocUnsafe(frames.length / 2);
  for (let at = 0; at < frames.length; at += FRAME_BYTES) {
    const sum = frames.readInt16LE(at) + frames.readInt16LE(at + 2);
    out.writeInt16LE(Math.max(-32_768, Math.min(32_767, sum)), at / 2);
  }
  return out;
}
