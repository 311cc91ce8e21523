import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { DRAIN_MS, MIN_DRAIN_MS, PortPool, splitPorts } from './port-pool.ts';

describe('PortPool', () => {
  it('hands out even ports in order and ends', () => {
    const pool = new PortPool({ first: 20_001, last: 20_007 }, new FakeClock());
    expect([pool.take(), pool.take(), pool.take(), pool.take()]).toEqual([20_002, 20_004, 20_006, undefined]);
  });

  it('lets a freed port drain, and moves on meanwhile', () => {
    const clock = new FakeClock();
    const pool = new PortPool({ first: 20_000, last: 20_005 }, clock);
    pool.free(pool.take() as number);
    expect(pool.take()).toBe(20_002);
    clock.advance(DRAIN_MS - 1);
    expect(pool.take()).toBe(20_004);
    clock.advance(1);
    expect(pool.take()).toBe(20_000);
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

  it('starts again at the first port only after the last', () => {
    const clock = new FakeClock();
    const pool = new PortPool({ first: 20_000, last: 20_005 }, clock);
    pool.free(pool.take() as number);
    clock.advance(DRAIN_MS);
    expect([pool.take(), pool.take(), pool.take()]).toEqual([20_002, 20_004, 20_000]);
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
