// The frames of one thread, and the sessions that want to be called in them: one that rests costs nothing until it wakes.

export interface Beating {
  tick(frame: number): void;
}

export class Beat {
  readonly #all = new Set<Beating>();
  readonly #awake = new Set<Beating>();
  /** By the frame in which they wake. */
  readonly #resting = new Map<number, Set<Beating>>();
  #frame = 0;

  /** The number of the frame now. */
  get frame(): number {
    return this.#frame;
  }

  /** Calls `one` in every frame from the next one on. */
  add(one: Beating): void {
    this.#all.add(one);
    this.#awake.add(one);
  }

  remove(one: Beating): void {
    this.#all.delete(one);
    this.#awake.delete(one);
  }

  /** Calls `one` again in every frame, if it rests. */
  wake(one: Beating): void {
    if (this.#all.has(one)) this.#awake.add(one);
  }

  /** Leaves `one` alone until this frame; it may be woken before, and then once more in this frame. */
  rest(one: Beating, until: number): void {
    if (until <= this.#frame + 1) return;
    this.#awake.delete(one);
    const others = this.#resting.get(until);
    if (others) others.add(one);
    else this.#resting.set(until, new Set([one]));
  }

  /** Calls who is awake. Frames may be left out: whoever was to wake in them does so now. */
  run(frame: number): void {
    while (this.#frame < frame) this.#wakeThoseOf(++this.#frame);
    for (const one of this.#awake) one.tick(frame);
  }

  #wakeThoseOf(frame: number): void {
    const rested = this.#resting.get(frame);
    if (!rested) return;
    this.#resting.delete(frame);
    for (const one of rested) this.wake(one);
  }
}
