// Pages of a table, newest first. A cursor is a place in the order, so rows that come and go shift nothing.
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
  const list = { query: narrow(reader, definition, request.where ?? []), by: orderOf(definition, request) };
  const { rows, more } = await readRows(list, request);
  const [first, last] = [firstPlace(list, rows, request), lastPlace(list, rows, request)];
  const older = request.before === undefined ? more : await exists(list, '<', last);
  const newer =
    request.before === undefined ? request.after !== undefined && (await exists(list, '>', first)) : more;
  return {
    rows: rows.map((row) => reader.codec.decode(definition, row)),
    ...(older && { next: toCursor(last) }),
    ...(newer && { previous: toCursor(first) }),
  };
}

/** The date that the list is in the order of, as a column; without one it is that of creation. */
function orderOf({ orders = [] }: AnyResource, { where = [] }: PageRequest): string | undefined {
  const field = orders.find((order) => where.some((filter) => filter.field === order));
  return field && propertyName(field);
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

interface List {
  readonly query: Query;
  /** A date column; rows of the same moment, and all of them without it, are in the order of their positions. */
  readonly by: string | undefined;
}

/** Where a row stands in its list; the moment is 0 where no date orders it. */
interface Place {
  readonly moment: number;
  readonly position: number;
}

/** One row more than asked for tells whether there is another page in the direction of reading. */
async function readRows(
  list: List,
  { limit, after, before }: PageRequest,
): Promise<{ rows: SqlRow[]; more: boolean }> {
  const some = { ...list, query: list.query.selectAll().limit(limit + 1) as Query };
  if (before === undefined) {
    const from = after === undefined ? some : beyond(some, '<', fromCursor(list, after));
    const found = (await inOrder(from, 'desc').execute()) as SqlRow[];
    return { rows: found.slice(0, limit), more: found.length > limit };
  }
  const found = (await inOrder(beyond(some, '>', fromCursor(list, before)), 'asc').execute()) as SqlRow[];
  return { rows: found.slice(0, limit).toReversed(), more: found.length > limit };
}

async function exists(list: List, side: '<' | '>', place: Place | undefined): Promise<boolean> {
  if (place === undefined) return false;
  const next = beyond({ ...list, query: list.query.select('position') as Query }, side, place);
  // In order, or PostgreSQL may look through every row before the first that fits.
  const found = await inOrder(next, side === '>' ? 'asc' : 'desc')
    .limit(1)
    .execute();
  return found.length > 0;
}

/** The rows on one side of a place. Said in a way that both engines look up in the index of the date. */
function beyond({ query, by }: List, side: '<' | '>', { moment, position }: Place): List {
  if (by === undefined) return { by, query: query.where('position', side, position) };
  return {
    by,
    query: query
      .where(by, `${side}=`, moment)
      .where((row) => row.or([row(by, side, moment), row('position', side, position)])),
  };
}

const inOrder = ({ query, by }: List, direction: 'asc' | 'desc'): Query =>
  (by === undefined ? query : query.orderBy(by, direction)).orderBy('position', direction);

const placeOf = ({ by }: List, row: SqlRow): Place => ({
  moment: by === undefined ? 0 : Number(row[by]),
  position: Number(row.position),
});

/** Where the page begins and ends; one that has run empty lies just beyond its cursor. */
function firstPlace(list: List, rows: readonly SqlRow[], { after }: PageRequest): Place | undefined {
  const [first] = rows;
  if (first) return placeOf(list, first);
  return after === undefined ? undefined : moved(fromCursor(list, after), -1);
}

function lastPlace(list: List, rows: readonly SqlRow[], { before }: PageRequest): Place | undefined {
  const last = rows.at(-1);
  if (last) return placeOf(list, last);
  return before === undefined ? undefined : moved(fromCursor(list, before), 1);
}

const moved = ({ moment, position }: Place, by: number): Place => ({ moment, position: position + by });

const inHex = (number: number): string => number.toString(16).padStart(16, '0');

const toCursor = ({ moment, position }: Place = { moment: 0, position: 0 }): string =>
  inHex(moment) + inHex(position);

/** One of a list in another order is none of this. */
function fromCursor({ by }: List, cursor: string): Place {
  const [, moment, position] = /^000([0-9a-f]{13})000([0-9a-f]{13})$/.exec(cursor) ?? [];
  if (moment === undefined || position === undefined) throw new CursorError();
  const place = { moment: Number.parseInt(moment, 16), position: Number.parseInt(position, 16) };
  if (place.moment > 0 !== (by !== undefined)) throw new CursorError();
  return place;
}
