import { spawn } from 'node:child_process';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { readWav } from './wav.ts';
import { repairWav } from './wav-repair.ts';
import { type WavFile, WavWriter, wavHeader } from './wav-writer.ts';

const fileIn = (): string => join(tempFolder(), 'recording.wav');
const chunk = (value: number, samples = 1000): Buffer =>
  Buffer.from(new Int16Array(samples).fill(value).buffer);

describe('WavWriter', () => {
  it('writes what comes, in order, and cuts it where it is told to', async () => {
    const file = fileIn();
    const writer = new WavWriter({ file, channels: 1, failed: (error) => expect.fail(String(error)) });
    for (let value = 1; value <= 50; value++) writer.write(chunk(value));
    expect(await writer.end(99_001)).toEqual({ bytes: 44 + 99_000, dataBytes: 99_000 });
    const { samples, samplesPerSecond } = readWav(readFileSync(file));
    expect(samplesPerSecond).toBe(8000);
    expect(samples.filter((_, at) => at % 1000 === 0)).toEqual(
      Int16Array.from({ length: 50 }, (_, at) => at + 1),
    );
    expect(statSync(file)).toMatchObject({ size: 44 + 99_000 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('keeps what it has when the disk is full, says so once, and takes no more', async () => {
    const file = fileIn();
    const errors: Error[] = [];
    const full = async (): Promise<WavFile> => {
      const real = await open(file, 'w');
      let room = 44 + 4500;
      return {
        truncate: (length) => real.truncate(length),
        datasync: () => real.datasync(),
        close: () => real.close(),
        write: (async (bytes: Buffer, at: number, length: number, position: number) => {
          const taken = position + length <= 44 ? length : Math.min(length, room - position);
          if (taken <= 0) throw new Error('ENOSPC: no space left on device');
          room = Math.max(room, 0);
          return real.write(bytes, at, taken, position);
        }) as WavFile['write'],
      };
    };
    const writer = new WavWriter({ file, channels: 1, failed: (error) => errors.push(error), open: full });
    for (let value = 1; value <= 5; value++) writer.write(chunk(value));
    const end = await writer.end(10_000);
    expect(end).toEqual({ bytes: 44 + 4000, dataBytes: 4000, error: 'ENOSPC: no space left on device' });
    expect(errors).toHaveLength(1);
    expect(readWav(readFileSync(file)).samples).toHaveLength(2000);
    expect(statSync(file)).toMatchObject({ size: 44 + 4000 });
  });

  it('fails where the disk does not keep up', async () => {
    const errors: string[] = [];
    const held = Promise.withResolvers<WavFile>();
    const failed = (error: Error) => errors.push(error.message);
    const writer = new WavWriter({ file: 'none', channels: 2, failed, open: () => held.promise });
    for (let times = 0; times < 20; times++) writer.write(Buffer.alloc(100_000));
    expect(errors).toEqual([]);
    for (let times = 0; times < 20; times++) writer.write(Buffer.alloc(100_000));
    expect(errors).toEqual(['the disk is too slow']);
    held.reject(new Error('gone'));
    expect(await writer.end(0)).toMatchObject({ bytes: 0, error: 'the disk is too slow' });
  });
});

describe('repairWav', () => {
  it('makes a file of a process that was killed readable', async () => {
    const file = fileIn();
    const script = `
      const { WavWriter } = await import(${JSON.stringify(new URL('./wav-writer.ts', import.meta.url).href)});
      const writer = new WavWriter({ file: ${JSON.stringify(file)}, channels: 2, failed: (e) => { throw e; } });
      for (let at = 0; at < 8; at++) writer.write(Buffer.alloc(32_000, 1));
      const { statSync } = await import('node:fs');
      setInterval(() => { try { if (statSync(${JSON.stringify(file)}).size >= 44 + 256_000) console.log('written'); } catch {} }, 5);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(() => readWav(readFileSync(file)).samples.length).not.toThrow();
    expect(readWav(readFileSync(file)).samples).toHaveLength(0);
    expect(await repairWav(file)).toEqual({ durationMs: 8000, bytes: 44 + 256_000, channels: 2 });
    expect(readWav(readFileSync(file)).samples).toHaveLength(64_000);
  });

  it('cuts half a sample off, leaves a right file alone, and refuses what is no recording', async () => {
    const file = fileIn();
    writeFileSync(file, Buffer.concat([wavHeader(2, 0), Buffer.alloc(4003)]));
    expect(await repairWav(file)).toEqual({ durationMs: 125, bytes: 4044, channels: 2 });
    const { mtimeNs } = statSync(file, { bigint: true });
    expect(await repairWav(file)).toMatchObject({ bytes: 4044 });
    expect(statSync(file, { bigint: true }).mtimeNs).toBe(mtimeNs);
    truncateSync(file, 20);
    await expect(repairWav(file)).rejects.toThrow(RangeError);
    writeFileSync(file, 'an important text that must stay as it is, to the letter');
    await expect(repairWav(file)).rejects.toThrow(RangeError);
    expect(readFileSync(file, 'utf8')).toMatch(/to the letter$/);
    await expect(repairWav(join(tempFolder(), 'none.wav'))).rejects.toThrow(/ENOENT/);
  });
});
