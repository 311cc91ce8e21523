import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, it, vi } from 'vitest';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { monoWav } from './wav-mono.ts';
import { wavHeader } from './wav-writer.ts';

function dualFile(frames: readonly (readonly [left: number, right: number])[], rest = 0): string {
  const file = join(tempFolder(), 'dual.wav');
  const samples = Buffer.from(Int16Array.from(frames.flat()).buffer);
  writeFileSync(file, Buffer.concat([wavHeader(2, samples.length), samples, Buffer.alloc(rest)]));
  return file;
}

const samplesOf = (wav: Buffer): number[] =>
  Array.from({ length: (wav.length - 44) / 2 }, (_, at) => wav.readInt16LE(44 + at * 2));

/** Open files that lie here. */
const openIn = (folder: string): string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });

it('mixes without overflow, over many slices, half a frame left out', async () => {
  const frames = Array.from({ length: 40_000 }, (_, at) => [at % 1000, -2 * (at % 1000)] as const);
  const loud = [
    [30_000, 30_000],
    [-30_000, -30_000],
    [32_767, -32_768],
  ] as const;
  const { bytes, stream } = await monoWav(dualFile([...frames, ...loud], 3));
  const wav = await buffer(stream);
  expect(wav.length).toBe(bytes);
  expect(wav.subarray(0, 44).equals(wavHeader(1, wav.length - 44))).toBe(true);
  expect(samplesOf(wav)).toEqual([...frames.map(([left]) => -left + 0), 32_767, -32_768, -1]);
});

it('of an empty recording is an empty recording', async () => {
  expect(samplesOf(await buffer((await monoWav(dualFile([]))).stream))).toEqual([]);
});

it('leaves no file open, however far it was read', async () => {
  const file = dualFile(Array.from({ length: 100_000 }, () => [1, 1] as const));
  for (const chunks of [0, 1, 2]) {
    const { stream } = await monoWav(file);
    const reader = stream[Symbol.asyncIterator]();
    for (let at = 0; at < chunks; at++) await reader.next();
    stream.destroy();
    await vi.waitFor(() => expect(openIn(file)).toEqual([]));
  }
  const folder = join(file, '..', 'none');
  mkdirSync(folder);
  await expect(monoWav(join(folder, 'x.wav'))).rejects.toMatchObject({ code: 'ENOENT' });
});
