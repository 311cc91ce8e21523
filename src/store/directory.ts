// Configuration in memory: what routing asks while a call waits, without a promise in between.
import { type AnyResource, type AnyRow, parentField, type Row, resources } from '../resources/index.ts';

export interface Directory {
  find<R extends AnyResource>(definition: R, sid: string): Row<R> | undefined;
  /** The rows below a parent, oldest first. */
  children<R extends AnyResource>(definition: R, parentSid: string): readonly Row<R>[];
  /** Every row, oldest first. */
  all<R extends AnyResource>(definition: R): readonly Row<R>[];
}

type Rows = Map<string, AnyRow>;

/** The store writes here after each commit. Records (calls) are not kept. */
export class DirectoryMirror implements Directory {
  readonly #rows = new Map<AnyResource, Rows>();
  readonly #children = new Map<AnyResource, Map<string, Rows>>();

  constructor() {
    for (const definition of resources) {
      if (definition.kind !== 'configuration') continue;
      this.#rows.set(definition, new Map());
      this.#children.set(definition, new Map());
    }
  }

  find<R extends AnyResource>(definition: R, sid: string): Row<R> | undefined {
    return this.#rows.get(definition)?.get(sid) as Row<R> | undefined;
  }

  children<R extends AnyResource>(definition: R, parentSid: string): readonly Row<R>[] {
    const rows = this.#children.get(definition)?.get(parentSid)?.values() ?? [];
    return [...rows] as unknown as Row<R>[];
  }

  all<R extends AnyResource>(definition: R): readonly Row<R>[] {
    return [...(this.#rows.get(definition)?.values() ?? [])] as unknown as Row<R>[];
  }

  /** Adds a row, or replaces the one with its SID. */
  put<R extends AnyResource>(definition: R, row: Row<R>): void {
    const known = row as unknown as AnyRow;
    this.#rows.get(definition)?.set(known.sid, known);
    const parent = parentOf(definition, known);
    const byParent = this.#children.get(definition);
    if (parent === undefined || !byParent) return;
    const siblings = byParent.get(parent) ?? new Map<string, AnyRow>();
    byParent.set(parent, siblings.set(known.sid, known));
  }

  /** Removes a row and everything below it. */
  drop(definition: AnyResource, sid: string): void {
    const row = this.#rows.get(definition)?.get(sid);
    if (!row) return;
    this.#rows.get(definition)?.delete(sid);
    const parent = parentOf(definition, row);
    if (parent !== undefined) this.#children.get(definition)?.get(parent)?.delete(sid);
    for (const child of this.#rows.keys()) {
      if (child.parent !== definition) continue;
      for (const { sid: childSid } of this.children(child, sid)) this.drop(child, childSid);
      this.#children.get(child)?.delete(sid);
    }
  }
}

function parentOf(definition: AnyResource, row: AnyRow): string | undefined {
  const field = parentField(definition);
  return field && String(row[field]);
}
