import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { type Log, silentLog } from '../lib/log.ts';
import { seededRandom } from '../lib/random.ts';
import { PromptCache } from './prompt-cache.ts';
import { Speech } from './speech.ts';
import { SpeechSynthesis } from './speech-synthesis.ts';
import type { SpeechRequest } from './speech-worker.ts';
import { voiceFor } from './voice.ts';

const cache = (options = {}) => new PromptCache({ log: silentLog, random: seededRandom(1), ...options });
const request: SpeechRequest = { text: 'one two', voice: 'kal' };

describe('voiceFor', () => {
  it.each([
    [undefined, 'kal'],
    ['', 'kal'],
    ['man', 'kal'],
    ['Man', 'kal'],
    ['woman', 'slt'],
    ['alice', 'slt'],
    ['Polly.Matthew', 'slt'],
  ])('%s is %s', (name, voice) => {
    expect(voiceFor(name)).toBe(voice);
  });
});

describe('Speech', () => {
  const spoken: SpeechRequest[] = [];
  const synthesis = {
    async speak(asked: SpeechRequest): Promise<Int16Array> {
      spoken.push(asked);
      if (asked.text === 'bad') throw new Error('bad');
      return new Int16Array(asked.text.length);
    },
  };
  afterEach(() => spoken.splice(0));

  it('speaks a text once, whoever asks and how often', async () => {
    const speech = new Speech(synthesis, cache());
    const [a, b] = await Promise.all([speech.render('hello'), speech.render(' hello\n')]);
    expect(a).toBe(b);
    expect(await speech.render('hello', 'man')).toBe(a);
    await speech.render('hello', 'woman');
    expect(spoken).toEqual([
      { text: 'hello', voice: 'kal' },
      { text: 'hello', voice: 'slt' },
    ]);
  });

  it('says nothing for nothing, and takes control characters for spaces', async () => {
    const speech = new Speech(synthesis, cache());
    expect(await speech.render(' \n\t\0 ')).toHaveLength(0);
    await speech.render('a\0b\u001b[31m');
    expect(spoken).toEqual([{ text: 'a b [31m', voice: 'kal' }]);
  });

  it('asks again after a failure', async () => {
    const speech = new Speech(synthesis, cache());
    await expect(speech.render('bad')).rejects.toThrow('bad');
    await expect(speech.render('bad')).rejects.toThrow('bad');
    expect(spoken).toHaveLength(2);
  });

  it('bounds the text', async () => {
    const speech = new Speech(synthesis, cache());
    await expect(speech.render('a'.repeat(4097))).rejects.toMatchObject({ code: 'speech-failed' });
    expect(await speech.render('a'.repeat(4096))).toHaveLength(4096);
  });
});

describe('PromptCache', () => {
  it('forgets what was unused longest when memory is full', async () => {
    const prompts = cache({ maxBytes: 20 });
    for (const key of ['a', 'b']) await prompts.put(key, new Int16Array(5));
    await prompts.get('a');
    await prompts.put('c', new Int16Array(5));
    expect(await prompts.get('b')).toBeUndefined();
    expect(await prompts.get('a')).toHaveLength(5);
    await prompts.put('huge', new Int16Array(11));
    expect(await prompts.get('huge')).toBeUndefined();
  });

  it('survives in its folder, without unfinished files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tandem-test-'));
    await cache({ folder: join(folder, 'prompts') }).put('a', Int16Array.of(1, -2, 32_767));
    expect(await readdir(join(folder, 'prompts'))).toEqual(['a.s16']);
    expect(await cache({ folder: join(folder, 'prompts') }).get('a')).toEqual(Int16Array.of(1, -2, 32_767));
    await rm(folder, { recursive: true });
  });

  it('does without a folder that cannot be written', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tandem-test-'));
    const file = join(folder, 'file');
    await writeFile(file, '');
    const warnings: string[] = [];
    const log: Log = { ...silentLog, warn: (_, message) => warnings.push(message) };
    const prompts = cache({ folder: file, log });
    await prompts.put('a', new Int16Array(3));
    expect(await prompts.get('a')).toHaveLength(3);
    expect(warnings).toEqual(['a rendered prompt could not be kept']);
    await rm(folder, { recursive: true });
  });
});

