import { describe, expect, it } from 'vitest';
import { SampleQueue } from './sample-queue.ts';

const numbers = (first: number, count: number) => Int16Array.from({ length: count }, (_, at) => first + at);

describe('SampleQueue', () => {
  it('waits for two frames, then flows until it is empty, then waits again', () => {
    const queue = new SampleQueue(4);
    const frame = new Int16Array(4);
    queue.push(numbers(0, 4), 4);
    expect(queue.take(frame)).toBe(false);
    queue.push(numbers(4, 4), 4);
    expect(queue.take(frame)).toBe(true);
    expect([...frame]).toEqual([0, 1, 2, 3]);
    expect(queue.take(frame)).toBe(true);
    expect(queue.take(frame)).toBe(false);
    queue.push(numbers(0, 4), 4);
    expect(queue.take(frame)).toBe(false);
  });

  it('takes packets of any size', () => {
    const queue = new SampleQueue(4);
    const frame = new Int16Array(4);
    queue.push(numbers(0, 3), 3);
    queue.push(numbers(3, 99), 6);
    expect(queue.take(frame)).toBe(true);
    expect(queue.take(frame)).toBe(true);
    expect([...frame]).toEqual([4, 5, 6, 7]);
    expect(queue.take(frame)).toBe(false);
  });

  it('drops the oldest when too much comes', () => {
    const queue = new SampleQueue(4);
    const frame = new Int16Array(4);
    queue.push(numbers(0, 8), 8);
    queue.push(numbers(100, 50), 50);
    queue.push(numbers(200, 4), 4);
    const taken = [];
    while (queue.take(frame)) taken.push(...frame);
    expect(taken).toEqual([...numbers(114, 36), ...numbers(200, 4)]);
  });

  it('forgets when cleared', () => {
    const queue = new SampleQueue(4);
    queue.push(numbers(0, 40), 40);
    queue.clear();
    expect(queue.take(new Int16Array(4))).toBe(false);
  });
});
