// The two ways Twilio's APIs write the same thing: paths, dates, addresses and lists.
import { type AnyResource, type AnyRow, parentField } from '../resources/index.ts';
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
  addresses(definition: AnyResource, path: string, baseUrl: string): JsonObject;
  envelope(shape: PageShape, baseUrl: string): JsonObject;
  /** The path as error messages name it. */
  namedPath(path: string): string;
}

const each = (links: AnyResource['links'], address: (path: string) => string): JsonObject =>
  Object.fromEntries(Object.entries(links ?? {}).map(([name, path]) => [name, address(path)]));

const v1: Dialect = {
  collection: (definition, { account, parent }) =>
    definition.parent
      ? `${v1.collection(definition.parent, { account, parent })}/${parent}/${definition.path}`
      : `/v1/${definition.path}`,
  suffix: '',
  formatDate: (ms) => `${new Date(ms).toISOString().slice(0, 19)}Z`,
  addresses: (definition, path, baseUrl) => {
    const url = baseUrl + path;
    return { url, ...(definition.links && { links: each(definition.links, (below) => `${url}/${below}`) }) };
  },
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
  namedPath: (path) => path.replace(/^\/v1(?=\/)/, ''),
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
  formatDate: (ms) => new Date(ms).toUTCString().replace('GMT', '+0000'),
  addresses: (definition, path) => ({
    uri: `${path}.json`,
    ...(definition.links && { subresource_uris: each(definition.links, (below) => `${path}/${below}.json`) }),
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

export const dialectOf = (definition: AnyResource): Dialect => (definition.api === 'v1' ? v1 : api2010);

/** Path of a row, no suffix. */
export function pathOf(definition: AnyResource, row: AnyRow): string {
  const parent = parentField(definition);
  const sids = { account: row.accountSid, parent: parent ? String(row[parent]) : '' };
  return `${dialectOf(definition).collection(definition, sids)}/${row.sid}`;
}