describe('SpeechSynthesis', () => {
  const workers: Worker[] = [];
  /** A worker of our own: `reply` is JavaScript run for every request. */
  const spawning = (reply: string) => () => {
    const script = `const { parentPort } = require('node:worker_threads'); let n = 0;
      parentPort.on('message', (request) => { n++; ${reply} });`;
    const worker = new Worker(script, { eval: true });
    workers.push(worker);
    return worker;
  };
  const COUNT = 'parentPort.postMessage({ samples: new Int16Array(n) })';
  afterEach(() => workers.splice(0));

  it('speaks with flite at 8 kHz in every voice, and the longer the text the longer', async () => {
    const synthesis = new SpeechSynthesis();
    for (const voice of ['kal', 'slt'] as const) {
      const short = await synthesis.speak({ text: 'one two three', voice });
      const long = await synthesis.speak({ text: 'one two three four five six seven eight', voice });
      expect(short.length).toBeGreaterThan(6000);
      expect(short.length).toBeLessThan(16_000);
      expect(long.length).toBeGreaterThan(short.length * 1.8);
      expect(Math.max(...short)).toBeGreaterThan(3000);
      expect(short.buffer).toBeInstanceOf(SharedArrayBuffer);
    }
    await synthesis.close();
  });

  it('recycles its worker', async () => {
    const synthesis = new SpeechSynthesis({ spawn: spawning(COUNT) });
    const lengths = [];
    for (let at = 0; at < 21; at++) lengths.push((await synthesis.speak(request)).length);
    expect(lengths.slice(18)).toEqual([19, 20, 1]);
    expect(workers).toHaveLength(2);
    await synthesis.close();
  });

  it('gives up on a text after twenty seconds, and speaks the next with another worker', async () => {
    const clock = new FakeClock();
    const synthesis = new SpeechSynthesis({
      clock,
      spawn: spawning(`if (request.text !== 'stuck') ${COUNT}`),
    });
    const stuck = synthesis.speak({ ...request, text: 'stuck' });
    const next = synthesis.speak(request);
    await vi.waitFor(() => expect(clock.pending).toBe(1));
    clock.advance(20_000);
    await expect(stuck).rejects.toMatchObject({ code: 'speech-failed' });
    expect(await next).toHaveLength(1);
    expect(workers).toHaveLength(2);
    expect(clock.pending).toBe(0);
    await synthesis.close();
  });

  it.each([
    ['an error', 'throw new Error("no")'],
    ['an exit', 'process.exit(3)'],
    ['its word', 'parentPort.postMessage({ error: "no" })'],
  ])('says so when the worker fails by %s', async (_, reply) => {
    const synthesis = new SpeechSynthesis({ spawn: spawning(reply) });
    await expect(synthesis.speak(request)).rejects.toMatchObject({ code: 'speech-failed' });
    await synthesis.close();
  });

  it('lets no more than a hundred texts wait', async () => {
    const synthesis = new SpeechSynthesis({ spawn: spawning(COUNT) });
    const waiting = Array.from({ length: 100 }, () => synthesis.speak(request));
    await expect(synthesis.speak(request)).rejects.toThrow('too many');
    await Promise.all(waiting);
    expect(await synthesis.speak(request)).toBeInstanceOf(Int16Array);
    await synthesis.close();
  });

  it('ends what waits when it is closed', async () => {
    const synthesis = new SpeechSynthesis({ spawn: spawning('') });
    const waiting = [synthesis.speak(request), synthesis.speak(request)];
    const outcomes = Promise.allSettled(waiting);
    await vi.waitFor(() => expect(workers).toHaveLength(1));
    await synthesis.close();
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(workers).toHaveLength(1);
  });
});
