// Every resource shows exactly the properties, takes exactly the parameters and filters by exactly the words of Twilio's.
import { describe, expect, it } from 'vitest';
import { parameterName, resources, views } from '../../src/resources/index.ts';
import { startApi } from '../support/api-server.ts';
import { type Json, oneOfEach } from './one-of-each.ts';
import { LIST_KEYS, SHAPES } from './shapes.ts';

const TWO_DIGIT_DAY = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} \+0000$/;
const ISO_SECONDS = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/** Dialing permissions have routes of their own and no row that is shown: src/api/dialing-permissions.test.ts. */
const served = [...resources, ...views].filter(({ operations }) => operations.length > 0);

/** Actions have parameters of their own: src/api/calls.test.ts, src/api/numbers.test.ts. */
const ACTIONS = ['Call', 'TrunkPhoneNumber'];

/** Lists alone show them. */
const UNFETCHED = ['CallEvent'];

const PROPERTIES_OF_CREATION: Readonly<Record<string, readonly string[]>> = { Key: ['secret'] };

it('covers every resource', () => {
  expect(Object.keys(SHAPES).toSorted()).toEqual(served.map(({ name }) => name).toSorted());
});

it('shows the properties and links of each, alone and in lists', async () => {
  const { ask } = await startApi();
  const made = await oneOfEach(ask);
  expect(Object.keys(made).toSorted()).toEqual(Object.keys(SHAPES).toSorted());
  for (const [name, { properties, instanceProperties, links }] of Object.entries(SHAPES)) {
    const { collection = '', instance = '', json = {} } = made[name] ?? {};
    const once = PROPERTIES_OF_CREATION[name] ?? [];
    expect([name, Object.keys(json).toSorted()]).toEqual([name, [...properties, ...once].toSorted()]);
    if (!UNFETCHED.includes(name)) {
      const fetched = (await (await ask(instance)).json()) as Json;
      const all = [...properties, ...instanceProperties];
      expect([name, Object.keys(fetched).toSorted()]).toEqual([name, all.toSorted()]);
    }
    expect([name, Object.keys(json.links ?? json.subresource_uris ?? {}).toSorted()]).toEqual([
      name,
      links.toSorted(),
    ]);
    const date = collection.startsWith('/2010') ? TWO_DIGIT_DAY : ISO_SECONDS;
    const dates = properties.includes('date_created') ? [json.date_created, json.date_updated] : [];
    expect(dates.every((text) => date.test(String(text)))).toBe(true);
    const page = (await (await ask(collection)).json()) as Record<string, readonly Json[]>;
    const rows = page[LIST_KEYS[name] ?? ''] ?? [];
    expect([name, rows.map((row) => row.sid)]).toEqual([name, expect.arrayContaining([json.sid])]);
    expect([name, Object.keys(rows[0] ?? {}).toSorted()]).toEqual([name, properties.toSorted()]);
  }
});

it('shows addresses that lead back to the row', async () => {
  const { ask, url } = await startApi();
  for (const [name, { json }] of Object.entries(await oneOfEach(ask))) {
    const address = (json.url as string | undefined)?.slice(url.length) ?? (json.uri as string | undefined);
    if (address === undefined) continue;
    expect([name, ((await (await ask(address)).json()) as Json).sid]).toEqual([name, json.sid]);
  }
});

describe.each(served.map((definition) => [definition.name, definition] as const))(
  '%s',
  (name, definition) => {
    const { createParameters = [], updateParameters = [], filters } = SHAPES[name] ?? {};

    it('takes the parameters', () => {
      if (ACTIONS.includes(name)) return;
      const taken = (operation: 'create' | 'update') =>
        Object.entries(definition.fields)
          .filter(([, field]) => field.isParameterOf(operation))
          .map(([field]) => parameterName(field))
          .toSorted();
      expect(taken('create')).toEqual(createParameters.toSorted());
      if (definition.operations.includes('update'))
        expect(taken('update')).toEqual(updateParameters.toSorted());
    });

    it('filters lists', () => {
      expect((definition.filters ?? []).map(parameterName).toSorted()).toEqual(filters?.toSorted());
    });
  },
);
