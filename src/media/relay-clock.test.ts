import { describe, expect, it } from 'vitest';
import { RelayClock } from './relay-clock.ts';

describe('a relayed stream', () => {
  it('keeps its steps, from where our beat is, and begins anew with another source or after a jump', () => {
    const clock = new RelayClock();
    const packet = (timestamp: number, ssrc = 1) => ({ ssrc, timestamp });
    expect([clock.map(packet(5000), 160, false), clock.restarted]).toEqual([160, true]);
    expect([clock.map(packet(5160), 330, false), clock.restarted]).toEqual([320, false]);
    expect([clock.map(packet(9, 2), 480, false), clock.restarted]).toEqual([480, true]);
    expect([clock.map(packet(90_000, 2), 640, false), clock.restarted]).toEqual([640, true]);
    clock.reset();
    expect([clock.map(packet(90_160, 2), 1000, false), clock.restarted]).toEqual([1000, true]);
  });

  it('keeps the timestamp of a key that is held while other sound fills a gap', () => {
    const clock = new RelayClock();
    const key = { ssrc: 1, timestamp: 7000 };
    expect(clock.map(key, 160, true)).toBe(160);
    clock.reset();
    expect([clock.map(key, 2000, true), clock.restarted]).toEqual([160, false]);
    expect([clock.map({ ssrc: 1, timestamp: 8760 }, 2160, false), clock.restarted]).toEqual([2160, true]);
    expect(clock.map({ ssrc: 1, timestamp: 9000 }, 2400, true)).toBe(2400);
  });
});
