import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { silentLog } from '../../lib/log.ts';
import { CallerNames, type NameSource, namesByHttp } from './caller-name.ts';
import { namesInFile, parseLine } from './caller-name-file.ts';

const ALICE = '+14155550100';

let clock: FakeClock;
beforeEach(() => {
  clock = new FakeClock();
});

/** A source that answers when told to, and keeps what it was asked. */
function held() {
  const asked: string[] = [];
  const answers: PromiseWithResolvers<string | undefined>[] = [];
  const source: NameSource = (number) => {
    asked.push(number);
    const answer = Promise.withResolvers<string | undefined>();
    answers.push(answer);
    return answer.promise;
  };
  return { source, asked, answers };
}

describe('a name', () => {
  it('is asked for once, whoever asks meanwhile, and remembered for as long as it is good', async () => {
    const { source, asked, answers } = held();
    const names = new CallerNames(source, clock, { rememberedMs: 60_000 });
    const both = Promise.all([names.callerName(ALICE), names.callerName(ALICE)]);
    answers[0]?.resolve('Alice');
    expect(await both).toEqual(['Alice', 'Alice']);
    clock.advance(59_999);
    expect(await names.callerName(ALICE)).toBe('Alice');
    expect(asked).toEqual([ALICE]);
    clock.advance(1);
    const again = names.callerName(ALICE);
    answers[1]?.resolve('Alice B.');
    expect(await again).toBe('Alice B.');
    expect(clock.pending).toBe(0);
  });

  it('that there is none is remembered too', async () => {
    const { source, asked, answers } = held();
    const names = new CallerNames(source, clock);
    const first = names.callerName(ALICE);
    answers[0]?.resolve(undefined);
    expect([await first, await names.callerName(ALICE), asked.length]).toEqual([undefined, undefined, 1]);
  });

  it('that comes too late is there for the next call', async () => {
    const { source, asked, answers } = held();
    const names = new CallerNames(source, clock, { patienceMs: 1000 });
    const late = names.callerName(ALICE);
    clock.advance(1000);
    expect(await late).toBeUndefined();
    // The source is not asked a second time while it thinks.
    const second = names.callerName(ALICE);
    answers[0]?.resolve('Alice');
    expect([await second, await names.callerName(ALICE), asked.length]).toEqual(['Alice', 'Alice', 1]);
  });

  it('that could not be had is asked for again, but not at once', async () => {
    const { source, asked, answers } = held();
    const names = new CallerNames(source, clock, { failedMs: 30_000 });
    const failed = names.callerName(ALICE);
    answers[0]?.reject(new Error('down'));
    expect(await failed).toBeUndefined();
    clock.advance(29_999);
    expect([await names.callerName(ALICE), asked.length]).toEqual([undefined, 1]);
    clock.advance(1);
    void names.callerName(ALICE);
    expect(asked.length).toBe(2);
  });

  it('is one line of 64 characters at most, or none', async () => {
    const said = ['  Alice\r\nX-Evil: 1 \0', 'x'.repeat(100_000), ' \t\n'];
    const names = new CallerNames(async () => said.shift(), clock);
    const heard = [await names.callerName('+1'), await names.callerName('+2'), await names.callerName('+3')];
    expect(heard).toEqual(['Alice X-Evil: 1', 'x'.repeat(64), undefined]);
  });
});

it('of bounded many numbers is remembered, and of bounded many asked at once', async () => {
  const { source, answers } = held();
  const names = new CallerNames(source, clock, { remembered: 10, underWay: 5 });
  const asked = Array.from({ length: 8 }, (_, index) => names.callerName(`+${index}`));
  expect(answers).toHaveLength(5);
  expect(await Promise.all(asked.slice(5))).toEqual([undefined, undefined, undefined]);
  for (const { resolve } of answers) resolve('Somebody');
  await Promise.all(asked);
  await turn();
  expect(names.size).toBe(5);
  for (let index = 0; index < 50; index++) {
    const name = names.callerName(`+9${index}`);
    answers.at(-1)?.resolve('Somebody');
    await name;
    await turn();
  }
  expect(names.size).toBe(10);
});

