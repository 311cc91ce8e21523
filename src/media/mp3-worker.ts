// An MP3 worker's entry: reads one recording slice by slice and encodes it with LAME as WebAssembly.
// LAME is under the LGPL 2: `node_modules/wasm-media-encoders` (MIT) holds its unchanged binary (wasm/mp3.wasm). It is
// used through this module alone; whoever wants another build of it puts it there, or replaces this module.
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { createMp3Encoder } from 'wasm-media-encoders';
import { SAMPLES_PER_SECOND } from './tone.ts';
import { readRecordingHeader, WAV_HEADER_BYTES } from './wav-writer.ts';

export interface Mp3WorkerData {
  /** Path of a recording's WAV file. */
  readonly file: string;
  /** Mixes two channels into one. */
  readonly isMono: boolean;
}

/** One for each message that asks for more; without bytes at the end. */
export type Mp3Slice = { readonly bytes: Uint8Array | null } | { readonly error: string };

/** About 16 s of a channel. */
const SLICE_SAMPLES = 131_072;
const KBITS_A_CHANNEL = 32;

const { file, isMono } = workerData as Mp3WorkerData;
const slices = encode();

parentPort?.on('message', async () => {
  const slice: Mp3Slice = await slices.next().then(
    ({ value }) => ({ bytes: value ?? null }),
    (error: unknown) => ({ error: `the recording cannot be encoded: ${(error as Error).message}` }),
  );
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(slice);
});

async function* encode(): AsyncGenerator<Uint8Array, undefined> {
  const encoder = await createMp3Encoder();
  const fd = openSync(file, 'r');
  try {
    const header = Buffer.alloc(WAV_HEADER_BYTES);
    const channels = readRecordingHeader(header.subarray(0, readSync(fd, header, 0, WAV_HEADER_BYTES, 0)));
    if (channels === undefined) throw new Error('it is no recording');
    const isMixed = isMono && channels === 2;
    const sent = isMixed ? 1 : channels;
    const bitrate = sent === 1 ? KBITS_A_CHANNEL : ((2 * KBITS_A_CHANNEL) as 64);
    encoder.configure({ channels: sent, sampleRate: SAMPLES_PER_SECOND, bitrate, outputSampleRate: 8000 });
    const slice = Buffer.alloc(SLICE_SAMPLES * 2 * channels);
    for (let at = WAV_HEADER_BYTES; ; ) {
      const read = readSync(fd, slice, 0, slice.length, at);
      if (read === 0) break;
      at += read;
      // The encoder's memory is used again for the next slice.
      const tracks = split(slice.subarray(0, read), channels);
      const bytes = Uint8Array.from(encoder.encode(isMixed ? [mixed(tracks)] : tracks));
      if (bytes.length > 0) yield bytes;
    }
    const last = Uint8Array.from(encoder.finalize());
    if (last.length > 0) yield last;
  } finally {
    closeSync(fd);
  }
  return undefined;
}

/** Interleaved 16-bit samples by channel, from -1 to 1. */
const split = (bytes: Buffer, channels: 1 | 2): Float32Array[] =>
  Array.from({ length: channels }, (_, channel) =>
    Float32Array.from(
      { length: Math.floor(bytes.length / 2 / channels) },
      (_, at) => bytes.readInt16LE((at * channels + channel) * 2) / 32_768,
    ),
  );

const mixed = ([left = new Float32Array(), right]: readonly Float32Array[]): Float32Array =>
  left.map((sample, at) => Math.max(-1, Math.min(1, sample + (right?.[at] ?? 0))));
