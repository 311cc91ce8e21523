// Bindings on their way to the database: what changes while one group commits goes with the next. Whoever registered is
// answered when its binding is kept; where the database is late or away, memory alone has to do.
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { registration } from '../resources/index.ts';
import type { Store } from '../store/index.ts';
import type { BindingRow } from './binding.ts';

/** How long a device waits for the database at most. */
const PATIENCE_MS = 1000;

export interface BindingWriterParts {
  readonly journal: Store['journal'];
  readonly clock: Clock;
  readonly log: Log;
}

export class BindingWriter {
  readonly #parts: BindingWriterParts;
  /** By SID; undefined for one that goes. */
  #changes = new Map<string, BindingRow | undefined>();
  #waiting: (() => void)[] = [];
  #writing: Promise<void> | undefined;
  #isLate = false;

  constructor(parts: BindingWriterParts) {
    this.#parts = parts;
  }

  /** `kept` is called once, later. */
  write(written: readonly BindingRow[], removed: readonly string[], kept: () => void = () => {}): void {
    for (const row of written) this.#changes.set(row.sid, row);
    for (const sid of removed) this.#changes.set(sid, undefined);
    this.#waiting.push(kept);
    if (this.#isLate) this.#release();
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when everything is written, or was refused. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#changes.size > 0 || this.#waiting.length > 0) await this.#writeGroup();
    this.#writing = undefined;
  }

  async #writeGroup(): Promise<void> {
    const { journal, clock, log } = this.#parts;
    const changes = [...this.#changes];
    const waiting = this.#waiting;
    this.#changes = new Map();
    this.#waiting = [];
    const timer = clock.after(PATIENCE_MS, () => {
      this.#isLate = true;
      for (const kept of waiting.splice(0)) kept();
      this.#release();
    });
    try {
      await journal.commit({
        records: changes.flatMap(([, row]) => (row ? [{ definition: registration, row }] : [])),
        removed: changes.flatMap(([sid, row]) => (row ? [] : [{ definition: registration, sid }])),
      });
    } catch (error) {
      log.warn({ err: (error as Error).message }, 'registrations could not be written');
    }
    clock.cancel(timer);
    this.#isLate = false;
    for (const kept of waiting) kept();
  }

  #release(): void {
    for (const kept of this.#waiting.splice(0)) kept();
  }
}