describe('a web service', () => {
  const asked: string[] = [];
  const answering = (contentType: string, body: string) =>
    namesByHttp(async (parameters) => {
      asked.push(parameters);
      return { kind: 'answer', status: 200, contentType, body: Buffer.from(body) };
    });

  it('is asked with the number, and answers with text or JSON', async () => {
    expect(await answering('text/plain', 'Älice')(ALICE)).toBe('Älice');
    expect(asked).toEqual(['Number=%2B14155550100']);
    expect(await answering('application/json; charset=utf-8', '{"caller_name":"Bob"}')(ALICE)).toBe('Bob');
    expect(await answering('application/json', '{"caller_name":null}')(ALICE)).toBeUndefined();
  });

  it('that fails, or answers with what is no answer, is as good as none', async () => {
    const names = new CallerNames(answering('application/json', 'null'), clock);
    expect(await names.callerName(ALICE)).toBeUndefined();
    const failing = namesByHttp(async () => ({ kind: 'failure', code: 11_200, message: 'it answered 500' }));
    await expect(failing(ALICE)).rejects.toThrow('it answered 500');
    expect(await new CallerNames(failing, clock).callerName(ALICE)).toBeUndefined();
  });
});

describe('a file', () => {
  const logged: string[] = [];
  const log = { ...silentLog, warn: (fields: { err?: string }) => void logged.push(String(fields.err)) };

  function file() {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-names-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'names.csv');
    let writes = 0;
    return {
      path,
      write(text: string) {
        writeFileSync(path, text);
        // Two writes within the clock's grain are two versions all the same.
        utimesSync(path, 1_700_000_000, 1_700_000_000 + ++writes);
      },
    };
  }

  /** Asks until the file has been read again. */
  const comesToSay = async (names: NameSource, name: string) => {
    clock.advance(1000);
    await expect.poll(() => names(ALICE)).toBe(name);
  };

  it('is read at the first question, and again when it has changed', async () => {
    const { path, write } = file();
    write(`${ALICE},Alice\n`);
    const names = namesInFile(path, { clock, log });
    expect(await Promise.all([names(ALICE), names(ALICE)])).toEqual(['Alice', 'Alice']);
    write(`${ALICE},Bobby\n`);
    expect(await names(ALICE)).toBe('Alice');
    await comesToSay(names, 'Bobby');
  });

  it('that is gone or too large leaves the names as they were, and is told of once', async () => {
    const { path, write } = file();
    const names = namesInFile(path, { clock, log }, { maxBytes: 40 });
    expect(await names(ALICE)).toBeUndefined();
    clock.advance(1000);
    await names(ALICE);
    write(`${ALICE},Alice\n`);
    await comesToSay(names, 'Alice');
    write(`${ALICE},Bob\n`.repeat(3));
    clock.advance(1000);
    expect(await names(ALICE)).toBe('Alice');
    await expect
      .poll(() => logged)
      .toEqual([expect.stringContaining('ENOENT'), expect.stringContaining('larger than 40 bytes')]);
    expect(await names(ALICE)).toBe('Alice');
  });

  it.each([
    ['\ufeff+1,Plain Name\r', ['+1', 'Plain Name']],
    ['"+2" , "Smith, ""Jo"""', ['+2', 'Smith, "Jo"']],
    ['+3,', ['+3', '']],
    ['', undefined],
    ['# a comment', undefined],
    ['number,name', 'bad'],
    ['4155550100,Nobody', 'bad'],
    ['+1,"open', 'bad'],
    [`+1,${'x'.repeat(500)}`, 'bad'],
  ])('holds the line %j', (line, expected) => {
    expect(parseLine(line)).toEqual(expected);
  });
});
