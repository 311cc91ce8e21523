import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { seededRandom } from '../lib/random.ts';
import { MIN_DRAIN_MS, PortPool, splitPorts } from './port-pool.ts';

describe('PortPool', () => {
  it('hands out even ports in order and ends', () => {
    const pool = new PortPool({ first: 20_001, last: 20_007 }, new FakeClock());
    expect([pool.take(), pool.take(), pool.take(), pool.take()]).toEqual([20_002, 20_004, 20_006, undefined]);
  });

  it('lets a freed port drain, and moves on meanwhile', () => {
    const clock = new FakeClock();
    const pool = new PortPool({ first: 20_000, last: 20_005 }, clock);
    pool.free(pool.take() as number);
    clock.advance(MIN_DRAIN_MS);
    expect([pool.take(), pool.take(), pool.take()]).toEqual([20_002, 20_004, 20_000]);
  });

  it('takes the port that has drained longest where nothing else is free, but none that was freed just now', () => {
    const clock = new FakeClock();
    const pool = new PortPool({ first: 20_000, last: 20_003 }, clock);
    const [first, second] = [pool.take() as number, pool.take() as number];
    pool.free(second);
    clock.advance(100);
    pool.free(first);
    clock.advance(MIN_DRAIN_MS - 101);
    expect(pool.take()).toBeUndefined();
    clock.advance(1);
    expect(pool.take()).toBe(second);
    expect(pool.take()).toBeUndefined();
    clock.advance(100);
    expect(pool.take()).toBe(first);
  });

  it('never hands out a pair twice, whatever the order they come back in', () => {
    const clock = new FakeClock();
    const pool = new PortPool({ first: 20_000, last: 20_009 }, clock);
    const taken = new Set<number>();
    const random = seededRandom(7);
    for (let turn = 0; turn < 1000; turn++) {
      clock.advance(MIN_DRAIN_MS);
      const port = random.fraction() < 0.6 ? pool.take() : undefined;
      if (port !== undefined) {
        expect(taken).not.toContain(port);
        taken.add(port);
      } else if (taken.size > 0) {
        const back = [...taken][Math.floor(random.fraction() * taken.size)] as number;
        taken.delete(back);
        pool.free(back);
      }
    }
    clock.advance(MIN_DRAIN_MS);
    const left = Array.from({ length: 5 - taken.size }, () => pool.take());
    expect([...left, ...taken].toSorted()).toEqual([20_000, 20_002, 20_004, 20_006, 20_008]);
    expect(pool.take()).toBeUndefined();
  });

  it.each([
    [20_001, 20_001],
    [20_001, 20_002],
    [20_004, 20_000],
    [0, 10],
    [65_000, 65_536],
    [20_000.5, 20_009],
  ])('refuses %i-%i', (first, last) => {
    expect(() => new PortPool({ first, last }, new FakeClock())).toThrow(RangeError);
  });
});

describe('splitPorts', () => {
  it('gives every worker whole pairs of its own', () => {
    expect(splitPorts({ first: 20_001, last: 20_011 }, 2)).toEqual([
      { first: 20_002, last: 20_005 },
      { first: 20_006, last: 20_011 },
    ]);
    expect(splitPorts({ first: 20_000, last: 20_009 }, 1)).toEqual([{ first: 20_000, last: 20_009 }]);
  });
});
