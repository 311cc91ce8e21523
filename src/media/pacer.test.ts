import { describe, expect, it } from 'vitest';
import { Pacer } from './pacer.ts';

describe('Pacer', () => {
  it('is due every 20 ms after the start', () => {
    const pacer = new Pacer(1000);
    expect(pacer.delayMs(1000)).toBe(20);
    expect(pacer.due(1019.9)).toEqual({ first: 1, end: 1 });
    expect(pacer.due(1020)).toEqual({ first: 1, end: 2 });
    expect(pacer.delayMs(1025)).toBe(15);
  });

  it('adds no late timers up: an hour of timers that are 1.3 ms late has an hour of frames', () => {
    const pacer = new Pacer(0);
    let nowMs = 0;
    let frames = 0;
    while (nowMs < 3_600_000) {
      nowMs += pacer.delayMs(nowMs) + 1.3;
      const { first, end } = pacer.due(nowMs);
      frames += end - first;
    }
    expect(frames).toBe(180_000);
  });

  it('catches up after a short stall', () => {
    const pacer = new Pacer(0);
    expect(pacer.due(65)).toEqual({ first: 1, end: 4 });
    expect(pacer.due(80)).toEqual({ first: 4, end: 5 });
  });

  it('sends at most five frames after a long stall, with their own numbers', () => {
    const pacer = new Pacer(0);
    expect(pacer.due(10_000)).toEqual({ first: 496, end: 501 });
    expect(pacer.delayMs(10_000)).toBe(20);
  });
});
