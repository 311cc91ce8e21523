import { describe, expect, it } from 'vitest';
import { Presence } from './presence.ts';

/** Beats of 20 ms; what is asked at each: packets so far, and whether any are expected. */
const asked = (
  limitMs: number,
  beats: readonly (readonly [frame: number, packets: number, held?: 'held'])[],
) => {
  const presence = new Presence(limitMs);
  return beats.filter(([frame, packets, held]) => presence.isLost(frame, packets, held === undefined));
};

describe('a peer of whom nothing comes', () => {
  it('is lost at the limit, once, whether it ever sent or not', () => {
    expect(
      asked(1000, [
        [0, 0],
        [49, 0],
        [50, 0],
        [51, 0],
        [500, 0],
      ]),
    ).toEqual([[50, 0]]);
    expect(
      asked(1000, [
        [0, 9],
        [30, 10],
        [79, 10],
        [80, 10],
      ]),
    ).toEqual([[80, 10]]);
  });

  it('is there again with its next packet, and may be lost again', () => {
    expect(
      asked(1000, [
        [0, 0],
        [50, 0],
        [60, 1],
        [110, 1],
      ]),
    ).toEqual([
      [50, 0],
      [110, 1],
    ]);
  });

  it('is not lost while it is held, and has the whole time afterwards', () => {
    expect(
      asked(1000, [
        [0, 5],
        [60, 5, 'held'],
        [109, 5],
        [110, 5],
      ]),
    ).toEqual([[110, 5]]);
  });

  it('is never lost without a limit', () => {
    expect(
      asked(0, [
        [0, 0],
        [1_000_000, 0],
      ]),
    ).toEqual([]);
  });
});
