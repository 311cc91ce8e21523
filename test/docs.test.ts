// The pages that show a table or the README's commands are held against the code.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BEHAVIOURS } from '../src/carrier/index.ts';

const ROOT = resolve(import.meta.dirname, '..');
const page = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

describe('the docs', () => {
  it('list what the built-in carrier does', () => {
    const rows = [...page('docs/carrier.md').matchAll(/^\| (\S[^|]*?) \| `([^`]+)` \| (.*?) \|$/gm)];
    expect(rows.map(([, ending, name, does]) => ({ ending, name, does }))).toEqual(
      BEHAVIOURS.map(({ ending, name, does }) => ({ ending: ending || 'anything else', name, does })),
    );
  });

  it('say with which codes the door refuses', () => {
    const rows = [...page('docs/domains.md').matchAll(/^\|.*\|$/gm)].map(([row]) => row).join('\n');
    const codes = (text: string, pattern: RegExp) =>
      [...new Set([...text.matchAll(pattern)].map(([code]) => code.replace('_', '')))].toSorted();
    const code = ['admission', 'registrar']
      .flatMap((folder) => readdirSync(join(ROOT, 'src', folder)).map((file) => `src/${folder}/${file}`))
      .filter((file) => !file.endsWith('.test.ts'))
      .map(page)
      .join('\n');
    expect(codes(rows, /\b(?:32\d{3}|1000[1-9])\b/g)).toEqual(codes(code, /\b(?:32_\d{3}|10_00[1-9])\b/g));
  });

  it('name only npm scripts that exist, and pages that exist', () => {
    const readme = page('README.md');
    const { scripts } = JSON.parse(page('package.json')) as { scripts: Record<string, string> };
    const named = [...readme.matchAll(/npm (?:run )?([a-z]+)/g)].map(([, name = '']) => name);
    const builtIn = new Set(['ci', 'install', 'scripts', 'will']);
    expect(named.filter((name) => !builtIn.has(name) && !(name in scripts))).toEqual([]);
    expect(named.length).toBeGreaterThan(8);
    for (const [, path = ''] of readme.matchAll(/\]\(([^)#]+)\)/g))
      expect(page(path).length).toBeGreaterThan(0);
  });
});
