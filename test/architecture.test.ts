// Dependencies point left, folders are entered by their index.ts, and ambient state stays in its few places.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../src');

/** From left to right; folders of one rank know nothing of each other. `.` is src itself. */
const RANKS = [
  ['lib'],
  ['settings', 'sip', 'sdp', 'media', 'twiml'],
  ['carrier', 'resources'],
  ['store'],
  ['routing'],
  ['admission'],
  ['registrar'],
  ['calls'],
  ['api'],
  ['.'],
  ['cli'],
];

interface Import {
  readonly from: string;
  readonly to: string;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const production = files.filter((file) => !file.endsWith('.test.ts'));

const layerOf = (file: string): string => (file.includes('/') ? (file.split('/')[0] as string) : '.');
const rankOf = (layer: string): number => RANKS.findIndex((rank) => rank.includes(layer));

const IMPORT =
  /(import type\s[^;]*?|import\s[^;]*?|export\s[^;]*?)from\s*'(\.[^']+)'|import\(\s*'(\.[^']+)'/g;

const importsOf = (file: string): Import[] =>
  [...readFileSync(join(SRC, file), 'utf8').matchAll(IMPORT)].map(([, , named, dynamic]) => ({
    from: file,
    to: relative(SRC, join(SRC, dirname(file), (named ?? dynamic) as string)),
  }));

const crossings = production.flatMap(importsOf).filter(({ from, to }) => layerOf(from) !== layerOf(to));

/** The files on a circle, and those that lead to one: all that is left when files that import none of the others are taken away. */
function filesInCircles(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  let left = [...graph.keys()];
  for (;;) {
    const known = new Set(left);
    const inner = left.filter((file) => graph.get(file)?.some((to) => known.has(to)));
    if (inner.length === left.length) return left;
    left = inner;
  }
}

describe('the house', () => {
  it('has a rank for every folder, and every folder has files', () => {
    const layers = new Set(production.map(layerOf));
    expect([...layers].filter((layer) => rankOf(layer) < 0)).toEqual([]);
    expect(RANKS.flat().filter((layer) => !layers.has(layer))).toEqual([]);
    expect(crossings.length).toBeGreaterThan(20);
  });

  it('has dependencies that point left', () => {
    const wrong = crossings.filter(
      ({ from, to }) => rankOf(layerOf(to)) >= rankOf(layerOf(from)) && from !== 'main.ts',
    );
    expect(wrong).toEqual([]);
  });

  it('has folders that are entered by their index.ts', () => {
    const open = new Set(['lib', '.', 'cli']);
    expect(crossings.filter(({ to }) => !open.has(layerOf(to)) && !to.endsWith('/index.ts'))).toEqual([]);
  });

  it('keeps the folders of the SIP stack in one order: messages know nothing of the rest', () => {
    const order = ['message', 'auth', 'transport', 'transaction', 'dialog'];
    const ranked = production.flatMap(importsOf).flatMap(({ from, to }) => {
      const [here, there] = [from, to].map((file) => /^sip\/(\w+)\//.exec(file)?.[1] ?? '');
      return here && there ? [{ from, to, step: order.indexOf(here) - order.indexOf(there as string) }] : [];
    });
    expect(ranked.length).toBeGreaterThan(50);
    expect(ranked.filter(({ step }) => step < 0)).toEqual([]);
    const messages = production.filter((file) => file.startsWith('sip/message/')).flatMap(importsOf);
    expect(messages.filter(({ to }) => !to.startsWith('sip/message/'))).toEqual([]);
  });

  it.each(RANKS.flat())('has no circle of files in %s, not even of types', (layer) => {
    const graph = new Map(
      production
        .filter((file) => layerOf(file) === layer)
        .map((file) => [file, importsOf(file).map(({ to }) => to)]),
    );
    expect(graph.size).toBeGreaterThan(0);
    expect(filesInCircles(graph)).toEqual([]);
  });

  it.each([
    ['the clock', /\bDate\.now\(|\bsetTimeout\(|\bsetInterval\(|\bperformance\.now\(/],
    ['chance', /\bMath\.random\(|\brandomBytes\(|\brandomUUID\(|\brandomFillSync\(/],
    ['the environment', /\bprocess\.env\b/],
  ])('takes %s from outside', (_name, ambient) => {
    const places = /^(lib\/|main\.ts$|cli\/)|-worker\.ts$|^media\/worker\//;
    const found = production.filter(
      (file) => !places.test(file) && ambient.test(readFileSync(join(SRC, file), 'utf8')),
    );
    expect(found).toEqual([]);
  });

  // V8 takes `x.y = () => …` for a method that lasts as long as the program, and makes it among the old objects. What
  // a call is given in this way keeps all of the call until those are gone through, seconds or minutes later.
  it('assigns no function to a property where calls come and go', () => {
    const assigned =
      /^\s*[\w.[\]#]+\.#?\w+ (\?\?)?=\s+(async )?((\([^()]*\)|\w+)(: [\w<>]+)? =>|function\b)/m;
    expect('this.#release = () => ours.close();').toMatch(assigned);
    const many = /^(sip|calls|media|carrier|routing|registrar)\//;
    const found = production.filter(
      (file) => many.test(file) && assigned.test(readFileSync(join(SRC, file), 'utf8')),
    );
    expect(found).toEqual([]);
  });

  it('has no file longer than 400 lines', () => {
    const long = production.filter((file) => readFileSync(join(SRC, file), 'utf8').split('\n').length > 400);
    expect(long).toEqual([]);
  });
});
