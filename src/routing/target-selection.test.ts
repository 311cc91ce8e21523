import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../lib/random.ts';
import { drawTarget, shareOf, type Target } from './target-selection.ts';

const target = (sid: string, priority: number, weight: number, enabled = true): Target => ({
  sid,
  uri: `sip:${sid}.example.com`,
  priority,
  weight,
  enabled,
});

const drawAll = (targets: readonly Target[], seed: number): string[] => {
  const random = seededRandom(seed);
  const order: string[] = [];
  let rest = targets;
  for (let draw = drawTarget(rest, random); draw; draw = drawTarget(rest, random)) {
    order.push(draw.target.sid ?? '');
    rest = draw.rest;
  }
  return order;
};

const someTargets = fc.array(fc.record({ priority: fc.nat(3), weight: fc.nat(5), enabled: fc.boolean() }), {
  maxLength: 10,
});

describe('drawTarget', () => {
  it('tries every enabled target exactly once, in ascending priority', () => {
    fc.assert(
      fc.property(someTargets, fc.integer(), (specs, seed) => {
        const targets = specs.map((spec, index) =>
          target(String(index), spec.priority, spec.weight, spec.enabled),
        );
        const order = drawAll(targets, seed).map((sid) => targets[Number(sid)] as Target);
        expect(order.map((each) => each.priority)).toEqual(order.map((each) => each.priority).toSorted());
        expect(new Set(order)).toEqual(new Set(targets.filter((each) => each.enabled)));
        expect(order).toHaveLength(targets.filter((each) => each.enabled).length);
      }),
    );
  });

  it('shares a priority by weight', () => {
    const targets = [target('a', 1, 70), target('b', 1, 20), target('c', 1, 10), target('z', 2, 1000)];
    const random = seededRandom(7);
    const hits: Record<string, number> = {};
    for (let i = 0; i < 20_000; i++) {
      const sid = drawTarget(targets, random)?.target.sid ?? '';
      hits[sid] = (hits[sid] ?? 0) + 1;
    }
    expect(hits.z).toBeUndefined();
    expect((hits.a ?? 0) / 20_000).toBeCloseTo(0.7, 1);
    expect((hits.b ?? 0) / 20_000).toBeCloseTo(0.2, 1);
    expect((hits.c ?? 0) / 20_000).toBeCloseTo(0.1, 1);
  });

  it('re-normalises the shares when a member is gone: 60/20/20 becomes 50/50', () => {
    const targets = [target('a', 1, 60), target('b', 1, 20), target('c', 1, 20)];
    const afterA = targets.slice(1);
    expect(afterA.map((each) => shareOf(each, afterA))).toEqual([0.5, 0.5]);
    expect(targets.map((each) => shareOf(each, targets))).toEqual([0.6, 0.2, 0.2]);
  });

  it('leaves members of weight 0 to the end of their group', () => {
    const targets = [target('zero', 1, 0), target('one', 1, 1)];
    for (let seed = 0; seed < 50; seed++) expect(drawAll(targets, seed)).toEqual(['one', 'zero']);
  });

  it('finds nothing where all are disabled', () => {
    expect(drawTarget([target('a', 1, 1, false)], seededRandom(1))).toBeUndefined();
    expect(drawTarget([], seededRandom(1))).toBeUndefined();
  });
});
