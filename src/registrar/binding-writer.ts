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

export interface BindingChanges {
  readonly written?: readonly BindingRow[];
  /** SIDs of those that a device took back. */
  readonly removed?: readonly string[];
  /** SIDs of those whose time is over: their rows go unless another exchange has renewed them. */
  readonly over?: readonly string[];
}

export class BindingWriter {
  readonly #parts: BindingWriterParts;
  /** By SID. */
  #changes = new Map<string, BindingRow | 'removed' | 'over'>();
  #waiting: (() => void)[] = [];
  /** SIDs in the group that is being committed. */
  #committing: readonly string[] = [];
  /** For each reading of the database that is under way, the SIDs that were being written meanwhile. */
  readonly #readings = new Set<Set<string>>();
  #writing: Promise<void> | undefined;
  #isLate = false;

  constructor(parts: BindingWriterParts) {
    this.#parts = parts;
  }

  /** `kept` is called once, later. */
  write({ written = [], removed = [], over = [] }: BindingChanges, kept: () => void = () => {}): void {
    for (const row of written) this.#change(row.sid, row);
    for (const sid of removed) this.#change(sid, 'removed');
    for (const sid of over) this.#changes.set(sid, 'over');
    this.#waiting.push(kept);
    if (this.#isLate) this.#release();
    this.#writing ??= this.#writeAll();
  }

  /** @returns what was read, and the SIDs of which it may be old: they were being written, and tell of it later. */
  async whileReading<T>(read: () => Promise<T>): Promise<{ found: T; unsure: ReadonlySet<string> }> {
    const unsure = new Set(this.#committing);
    for (const [sid, change] of this.#changes) if (change !== 'over') unsure.add(sid);
    this.#readings.add(unsure);
    const found = await read().finally(() => this.#readings.delete(unsure));
    return { found, unsure };
  }

  /** Resolves when everything is written, or was refused. */
  async close(): Promise<void> {
    await this.#writing;
  }

  #change(sid: string, change: BindingRow | 'removed'): void {
    this.#changes.set(sid, change);
    for (const unsure of this.#readings) unsure.add(sid);
  }

  async #writeAll(): Promise<void> {
    while (this.#changes.size > 0 || this.#waiting.length > 0) await this.#writeGroup();
    this.#writing = undefined;
  }

  async #writeGroup(): Promise<void> {
    const { clock, log } = this.#parts;
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
      await this.#commit(changes);
    } catch (error) {
      log.warn({ err: (error as Error).message }, 'registrations could not be written');
    }
    clock.cancel(timer);
    this.#isLate = false;
    for (const kept of waiting) kept();
  }

  async #commit(
    changes: readonly (readonly [sid: string, BindingRow | 'removed' | 'over'])[],
  ): Promise<void> {
    this.#committing = changes.flatMap(([sid, change]) => (change === 'over' ? [] : [sid]));
    const committed = this.#parts.journal.commit({
      records: changes.flatMap(([, row]) =>
        typeof row === 'object' ? [{ definition: registration, row }] : [],
      ),
      removed: changes.flatMap(([sid, change]) =>
        typeof change === 'object' ? [] : [{ definition: registration, sid, ifOwn: change === 'over' }],
      ),
    });
    await committed.finally(() => {
      this.#committing = [];
    });
  }

  #release(): void {
    for (const kept of this.#waiting.splice(0)) kept();
  }
}
