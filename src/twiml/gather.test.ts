import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beginGather, type GatherAction, type GatherInput, type GatherStep, stepGather } from './gather.ts';
import type { GatherRules, Prompt } from './verbs.ts';

const PLACE = { line: 1, column: 1 };
const say = (text: string, loop = 1): Prompt => ({
  verb: 'Say',
  text,
  voice: 'man',
  language: 'en-US',
  loop,
  ...PLACE,
});
const PAUSE: Prompt = { verb: 'Pause', durationMs: 2000, ...PLACE };

function gather(prompts: readonly Prompt[], rules: Partial<GatherRules> = {}) {
  const all: GatherRules = { dtmf: true, timeoutMs: 5000, finishOnKey: '#', numDigits: undefined, ...rules };
  return beginGather({ prompts, rules: all });
}

/** Keys, `.` for a prompt that is done and `!` for a timeout. */
const inputOf = (sign: string): GatherInput =>
  sign === '.' ? { type: 'prompt-done' } : sign === '!' ? { type: 'timeout' } : { type: 'key', key: sign };

function word(action: GatherAction): string {
  switch (action.type) {
    case 'prompt':
      return action.prompt.type === 'say' ? action.prompt.text : action.prompt.type;
    case 'wait':
      return `wait ${action.timeoutMs}`;
    case 'collected':
      return `[${action.digits}]${action.finishKey}`;
    case 'none':
      return '-';
  }
}

function run(start: GatherStep, signs: string): string[] {
  const words = [word(start.action)];
  let { state } = start;
  for (const sign of signs) {
    const next = stepGather(state, inputOf(sign));
    state = next.state;
    words.push(word(next.action));
  }
  return words;
}

const W = 'wait 5000';

describe('a Gather', () => {
  it.each<[string, Prompt[], Partial<GatherRules>, string, string[]]>([
    ['times out with nothing', [], {}, '!', [W, '[]']],
    [
      'plays its prompts in order, then waits',
      [say('a'), PAUSE, say('b')],
      {},
      '...!',
      ['a', 'pause', 'b', W, '[]'],
    ],
    ['repeats a prompt', [say('a', 3), say('b')], {}, '....', ['a', 'a', 'a', 'b', W]],
    ['waits anew after every key', [], {}, '12!', [W, W, W, '[12]']],
    ['leaves its prompts at the first key', [say('a', 3), say('b')], {}, '.1!', ['a', 'a', W, '[1]']],
    ['hears no prompt end after a key', [say('a'), say('b')], {}, '1.2!', ['a', W, '-', W, '[12]']],
    ['hears no timeout while it prompts', [say('a')], {}, '!.', ['a', '-', W]],
    ['ends at the finish key, which does not count', [], {}, '12#', [W, W, W, '[12]#']],
    ['ends empty at a lone finish key', [say('a')], {}, '#', ['a', '[]#']],
    ['takes another finish key', [], { finishOnKey: '*' }, '#*', [W, W, '[#]*']],
    ['takes every key where none ends it', [], { finishOnKey: '' }, '#*!', [W, W, W, '[#*]']],
    ['ends at numDigits', [say('a')], { numDigits: 3 }, '12#', ['a', W, W, '[12]#']],
    ['ends at the last of numDigits', [say('a')], { numDigits: 3 }, '123', ['a', W, W, '[123]']],
    ['ends at numDigits before the finish key', [], { numDigits: 1 }, '#', [W, '[]#']],
    ['takes A to D', [], {}, 'AD!', [W, W, W, '[AD]']],
    ['ignores what comes too late', [], { numDigits: 1 }, '12!.', [W, '[1]', '-', '-', '-']],
    [
      'takes no keys where only speech was asked for',
      [say('a')],
      { dtmf: false },
      '1#.2!',
      ['a', '-', '-', W, '-', '[]'],
    ],
    ['waits as long as it is told', [], { timeoutMs: 1000 }, '1', ['wait 1000', 'wait 1000']],
  ])('%s', (_name, ...[prompts, rules, signs, words]) => {
    expect(run(gather(prompts, rules), signs)).toEqual(words);
  });

  it('ends after a thousand keys', () => {
    expect(run(gather([]), '1'.repeat(1001)).slice(-2)).toEqual([`[${'1'.repeat(1000)}]`, '-']);
  });

  it('collects once, and never more than was pressed', () => {
    const signs = fc.string({ unit: fc.constantFrom(...'0123456789*#.!'), maxLength: 30 });
    const rules = fc.record({
      finishOnKey: fc.constantFrom('#', '*', '1', ''),
      numDigits: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(signs, rules, fc.nat(3), (pressed, { finishOnKey, numDigits }, prompts) => {
        const words = run(
          gather(
            Array.from({ length: prompts }, () => say('p')),
            { finishOnKey, numDigits },
          ),
          pressed,
        );
        const ends = words.filter((text) => text.startsWith('['));
        expect(ends.length).toBeLessThanOrEqual(1);
        const digits = /^\[(.*)\]/.exec(ends[0] ?? '[]')?.[1] ?? '';
        expect(digits.length).toBeLessThanOrEqual(numDigits ?? 30);
        if (finishOnKey) expect(digits).not.toContain(finishOnKey);
        expect(pressed.replace(/[.!]/g, '').startsWith(digits)).toBe(true);
      }),
    );
  });
});
