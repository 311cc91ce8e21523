// What the database says of bindings, taken into memory: what this exchange left when it ran before, and what others on
// the same database write and remove.
import { registration } from '../resources/index.ts';
import type { Store } from '../store/index.ts';
import type { BindingRow } from './binding.ts';
import type { BindingWriter } from './binding-writer.ts';
import type { Bindings } from './bindings.ts';

export interface SharedBindingsParts {
  readonly store: Pick<Store, 'list' | 'findAll' | 'node'>;
  readonly bindings: Bindings;
  readonly writer: BindingWriter;
}

const ROWS_READ_AT_ONCE = 5000;

export class SharedBindings {
  readonly #parts: SharedBindingsParts;
  #reading: Promise<void> = Promise.resolve();

  constructor(parts: SharedBindingsParts) {
    this.#parts = parts;
  }

  /** Reads these bindings again, or all; one reading at a time, so that none overtakes a newer one. @throws {StoreError} */
  read(sids?: readonly string[]): Promise<void> {
    const reading = this.#reading.then(() => this.#readNow(sids));
    this.#reading = reading.catch(() => {});
    return reading;
  }

  async #readNow(sids?: readonly string[]): Promise<void> {
    const { store, bindings, writer } = this.#parts;
    const { found, unsure } = await writer.whileReading(() =>
      sids ? store.findAll(registration, sids) : this.#all(),
    );
    const gone = new Set(sids ?? Array.from(bindings.all(), ({ sid }) => sid));
    for (const row of found) {
      gone.delete(row.sid);
      if (!unsure.has(row.sid) && !this.#isEcho(row)) bindings.put(row);
    }
    for (const sid of gone) if (!unsure.has(sid)) bindings.drop(sid);
  }

  /** What this exchange has written itself is here already. */
  #isEcho({ sid, node }: BindingRow): boolean {
    const { store, bindings } = this.#parts;
    return node === store.node && bindings.find(sid)?.node === node;
  }

  /** Oldest first. */
  async #all(): Promise<readonly BindingRow[]> {
    const found: BindingRow[] = [];
    let after: string | undefined;
    do {
      const page = { limit: ROWS_READ_AT_ONCE, ...(after !== undefined && { after }) };
      const { rows, next } = await this.#parts.store.list(registration, page);
      found.push(...rows);
      after = next;
    } while (after !== undefined);
    return found.toReversed();
  }
}
