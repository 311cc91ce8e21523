// At most so many at once for each host of each account: an app that hangs keeps only its own requests waiting.

export interface LaneLimits {
  /** Under way at once. */
  readonly active: number;
  /** That wait for one of them to end; what comes beyond is refused. */
  readonly waiting: number;
}

interface Lane {
  active: number;
  readonly waiting: Set<() => void>;
}

export class Lanes {
  readonly #limits: LaneLimits;
  readonly #lanes = new Map<string, Lane>();

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  /**
   * Runs `task` in its turn.
   * @returns 'full' when too many wait already
   * @throws the signal's reason when it is aborted before its turn, or what `task` throws.
   */
  async run<T>(name: string, signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T | 'full'> {
    const lane = this.#lanes.get(name) ?? { active: 0, waiting: new Set() };
    this.#lanes.set(name, lane);
    if (lane.active >= this.#limits.active) {
      if (lane.waiting.size >= this.#limits.waiting) return 'full';
      await this.#turn(lane, signal);
    } else lane.active += 1;
    try {
      return await task();
    } finally {
      this.#leave(name, lane);
    }
  }

  /** Whoever leaves hands its place to the next. */
  #turn({ waiting }: Lane, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = (): void => {
        signal?.removeEventListener('abort', gone);
        resolve();
      };
      const gone = (): void => {
        waiting.delete(go);
        reject(signal?.reason);
      };
      waiting.add(go);
      signal?.addEventListener('abort', gone, { once: true });
    });
  }

  #leave(name: string, lane: Lane): void {
    const [next] = lane.waiting;
    if (next) {
      lane.waiting.delete(next);
      return next();
    }
    lane.active -= 1;
    if (lane.active === 0) this.#lanes.delete(name);
  }
}
