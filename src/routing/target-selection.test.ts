import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../lib/random.ts';
import { HEALTH_STATES } from './target-health.ts';
import { type Draw, drawTarget, firstGroup, isDemoted, shareOf, type Target } from './target-selection.ts';

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

const someTargets = fc
  .array(
    fc.record({
      priority: fc.nat(3),
      weight: fc.nat(5),
      enabled: fc.boolean(),
      state: fc.constantFrom(...HEALTH_STATES, undefined),
    }),
    { maxLength: 10 },
  )
  .map((specs) =>
    specs.map(
      ({ state, ...spec }, index): Target => ({
        ...target(String(index), spec.priority, spec.weight, spec.enabled),
        ...(state && { health: { state, why: 'a test' } }),
      }),
    ),
  );

/** What is drawn one after the other, with what the draw says of itself. */
function draws(targets: readonly Target[], seed: number): readonly Draw[] {
  const random = seededRandom(seed);
  const found: Draw[] = [];
  for (let draw = drawTarget(targets, random); draw; draw = drawTarget(draw.rest, random)) found.push(draw);
  return found;
}

describe('drawTarget', () => {
  it('tries every enabled target exactly once: who is down last, and in ascending priority otherwise', () => {
    fc.assert(
      fc.property(someTargets, fc.integer(), (targets, seed) => {
        const order = draws(targets, seed).map((draw) => draw.target);
        const rank = (each: Target) => (isDemoted(each) ? 10 : 0) + each.priority;
        expect(order.map(rank)).toEqual(order.map(rank).toSorted((one, other) => one - other));
        expect(new Set(order)).toEqual(new Set(targets.filter((each) => each.enabled)));
        expect(order).toHaveLength(targets.filter((each) => each.enabled).length);
      }),
    );
  });

  it('draws from shares that add up to 1, re-normalised over who is left', () => {
    fc.assert(
      fc.property(someTargets, fc.integer(), (targets, seed) => {
        let left: readonly Target[] = targets;
        for (const { target: drawn, share, among, rest } of draws(targets, seed)) {
          const group = firstGroup(left);
          const shares = group.map((each) => shareOf(each, left));
          expect(shares.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 9);
          expect(group).toContain(drawn);
          expect([share, among]).toEqual([shareOf(drawn, left), group.length]);
          expect(rest).toEqual(left.filter((each) => each !== drawn));
          left = rest;
        }
      }),
    );
  });

  it('draws the same for the same seed, and the usual order where all are down', () => {
    fc.assert(
      fc.property(someTargets, fc.integer(), (targets, seed) => {
        const down = { health: { state: 'down', why: 'a test' } } as const;
        const plain = targets.map(({ sid, priority, weight, enabled }) =>
          target(String(sid), priority, weight, enabled),
        );
        const sids = (list: readonly Target[]) => draws(list, seed).map((draw) => draw.target.sid);
        expect(sids(targets)).toEqual(sids(targets));
        expect(sids(plain.map((each) => ({ ...each, ...down })))).toEqual(sids(plain));
      }),
    );
  });

  it('keeps the shares of who is left when one is down: 70, 20 and 10 become 2/3 and 1/3', () => {
    const targets: Target[] = [
      { ...target('a', 1, 70), health: { state: 'down', why: 'a test' } },
      target('b', 1, 20),
      target('c', 1, 10),
    ];
    const random = seededRandom(3);
    const hits: Record<string, number> = { a: 0, b: 0, c: 0 };
    for (let i = 0; i < 30_000; i++) {
      const sid = drawTarget(targets, random)?.target.sid ?? '';
      hits[sid] = (hits[sid] ?? 0) + 1;
    }
    expect(hits.a).toBe(0);
    // Four standard deviations.
    expect(Math.abs((hits.b ?? 0) - 20_000)).toBeLessThan(4 * Math.sqrt(30_000 * (2 / 3) * (1 / 3)));
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
