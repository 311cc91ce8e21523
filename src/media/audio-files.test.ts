import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMp3Encoder } from 'wasm-media-encoders';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { toneGsm } from '../../test/support/tone-gsm.ts';
import { silentLog } from '../lib/log.ts';
import { seededRandom } from '../lib/random.ts';
import { AudioFiles, type AudioFilesOptions } from './audio-files.ts';
import { encode } from './g711.ts';
import { encodeMp3 } from './mp3-encoder.ts';
import { PromptCache } from './prompt-cache.ts';
import { withSunHeader } from './sun-audio.ts';
import { toneLevel } from './tone.ts';
import { wavHeader } from './wav-writer.ts';

const sine = (hz: number, rate: number, seconds: number) =>
  Float32Array.from({ length: rate * seconds }, (_, at) => 0.5 * Math.sin((2 * Math.PI * hz * at) / rate));

async function mp3(rate: number, channels: 1 | 2, seconds = 2): Promise<Buffer> {
  const encoder = await createMp3Encoder();
  encoder.configure({ sampleRate: rate, channels, bitrate: 64 });
  const tone = sine(1000, rate, seconds);
  const frames = Buffer.from(encoder.encode(channels === 1 ? [tone] : [tone, new Float32Array(tone.length)]));
  return Buffer.concat([frames, encoder.finalize()]);
}

function wav(samples: Float32Array, rate: number): Buffer {
  const header = wavHeader(1, samples.length * 2);
  header.writeUInt32LE(rate, 24);
  const data = Int16Array.from(samples, (sample) => Math.round(sample * 32_767));
  return Buffer.concat([header, Buffer.from(data.buffer)]);
}

function audioFiles(options: Partial<AudioFilesOptions> = {}): AudioFiles {
  const cache = new PromptCache({ log: silentLog, random: seededRandom(1) });
  const files = new AudioFiles({ cache, ...options });
  onTestFinished(() => files.close());
  return files;
}

