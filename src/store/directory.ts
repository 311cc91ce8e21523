// Configuration in memory: what routing asks while a call waits, without a promise in between.
import {
  type AnyResource,
  type AnyRow,
  type BaseRow,
  type FieldValue,
  type Match,
  parentField,
  type Row,
  type RowSource,
  resources,
} from '../resources/index.ts';

export interface Directory extends RowSource {
  /** Every row, oldest first. */
  all<R extends AnyResource>(definition: R): readonly Row<R>[];
}

/** Rows by SID. */
type Rows = Map<string, AnyRow>;

/** Rows by the values of some fields together. */
interface Index {
  readonly fields: readonly string[];
  readonly rows: Map<string, Rows>;
}

interface Table {
  readonly rows: Rows;
  readonly indexes: readonly Index[];
}

/** The store writes here after each commit. Records (calls) are not kept. */
export class DirectoryMirror implements Directory {
  readonly #tables = new Map<AnyResource, Table>();
  /** For each reading of the database that is under way, the SIDs written here since it began. */
  readonly #readings = new Set<Set<string>>();

  constructor() {
    for (const definition of resources) {
      if (definition.kind !== 'configuration') continue;
      const indexes = indexedFields(definition).map((fields) => ({ fields, rows: new Map() }));
      this.#tables.set(definition, { rows: new Map(), indexes });
    }
  }

  find<R extends AnyResource>(definition: R, sid: string): Row<R> | undefined {
    return this.#tables.get(definition)?.rows.get(sid) as Row<R> | undefined;
  }

  children<R extends AnyResource>(definition: R, parentSid: string): readonly Row<R>[] {
    const field = parentField(definition);
    return field === undefined ? [] : this.#matching(definition, { [field]: parentSid });
  }

  findBy<R extends AnyResource>(definition: R, match: Match<R>): readonly Row<R>[] {
    return this.#matching(definition, match);
  }

  all<R extends AnyResource>(definition: R): readonly Row<R>[] {
    return [...(this.#tables.get(definition)?.rows.values() ?? [])] as unknown as Row<R>[];
  }

  /** Adds a row, or replaces the one with its SID. */
  put<R extends AnyResource>(definition: R, row: Row<R>): void {
    const table = this.#tables.get(definition);
    if (!table) return;
    const known = row as unknown as AnyRow;
    this.#written(known.sid);
    const before = table.rows.get(known.sid);
    table.rows.set(known.sid, known);
    for (const { fields, rows } of table.indexes) {
      const key = keyOf(fields, known);
      if (before && keyOf(fields, before) !== key) forget(rows, keyOf(fields, before), known.sid);
      rows.set(key, (rows.get(key) ?? new Map<string, AnyRow>()).set(known.sid, known));
    }
  }

  /** Removes a row and everything below it, and clears or removes what refers to it, as the database does. */
  drop(definition: AnyResource, sid: string): void {
    const table = this.#tables.get(definition);
    const row = table?.rows.get(sid);
    this.#written(sid);
    if (!table || !row) return;
    table.rows.delete(sid);
    for (const { fields, rows } of table.indexes) forget(rows, keyOf(fields, row), sid);
    for (const other of this.#tables.keys()) {
      if (other.parent === definition) {
        for (const child of this.children(other, sid)) this.drop(other, child.sid);
      }
      for (const { field, onDelete } of followers(other, definition.sid)) {
        for (const user of this.#matching(other, { [field]: sid })) {
          if (onDelete === 'cascade') this.drop(other, user.sid);
          else this.put(other, { ...user, [field]: null });
        }
      }
    }
  }

  /**
   * Takes over what the database says: of these rows, or of all. What was written here meanwhile may be newer than the
   * reading, so it is left alone; resolves with the SIDs of such rows, to be read again.
   */
  async takeOver<R extends AnyResource>(
    definition: R,
    read: () => Promise<readonly Row<R>[]>,
    sids?: readonly string[],
  ): Promise<readonly string[]> {
    const written = new Set<string>();
    this.#readings.add(written);
    const rows = (await read().finally(() => this.#readings.delete(written))) as readonly BaseRow[];
    const gone = new Set(sids ?? this.all(definition).map(({ sid }) => sid));
    for (const { sid } of rows) gone.delete(sid);
    for (const sid of gone) if (!written.has(sid)) this.drop(definition, sid);
    for (const row of rows) if (!written.has(row.sid)) this.put(definition, row as Row<R>);
    return [...written].filter((sid) => (sids ? sids.includes(sid) : sid.startsWith(definition.sid)));
  }

  #written(sid: string): void {
    for (const reading of this.#readings) reading.add(sid);
  }

  #matching<R extends AnyResource>(definition: R, match: object): readonly Row<R>[] {
    const names = Object.keys(match);
    const index = this.#tables
      .get(definition)
      ?.indexes.find(
        ({ fields }) => fields.length === names.length && fields.every((each) => names.includes(each)),
      );
    if (!index) throw new TypeError(`${definition.name} has no index of ${names.join(', ')}`);
    const found = index.rows.get(keyOf(index.fields, match as AnyRow))?.values() ?? [];
    return [...found] as unknown as Row<R>[];
  }
}

/** What a definition asks for, its parent, and what is cleared or goes when the row it names goes. */
function indexedFields(definition: AnyResource): readonly (readonly string[])[] {
  const parent = parentField(definition);
  const following = Object.entries(definition.fields).filter(
    ([, { reference }]) => reference !== undefined && reference.onDelete !== 'restrict',
  );
  return [
    ...(definition.indexes ?? []),
    ...(parent === undefined ? [] : [[parent]]),
    ...following.map(([name]) => [name]),
  ];
}

/** The fields by which rows are changed, or go, with the row they name. */
const followers = ({ fields }: AnyResource, prefix: string) =>
  Object.entries(fields).flatMap(([field, { reference }]) =>
    reference?.prefix === prefix && reference.onDelete !== 'restrict'
      ? [{ field, onDelete: reference.onDelete }]
      : [],
  );

const keyOf = (
  fields: readonly string[],
  row: { readonly [field: string]: FieldValue | undefined },
): string => JSON.stringify(fields.map((field) => row[field] ?? null));

function forget(rows: Map<string, Rows>, key: string, sid: string): void {
  const found = rows.get(key);
  found?.delete(sid);
  if (found?.size === 0) rows.delete(key);
}
