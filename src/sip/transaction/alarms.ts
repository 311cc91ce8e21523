// The timers of transactions: thousands run at once, nearly all for one of a few delays. Those of one delay ring in the
// order in which they were set, so each delay has a queue, and only its first one a timer of the clock. That one is left
// alone when what it was for is stopped, as nearly all are within milliseconds: it rings for who is first by then.
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Boundary } from '../boundary.ts';
import type { TimerName } from './machine.ts';

/** Who hears of a timer. */
interface Listener {
  rang(timer: TimerName): void;
}

/** One timer that was set. */
export interface Alarm {
  readonly name: TimerName;
  /** Where its owner keeps another one. */
  other: Alarm | undefined;
}

export interface AlarmCounts {
  /** Set, and not rung or stopped yet. */
  readonly waiting: number;
  /** The timers of the clock that they share, or shared until lately. */
  readonly clockTimers: number;
}

export class Alarms {
  readonly #clock: Clock;
  readonly #boundary: Boundary;
  /** By delay. There are few: the base times and their doublings. */
  readonly #queues = new Map<number, Queue>();

  constructor(clock: Clock, boundary: Boundary) {
    this.#clock = clock;
    this.#boundary = boundary;
  }

  set(delayMs: number, name: TimerName, listener: Listener): Alarm {
    let queue = this.#queues.get(delayMs);
    if (!queue) {
      queue = new Queue(this.#clock, this.#boundary, delayMs);
      this.#queues.set(delayMs, queue);
    }
    return queue.add(name, listener);
  }

  /** One that has rung or was stopped is ignored. */
  stop(alarm: Alarm): void {
    if (alarm instanceof Entry) alarm.queue?.remove(alarm);
  }

  counts(): AlarmCounts {
    let [waiting, clockTimers] = [0, 0];
    for (const { length, hasTimer } of this.#queues.values()) {
      waiting += length;
      if (hasTimer) clockTimers += 1;
    }
    return { waiting, clockTimers };
  }

  /** What waits rings no more. */
  close(): void {
    for (const queue of this.#queues.values()) queue.close();
  }
}

class Entry implements Alarm {
  readonly name: TimerName;
  readonly listener: Listener;
  readonly dueMs: number;
  other: Alarm | undefined;
  /** None once it has rung or was stopped. */
  queue: Queue | undefined;
  before: Entry | undefined;
  after: Entry | undefined;

  constructor(name: TimerName, listener: Listener, dueMs: number) {
    this.name = name;
    this.listener = listener;
    this.dueMs = dueMs;
  }
}

/** The alarms of one delay, linked in the order in which they ring. */
class Queue {
  readonly #clock: Clock;
  readonly #boundary: Boundary;
  readonly #delayMs: number;
  length = 0;
  #first: Entry | undefined;
  #last: Entry | undefined;
  #timer: Timer | undefined;
  /** What the timer is set for. */
  #timerMs = 0;
  /** Between rings: those that waited long ring together, rather than each a millisecond after the other. */
  readonly #pauseMs: number;

  constructor(clock: Clock, boundary: Boundary, delayMs: number) {
    this.#clock = clock;
    this.#boundary = boundary;
    this.#delayMs = delayMs;
    this.#pauseMs = Math.floor(delayMs / 1000);
  }

  add(name: TimerName, listener: Listener): Entry {
    // A whole number takes no memory of its own.
    const entry = new Entry(name, listener, Math.ceil(this.#clock.monotonic() + this.#delayMs));
    entry.queue = this;
    entry.before = this.#last;
    if (this.#last) this.#last.after = entry;
    else this.#first = entry;
    this.#last = entry;
    this.length += 1;
    if (this.#timer === undefined) this.#wait(entry.dueMs, this.#delayMs);
    return entry;
  }

  remove(entry: Entry): void {
    const { before, after } = entry;
    if (before) before.after = after;
    else this.#first = after;
    if (after) after.before = before;
    else this.#last = before;
    entry.queue = entry.before = entry.after = undefined;
    this.length -= 1;
  }

  get hasTimer(): boolean {
    return this.#timer !== undefined;
  }

  close(): void {
    this.#clock.cancel(this.#timer);
    this.#timer = undefined;
  }

  #wait(untilMs: number, delayMs: number): void {
    this.#timerMs = untilMs;
    this.#timer = this.#clock.after(delayMs, this.#ring);
  }

  /** The timer's word that its time has come counts: the clock may read a little less. */
  readonly #ring = (): void => {
    this.#timer = undefined;
    const nowMs = Math.max(this.#clock.monotonic(), this.#timerMs);
    for (let entry = this.#first; entry && entry.dueMs <= nowMs; entry = this.#first) {
      const { name, listener } = entry;
      this.remove(entry);
      this.#boundary(() => listener.rang(name));
    }
    if (!this.#first || this.#timer !== undefined) return;
    const untilMs = Math.max(this.#first.dueMs, nowMs + this.#pauseMs);
    this.#wait(untilMs, untilMs - nowMs);
  };
}
