// Refusals on their way to the database: counted at once, written in groups, so that a flood costs no more than a trickle.
import type { Timer } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { rejectedCall } from '../resources/index.ts';
import type { Store } from '../store/index.ts';
import { type Rejection, RejectionTally, TALLY_LIMITS, type TallyLimits } from './rejection-tally.ts';
import type { World } from './world.ts';

const WRITE_EVERY_MS = 250;

export interface RejectionLogParts extends World {
  readonly store: Pick<Store, 'list' | 'journal'>;
  readonly log: Log;
  readonly limits?: Partial<TallyLimits>;
}

export class RejectionLog {
  readonly #parts: RejectionLogParts;
  readonly #tally: RejectionTally;
  #due: Timer | undefined;
  #isClosed = false;
  #writing: Promise<void> | undefined;

  private constructor(parts: RejectionLogParts) {
    this.#parts = parts;
    this.#tally = new RejectionTally(parts, parts.limits);
  }

  /** Goes on where an earlier run stopped. */
  static async open(parts: RejectionLogParts): Promise<RejectionLog> {
    const log = new RejectionLog(parts);
    const { rows } = await parts.store.list(rejectedCall, { limit: TALLY_LIMITS.total });
    log.#tally.restore(rows.toReversed());
    return log;
  }

  add(rejection: Rejection): void {
    if (this.#isClosed) return;
    this.#tally.add(rejection);
    this.#schedule();
  }

  /** Resolves when all is written, or the database has refused it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#parts.clock.cancel(this.#due);
    await this.#writing;
    while (this.#tally.hasChanges) await this.#write();
  }

  #schedule(): void {
    if (this.#due || this.#writing || this.#isClosed) return;
    this.#due = this.#parts.clock.after(WRITE_EVERY_MS, () => {
      this.#due = undefined;
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
        if (this.#tally.hasChanges) this.#schedule();
      });
    });
  }

  async #write(): Promise<void> {
    const { written, removed } = this.#tally.take();
    try {
      await this.#parts.store.journal.commit({
        records: written.map((row) => ({ definition: rejectedCall, row })),
        removed: removed.map((sid) => ({ definition: rejectedCall, sid })),
      });
    } catch (error) {
      this.#parts.log.warn({ err: (error as Error).message }, 'rejected calls could not be written');
    }
  }
}