describe('AudioFiles', () => {
  it.each([
    [8000, 1],
    [16_000, 2],
    [22_050, 1],
    [44_100, 2],
    [48_000, 1],
  ] as const)('reads MP3 at %i Hz, %i channels', async (rate, channels) => {
    const samples = await audioFiles().render(await mp3(rate, channels));
    expect(samples.length / 8000).toBeGreaterThan(1.9);
    expect(samples.length / 8000).toBeLessThan(2.2);
    const middle = samples.subarray(4000, 12_000);
    expect(toneLevel(middle, 1000)).toBeGreaterThan(channels === 1 ? 0.45 : 0.22);
    for (const elsewhere of [500, 2000, 3000]) expect(toneLevel(middle, elsewhere)).toBeLessThan(0.01);
  });

  it('reads MP3 behind an ID3 tag, and WAV at another rate', async () => {
    const tagged = Buffer.concat([
      Buffer.from('ID3\x03\0\0\0\0\0\x0a0123456789', 'latin1'),
      await mp3(16_000, 1),
    ]);
    const files = audioFiles();
    expect(toneLevel((await files.render(tagged)).subarray(4000, 12_000), 1000)).toBeGreaterThan(0.45);
    const samples = await files.render(wav(sine(700, 44_100, 1), 44_100));
    expect(samples).toHaveLength(8000);
    expect(toneLevel(samples, 700)).toBeGreaterThan(0.47);
  });

  it('reads AIFF, Sun audio, GSM and bare µ-law', async () => {
    const files = audioFiles();
    const aiff = Buffer.concat([
      Buffer.from('FORM\0\0\0\0AIFFCOMM\0\0\0\x12\0\x01\0\0\0\0\0\x10\x40\x0c\xfa\0\0\0\0\0\0\0', 'latin1'),
      Buffer.from('SSND\0\0\x7d\x08\0\0\0\0\0\0\0\0', 'latin1'),
      Buffer.from(
        Int16Array.from(sine(700, 16_000, 1), (sample) => Math.round(sample * 32_767)).buffer,
      ).swap16(),
    ]);
    expect(toneLevel(await files.render(aiff), 700)).toBeGreaterThan(0.47);
    expect(toneLevel(await files.render(toneGsm(1)), 1000)).toBeGreaterThan(0.4);
    const ulaw = Buffer.alloc(8000);
    encode(
      0,
      Int16Array.from(sine(700, 8000, 1), (sample) => Math.round(sample * 32_000)),
      ulaw,
      0,
    );
    expect(toneLevel(await files.render(withSunHeader(ulaw)), 700)).toBeGreaterThan(0.45);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a text', Buffer.from('<html>not found</html>')],
    ['an MP3 without a frame', Buffer.from(`ID3${'no sound '.repeat(500)}`)],
    ['a rate of 4 kHz', wav(sine(700, 4000, 1), 4000)],
  ])('refuses %s, and reads on', async (_, file) => {
    const files = audioFiles();
    await expect(files.render(file)).rejects.toMatchObject({ code: 'bad-audio' });
    expect(await files.render(wav(sine(700, 8000, 1), 8000))).toHaveLength(8000);
  });

  it('reads a file once, however often it is asked for', async () => {
    let spawned = 0;
    const files = audioFiles({
      spawn: () => {
        spawned++;
        return new Worker(
          `const { parentPort } = require('node:worker_threads');
           let reads = 0;
           parentPort.on('message', () => parentPort.postMessage({ samples: Int16Array.of(++reads) }));`,
          { eval: true },
        );
      },
    });
    const [one, two] = await Promise.all([files.render(Buffer.from('a')), files.render(Buffer.from('a'))]);
    expect([...one, ...two, ...(await files.render(Buffer.from('a')))]).toEqual([1, 1, 1]);
    expect([...(await files.render(Buffer.from('b')))]).toEqual([2]);
    expect(spawned).toBe(1);
  });

  it('gives up a file that takes too long, and one that kills its worker', async () => {
    const clock = new FakeClock();
    const bodies = [
      'setInterval(() => {}, 1000)',
      'require("node:worker_threads").parentPort.once("message", () => process.exit(3))',
    ];
    const files = audioFiles({ clock, spawn: () => new Worker(bodies.shift() as string, { eval: true }) });
    const hangs = files.render(Buffer.from('a'));
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(30_000);
    await expect(hangs).rejects.toMatchObject({ code: 'bad-audio' });
    await expect(files.render(Buffer.from('b'))).rejects.toThrow(/ended with code 3/);
  });
});

describe('encodeMp3', () => {
  it.each([1, 2] as const)('encodes a recording of %i channels that is decoded again', async (channels) => {
    const tone = sine(1000, 8000, 40);
    const interleaved = Int16Array.from({ length: tone.length * channels }, (_, at) =>
      at % channels === 0 ? Math.round((tone[Math.floor(at / channels)] as number) * 32_767) : 0,
    );
    const file = join(tempFolder(), 'recording.wav');
    writeFileSync(file, Buffer.concat([wavHeader(channels, 0), Buffer.from(interleaved.buffer)]));
    const encoded = await buffer(encodeMp3(file));
    expect(encoded.length).toBeGreaterThan(40 * 4000 * channels * 0.95);
    expect(encoded.length).toBeLessThan(40 * 4000 * channels * 1.1);
    const samples = await audioFiles().render(encoded);
    expect(samples.length / 8000).toBeGreaterThan(39.5);
    expect(samples.length / 8000).toBeLessThan(40.5);
    for (const second of [1, 20, 38])
      expect(toneLevel(samples.subarray(second * 8000, second * 8000 + 4000), 1000)).toBeGreaterThan(
        0.45 / channels,
      );
  });

  it('fails for what is no recording, and ends when it is not wanted any more', async () => {
    const file = join(tempFolder(), 'text');
    writeFileSync(file, 'no recording');
    await expect(buffer(encodeMp3(file))).rejects.toMatchObject({ code: 'bad-audio' });
    await expect(buffer(encodeMp3(`${file}.none`))).rejects.toMatchObject({ code: 'bad-audio' });
    writeFileSync(file, Buffer.concat([wavHeader(1, 0), Buffer.alloc(4_000_000)]));
    const stream = encodeMp3(file);
    await new Promise((resolve) => stream.once('data', resolve));
    stream.destroy();
    await new Promise((resolve) => stream.once('close', resolve));
  });
});
