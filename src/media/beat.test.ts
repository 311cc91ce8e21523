import { describe, expect, it } from 'vitest';
import { Beat, type Beating } from './beat.ts';

/** Sessions that keep the frames they were called in; `then` is done in each. */
function stage() {
  const beat = new Beat();
  const called: number[] = [];
  const one: Beating = {
    tick: (frame) => {
      called.push(frame);
      then?.(frame);
    },
  };
  let then: ((frame: number) => void) | undefined;
  beat.add(one);
  return {
    beat,
    called,
    one,
    inFrame: (task: typeof then) => {
      then = task;
    },
    run: (from: number, to: number) => {
      for (let frame = from; frame <= to; frame++) beat.run(frame);
    },
  };
}

describe('a beat', () => {
  it('leaves a session alone until the frame it named', () => {
    const { beat, called, one, inFrame, run } = stage();
    inFrame((frame) => beat.rest(one, frame === 2 ? 6 : frame + 1));
    run(1, 8);
    expect(called).toEqual([1, 2, 6, 7, 8]);
  });

  it('wakes one that rested in a frame that was left out', () => {
    const { beat, called, one, inFrame } = stage();
    inFrame((frame) => beat.rest(one, frame === 1 ? 3 : 0));
    for (const frame of [1, 2, 9, 10]) beat.run(frame);
    expect(called).toEqual([1, 9, 10]);
  });

  it('calls one that was woken from the next frame on', () => {
    const { beat, called, one, run } = stage();
    beat.rest(one, 100);
    run(1, 3);
    beat.wake(one);
    run(4, 5);
    expect(called).toEqual([4, 5]);
  });

  it.each([
    ['awake', 0],
    ['at rest', 4],
  ])('never calls one again that was removed while it was %s', (_, until) => {
    const { beat, called, one, run } = stage();
    beat.rest(one, until);
    beat.remove(one);
    beat.wake(one);
    run(1, 9);
    expect(called).toEqual([]);
  });
});
