import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { Strangers } from './strangers.ts';

let clock: FakeClock;
let strangers: Strangers;
beforeEach(() => {
  clock = new FakeClock();
  strangers = new Strangers(clock, {
    perSecond: 10,
    burst: 20,
    failureCost: 5,
    freeFailures: 3,
    remembered: 100,
  });
});

const answers = (address: string, times: number): number =>
  Array.from({ length: times }, () => strangers.mayAnswer(address)).filter(Boolean).length;

describe('a budget', () => {
  it('is a burst, then so many a second, of each source by itself', () => {
    expect(answers('192.0.2.1', 100)).toBe(20);
    expect(answers('192.0.2.2', 1)).toBe(1);
    clock.advance(1000);
    expect(answers('192.0.2.1', 100)).toBe(10);
    clock.advance(3_600_000);
    expect(answers('192.0.2.1', 100)).toBe(20);
  });

  it('is one for a whole IPv6 /64', () => {
    const spread = Array.from({ length: 100 }, (_, index) => `2001:db8:1:2::${index.toString(16)}`);
    expect(spread.filter((address) => strangers.mayAnswer(address))).toHaveLength(20);
    expect(strangers.mayAnswer('2001:db8:1:3::1')).toBe(true);
  });

  it('is not touched by challenges that are answered rightly', () => {
    for (let call = 0; call < 1000; call++) {
      expect(strangers.mayAnswer('192.0.2.1')).toBe(true);
      strangers.proved('192.0.2.1', 'alice');
    }
    expect(answers('192.0.2.1', 100)).toBe(20);
  });

  it('is spent sooner by wrong passwords', () => {
    const heard = Array.from({ length: 100 }, (_, index) => {
      const isHeard = strangers.mayAnswer('192.0.2.1');
      strangers.failed('192.0.2.1', `user-${index}`);
      return isHeard;
    });
    expect(heard.filter(Boolean)).toHaveLength(4);
  });

  it('is remembered of a bounded number of sources, the latest ones', () => {
    answers('192.0.2.1', 20);
    for (let index = 0; index < 99; index++) strangers.mayAnswer(`198.51.100.${index}`);
    expect(strangers.mayAnswer('192.0.2.1')).toBe(false);
    strangers.mayAnswer('203.0.113.1');
    expect(strangers.size).toBe(100);
    expect(strangers.mayAnswer('192.0.2.1')).toBe(true);
  });
});

describe('wrong passwords', () => {
  const fail = (times: number, address = '192.0.2.1', user = 'alice') => {
    for (let index = 0; index < times; index++) strangers.failed(address, user);
  };

  it('are free for a few times, then make the user wait twice as long each time, a minute at most', () => {
    fail(2);
    expect(strangers.mayTry('192.0.2.1', 'alice')).toBe(true);
    for (const waitMs of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
      fail(1);
      clock.advance(waitMs - 1);
      expect(strangers.mayTry('192.0.2.1', 'alice')).toBe(false);
      clock.advance(1);
      expect(strangers.mayTry('192.0.2.1', 'alice')).toBe(true);
    }
  });

  it('lock out neither the user elsewhere nor others at the same source', () => {
    fail(10);
    expect(strangers.mayTry('192.0.2.1', 'alice')).toBe(false);
    expect(strangers.mayTry('192.0.2.2', 'alice')).toBe(true);
    expect(strangers.mayTry('192.0.2.1', 'bob')).toBe(true);
  });

  it('are forgotten when the right one comes', () => {
    fail(2);
    strangers.proved('192.0.2.1', 'alice');
    fail(2);
    expect(strangers.mayTry('192.0.2.1', 'alice')).toBe(true);
  });

  it('of names longer than anybody has are remembered as one', () => {
    const names = Array.from({ length: 10 }, (_, index) => `${'x'.repeat(60_000)}${index}`);
    for (const name of names) strangers.failed('192.0.2.1', name);
    expect(strangers.size).toBe(2);
  });
});
