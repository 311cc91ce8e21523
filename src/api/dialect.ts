// The two ways Twilio's APIs write the same thing: paths, dates, addresses and lists.
import { type AnyResource, type AnyRow, parentField, shownSid } from '../resources/index.ts';
import type { JsonObject } from './route.ts';

/** Addresses of a page and of its neighbours, as paths with query; null where there is none. */
export interface PageLinks {
  readonly first: string;
  readonly previous: string | null;
  readonly self: string;
  readonly next: string | null;
}

export interface PageShape {
  readonly key: string;
  readonly page: number;
  readonly pageSize: number;
  readonly count: number;
  readonly links: PageLinks;
}

export interface Dialect {
  /** Path of a collection, no suffix; `sids` may be SIDs, or `:Name` parts for the router. */
  collection(definition: AnyResource, sids: { readonly account: string; readonly parent: string }): string;
  readonly suffix: '' | '.json';
  formatDate(ms: number): string;
  /** The row's own address and those below it. */
  addresses(definition: AnyResource, row: AnyRow, baseUrl: string): JsonObject;
  envelope(shape: PageShape, baseUrl: string): JsonObject;
  /** The path as error messages name it. */
  namedPath(path: string): string;
}

const below = (definition: AnyResource, row: AnyRow, address: (path: string) => string): JsonObject =>
  Object.fromEntries(
    Object.entries(definition.links ?? {}).map(([name, path]) => [
      name,
      address(typeof path === 'function' ? path(row) : `${pathOf(definition, row)}/${path}`),
    ]),
  );

const MAX_REMEMBERED = 1000;

/** Writing a row's dates, to the second, takes longer than all the rest of it, and rows have dates in common. */
function remembered(write: (ms: number) => string): (ms: number) => string {
  const written = new Map<number, string>();
  return (ms) => {
    const second = Math.floor(ms / 1000);
    const known = written.get(second);
    if (known !== undefined) return known;
    if (written.size >= MAX_REMEMBERED) written.clear();
    const text = write(ms);
    written.set(second, text);
    return text;
  };
}

/** The style of Twilio's v1, at a root of its own. */
const v1 = (root: string): Dialect => {
  const collection: Dialect['collection'] = (definition, { account, parent }) =>
    definition.parent
      ? `${collection(definition.parent, { account, parent })}/${parent}/${definition.path}`
      : `${root}/${definition.path}`;
  return {
    collection,
    suffix: '',
    formatDate: remembered((ms) => `${new Date(ms).toISOString().slice(0, 19)}Z`),
    addresses: (definition, row, baseUrl) => ({
      url: baseUrl + pathOf(definition, row),
      ...(definition.links && { links: below(definition, row, (path) => baseUrl + path) }),
    }),
    envelope: ({ key, page, pageSize, links }, baseUrl) => {
      const absolute = (path: string | null) => path && baseUrl + path;
      return {
        meta: {
          page,
          page_size: pageSize,
          first_page_url: absolute(links.first),
          previous_page_url: absolute(links.previous),
          url: absolute(links.self),
          next_page_url: absolute(links.next),
          key,
        },
      };
    },
    namedPath: (path) => (path.startsWith(`${root}/`) ? path.slice(root.length) : path),
  };
};

const api2010: Dialect = {
  collection: (definition, { account, parent }) => {
    if (definition.isAccount) return '/2010-04-01/Accounts';
    const above = definition.parent
      ? `${api2010.collection(definition.parent, { account, parent })}/${parent}`
      : `/2010-04-01/Accounts/${account}`;
    return `${above}/${definition.path}`;
  },
  suffix: '.json',
  formatDate: remembered((ms) => new Date(ms).toUTCString().replace('GMT', '+0000')),
  addresses: (definition, row) => ({
    uri: `${pathOf(definition, row)}.json`,
    ...(definition.links && { subresource_uris: below(definition, row, (path) => `${path}.json`) }),
  }),
  envelope: ({ page, pageSize, count, links }) => ({
    first_page_uri: links.first,
    previous_page_uri: links.previous,
    uri: links.self,
    next_page_uri: links.next,
    page,
    page_size: pageSize,
    start: count === 0 ? 0 : page * pageSize,
    end: count === 0 ? 0 : page * pageSize + count - 1,
  }),
  namedPath: (path) => path,
};

const DIALECTS: Readonly<Record<AnyResource['api'], Dialect>> = {
  v1: v1('/v1'),
  'tandem/v1': v1('/tandem/v1'),
  '2010-04-01': api2010,
};

export const dialectOf = (definition: AnyResource): Dialect => DIALECTS[definition.api];

/** Path of a row, no suffix. */
export function pathOf(definition: AnyResource, row: AnyRow): string {
  const parent = parentField(definition);
  const sids = { account: row.accountSid, parent: parent ? String(row[parent]) : '' };
  return `${dialectOf(definition).collection(definition, sids)}/${shownSid(definition, row)}`;
}

/** Path of a row of the account that has no parent, no suffix; whether there is one does not matter. */
export const pathOfSid = (definition: AnyResource, account: string, sid: string): string =>
  `${dialectOf(definition).collection(definition, { account, parent: '' })}/${sid}`;
