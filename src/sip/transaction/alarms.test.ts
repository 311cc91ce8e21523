import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { Alarms } from './alarms.ts';
import type { TimerName } from './machine.ts';

let clock: FakeClock;
let alarms: Alarms;
let rung: string[];
let caught: unknown[];

beforeEach(() => {
  clock = new FakeClock(1000);
  rung = [];
  caught = [];
  alarms = new Alarms(clock, (task) => {
    try {
      task();
    } catch (error) {
      caught.push(error);
    }
  });
});

const listener = { rang: (timer: TimerName) => void rung.push(`${timer} ${clock.monotonic() - 1000}`) };
const set = (delayMs: number, name: TimerName) => alarms.set(delayMs, name, listener);

describe('alarms', () => {
  it('ring when they are due, of one delay in the order in which they were set', () => {
    set(500, 'A');
    set(32_000, 'B');
    clock.advance(200);
    set(500, 'E');
    set(500, 'G');
    clock.advance(40_000);
    expect(rung).toEqual(['A 500', 'E 700', 'G 700', 'B 32000']);
    expect(clock.pending).toBe(0);
  });

  it('ring together where they waited long: the first exactly, the next a thousandth of the delay late at most', () => {
    for (let count = 0; count < 70; count++) {
      set(32_000, 'B');
      clock.advance(1);
    }
    clock.advance(40_000);
    const at = rung.map((ring) => Number(ring.slice(2)));
    expect([...new Set(at)]).toEqual([32_000, 32_032, 32_064, 32_096]);
    expect(at.every((ms, count) => ms >= 32_000 + count && ms <= 32_032 + count)).toBe(true);
  });

  it('take one timer of the clock for a delay, and let it be when they are stopped', () => {
    const some = [set(500, 'A'), set(500, 'B'), set(500, 'D')];
    expect(clock.pending).toBe(1);
    set(100, 'E');
    expect(alarms.counts()).toEqual({ waiting: 4, clockTimers: 2 });
    clock.advance(100);
    expect(alarms.counts()).toEqual({ waiting: 3, clockTimers: 1 });
    for (const alarm of some) alarms.stop(alarm);
    expect(alarms.counts()).toEqual({ waiting: 0, clockTimers: 1 });
    rung = [];
    set(500, 'A');
    expect(clock.pending).toBe(1);
    clock.advance(500);
    expect(rung).toEqual(['A 600']);
    expect(clock.pending).toBe(0);
  });

  it('ring no more once they are closed, and leave the clock nothing', () => {
    set(500, 'A');
    alarms.stop(set(100, 'E'));
    alarms.close();
    expect(clock.pending).toBe(0);
    clock.advance(1000);
    expect(rung).toEqual([]);
  });

  it.each([0, 1, 2])('are stopped wherever they stand: %i', (which) => {
    const three = (['A', 'B', 'D'] as const).map((name) => {
      clock.advance(10);
      return set(500, name);
    });
    const stopped = three[which];
    if (stopped) alarms.stop(stopped);
    if (stopped) alarms.stop(stopped);
    clock.advance(1000);
    expect(rung).toEqual(['A 510', 'B 520', 'D 530'].filter((_, at) => at !== which));
    expect(clock.pending).toBe(0);
  });

  it('may be set and stopped by one that rings', () => {
    const other = set(500, 'B');
    const first = alarms.set(500, 'A', {
      rang: () => {
        alarms.stop(other);
        alarms.stop(first);
        set(500, 'E');
      },
    });
    alarms.stop(other);
    const later = set(500, 'D');
    clock.advance(0);
    alarms.stop(later);
    clock.advance(2000);
    expect(rung).toEqual(['E 1000']);
    expect(clock.pending).toBe(0);
  });

  it('ring for the others when one of them throws', () => {
    alarms.set(500, 'A', {
      rang: () => {
        throw new Error('a handler');
      },
    });
    set(500, 'B');
    clock.advance(500);
    expect(rung).toEqual(['B 500']);
    expect(caught).toHaveLength(1);
  });

  it('ring although the clock reads a little less than it promised', () => {
    const hasty = new Alarms(
      { ...methodsOf(clock), after: (ms, task) => clock.after(ms - 0.4, task) },
      (task) => task(),
    );
    hasty.set(500, 'A', listener);
    clock.advance(499.6);
    expect(rung).toHaveLength(1);
  });
});

const methodsOf = (of: FakeClock) => ({
  now: () => of.now(),
  monotonic: () => of.monotonic(),
  cancel: (timer: object | undefined) => of.cancel(timer),
});
