// An audio worker's entry: turns one file at a time, of any kind that we know, into samples at 8 kHz.
import { parentPort } from 'node:worker_threads';
import { isAiff, readAiff } from './aiff.ts';
import { readGsm } from './gsm.ts';
import { isGsm } from './gsm-frame.ts';
import { isMp3, readMp3 } from './mp3-decoder.ts';
import { isSunAudio, readSunAudio } from './sun-audio.ts';
import { atTelephoneRate, isWav, readWav } from './wav.ts';

/** One for each file, in order. The samples' memory is shared between threads. */
export type AudioResult = { readonly samples: Int16Array } | { readonly error: string };

parentPort?.on('message', async (file: Uint8Array) => {
  const result: AudioResult = await read(Buffer.from(file.buffer, file.byteOffset, file.byteLength)).then(
    (samples) => ({ samples: shared(samples) }),
    (error: unknown) => ({ error: (error as Error).message }),
  );
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(result);
});

async function read(file: Buffer): Promise<Int16Array> {
  if (isMp3(file)) return readMp3(file);
  if (isWav(file)) return atTelephoneRate(readWav(file));
  if (isAiff(file)) return atTelephoneRate(readAiff(file));
  if (isSunAudio(file)) return atTelephoneRate(readSunAudio(file));
  if (isGsm(file)) return readGsm(file);
  throw new RangeError('it is none of MP3, WAV, AIFF, Sun audio and GSM');
}

function shared(samples: Int16Array): Int16Array {
  const copy = new Int16Array(new SharedArrayBuffer(samples.byteLength));
  copy.set(samples);
  return copy;
}
