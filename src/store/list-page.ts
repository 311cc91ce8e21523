// Pages of a table, newest first. A cursor is a position, so rows that come and go shift nothing.
import type { Kysely, SelectQueryBuilder } from 'kysely';
import { type AnyResource, propertyName, type Row } from '../resources/index.ts';
import { type Codec, columnKinds } from './codec.ts';
import type { SqlRow, Tables } from './engine.ts';
import { CursorError, type Filter, type PageOf, type PageRequest } from './store.ts';

type Query = SelectQueryBuilder<Tables, string, object>;

interface Reader {
  readonly db: Kysely<Tables>;
  readonly codec: Codec;
}

export async function listPage<R extends AnyResource>(
  reader: Reader,
  definition: R,
  request: PageRequest,
): Promise<PageOf<Row<R>>> {
  const filtered = narrow(reader, definition, request.where ?? []);
  const { rows, more } = await readRows(filtered, request);
  const older =
    request.before === undefined ? more : await exists(filtered, '<', lastPosition(rows, request));
  const newer =
    request.before === undefined
      ? request.after !== undefined && (await exists(filtered, '>', firstPosition(rows, request)))
      : more;
  return {
    rows: rows.map((row) => reader.codec.decode(definition, row)),
    ...(older && { next: toCursor(lastPosition(rows, request) ?? 0) }),
    ...(newer && { previous: toCursor(firstPosition(rows, request) ?? 0) }),
  };
}

/** The rows of a definition that pass every filter. */
export function narrow({ db, codec }: Reader, definition: AnyResource, filters: readonly Filter[]): Query {
  const kinds = columnKinds(definition);
  let query: Query = db.selectFrom(definition.table);
  for (const { field, operator, value } of filters) {
    const kind = kinds.get(field);
    if (!kind) throw new TypeError(`${definition.name} has no field ${field}`);
    query = query.where(propertyName(field), operator, codec.encodeValue(kind, value));
  }
  return query;
}

/** One row more than asked for tells whether there is another page in the direction of reading. */
async function readRows(
  filtered: Query,
  { limit, after, before }: PageRequest,
): Promise<{ rows: SqlRow[]; more: boolean }> {
  const query = filtered.selectAll().limit(limit + 1);
  if (before === undefined) {
    const from = after === undefined ? query : query.where('position', '<', fromCursor(after));
    const found = (await from.orderBy('position', 'desc').execute()) as SqlRow[];
    return { rows: found.slice(0, limit), more: found.length > limit };
  }
  const found = (await query
    .where('position', '>', fromCursor(before))
    .orderBy('position', 'asc')
    .execute()) as SqlRow[];
  return { rows: found.slice(0, limit).toReversed(), more: found.length > limit };
}

async function exists(filtered: Query, side: '<' | '>', position: number | undefined): Promise<boolean> {
  if (position === undefined) return false;
  // In order, or PostgreSQL may look through every row before the first that fits.
  const nearest = filtered.select('position').orderBy('position', side === '>' ? 'asc' : 'desc');
  const found = await nearest.where('position', side, position).limit(1).execute();
  return found.length > 0;
}

/** Where the page begins and ends; one that has run empty lies just beyond its cursor. */
function firstPosition(rows: readonly SqlRow[], { after }: PageRequest): number | undefined {
  const [first] = rows;
  if (first) return Number(first.position);
  return after === undefined ? undefined : fromCursor(after) - 1;
}

function lastPosition(rows: readonly SqlRow[], { before }: PageRequest): number | undefined {
  const last = rows.at(-1);
  if (last) return Number(last.position);
  return before === undefined ? undefined : fromCursor(before) + 1;
}

const toCursor = (position: number): string => position.toString(16).padStart(32, '0');

function fromCursor(cursor: string): number {
  if (!/^0{19}[0-9a-f]{13}$/.test(cursor)) throw new CursorError();
  return Number.parseInt(cursor, 16);
}
