import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { ownCopy } from './own-copy.ts';

it('is the same text', () => {
  for (const text of ['', 'a', 'Grüße', '\u00ff\u0000', '😀']) expect(ownCopy(text)).toBe(text);
});

it('does not keep what it was cut from', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = (keep: (slice: string) => string): number => {
    collect();
    const before = process.memoryUsage().heapUsed;
    const kept = Array.from({ length: 400 }, (_, index) =>
      keep(Buffer.alloc(100_000, String(index)).toString('latin1').slice(100, 150)),
    );
    collect();
    const after = process.memoryUsage().heapUsed;
    expect(kept).toHaveLength(400);
    return (after - before) / 1e6;
  };
  // 40 MB of text: held by slices, and not by copies.
  expect(held((slice) => slice)).toBeGreaterThan(20);
  expect(held(ownCopy)).toBeLessThan(10);
});
