// Lists a page at a time: the query's words in, the links to the neighbouring pages out.
import type { AnyResource, Form } from '../resources/index.ts';
import type { PageOf } from '../store/index.ts';
import { dialectOf } from './dialect.ts';
import { errors } from './errors.ts';
import type { JsonObject } from './route.ts';

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 1000;
const PAGE_WORDS: readonly string[] = ['PageSize', 'Page', 'PageToken'];

export interface PageQuery {
  readonly pageSize: number;
  /** The caller's own count; the token alone says where the page begins. */
  readonly page: number;
  readonly token?: string;
}

/** @throws {ApiError} for a number that is none; too large a page size is taken as the largest. */
export function parsePage(query: Form): PageQuery {
  const token = query.get('PageToken')?.[0];
  const pageSize = wholeNumber(query, 'PageSize', { min: 1, otherwise: DEFAULT_PAGE_SIZE });
  const page = wholeNumber(query, 'Page', { min: 0, otherwise: 0 });
  if (!token) return { pageSize: Math.min(pageSize, MAX_PAGE_SIZE), page: 0 };
  return { pageSize: Math.min(pageSize, MAX_PAGE_SIZE), page, token };
}

function wholeNumber(
  query: Form,
  name: string,
  { min, otherwise }: { min: number; otherwise: number },
): number {
  const text = query.get(name)?.[0];
  if (!text) return otherwise;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min) return value;
  throw errors.invalid(name, `must be a whole number from ${min}`);
}

/** `PA` and a cursor goes on, `PB` and a cursor goes back. @throws {ApiError} 21481 */
export function cursorOf(token: string | undefined): { readonly after?: string; readonly before?: string } {
  if (token === undefined) return {};
  const cursor = token.slice(2);
  if (token.startsWith('PA')) return { after: cursor };
  if (token.startsWith('PB')) return { before: cursor };
  throw errors.badPageToken();
}

interface Listing {
  readonly definition: AnyResource;
  /** Path that was asked for, with its suffix. */
  readonly path: string;
  readonly query: Form;
  readonly baseUrl: string;
}

export function renderPage(
  { definition, path, query, baseUrl }: Listing,
  page: PageOf<unknown>,
  rows: readonly JsonObject[],
): JsonObject {
  const asked = parsePage(query);
  const link = (number: number, token?: string): string => {
    const words = [
      ...filterWords(query),
      ['PageSize', asked.pageSize],
      ['Page', number],
      ...(token ? [['PageToken', token]] : []),
    ];
    return `${path}?${words.map(([name, value]) => `${encodeURIComponent(name ?? '')}=${encodeURIComponent(value ?? '')}`).join('&')}`;
  };
  const shape = {
    key: definition.key,
    page: asked.page,
    pageSize: asked.pageSize,
    count: rows.length,
    links: {
      first: link(0),
      previous: page.previous === undefined ? null : link(Math.max(0, asked.page - 1), `PB${page.previous}`),
      self: link(asked.page, asked.token),
      next: page.next === undefined ? null : link(asked.page + 1, `PA${page.next}`),
    },
  };
  return { ...dialectOf(definition).envelope(shape, baseUrl), [definition.key]: rows };
}

const filterWords = (query: Form): (readonly [string, string])[] =>
  [...query].flatMap(([name, values]) =>
    PAGE_WORDS.includes(name) ? [] : values.map((value) => [name, value] as const),
  );
