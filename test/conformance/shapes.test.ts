// Every resource shows exactly the properties, takes exactly the parameters and filters by exactly the words of Twilio's.
import { describe, expect, it } from 'vitest';
import { parameterName, resources } from '../../src/resources/index.ts';
import { OWNER, startApi } from '../support/api-server.ts';
import { SHAPES } from './shapes.ts';

type Json = Record<string, unknown>;

const TWO_DIGIT_DAY = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} \+0000$/;
const ISO_SECONDS = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/** One of each, as the API shows it. */
async function oneOfEach(): Promise<Readonly<Record<string, Json>>> {
  const { ask } = await startApi();
  const create = async (path: string, form: Record<string, string> = {}): Promise<Json> => {
    const response = await ask(path, { method: 'POST', body: new URLSearchParams(form) });
    expect(response.status).toBe(201);
    return (await response.json()) as Json;
  };
  const policy = await create('/v1/ConnectionPolicies');
  return {
    ConnectionPolicy: policy,
    ConnectionPolicyTarget: await create(`/v1/ConnectionPolicies/${policy.sid}/Targets`, {
      Target: 'sip:a.example',
    }),
    ByocTrunk: await create('/v1/ByocTrunks'),
    Call: await create(`/2010-04-01/Accounts/${OWNER.sid}/Calls.json`, {
      To: 'sip:a.example',
      From: 'a',
      Twiml: '<Response/>',
    }),
    Account: (await (await ask(`/2010-04-01/Accounts/${OWNER.sid}.json`)).json()) as Json,
  };
}

it('covers every resource', () => {
  expect(Object.keys(SHAPES).toSorted()).toEqual(resources.map(({ name }) => name).toSorted());
});

it('shows the properties and links of each', async () => {
  const shown = await oneOfEach();
  for (const [name, { properties, links }] of Object.entries(SHAPES)) {
    const json = shown[name] ?? {};
    expect([name, Object.keys(json).toSorted()]).toEqual([name, properties.toSorted()]);
    expect([name, Object.keys(json.links ?? json.subresource_uris ?? {}).toSorted()]).toEqual([
      name,
      links.toSorted(),
    ]);
    const date = 'uri' in json ? TWO_DIGIT_DAY : ISO_SECONDS;
    expect([json.date_created, json.date_updated].every((text) => date.test(String(text)))).toBe(true);
  }
});

describe.each(resources.map((definition) => [definition.name, definition] as const))(
  '%s',
  (name, definition) => {
    const { createParameters, updateParameters, filters } = SHAPES[name] ?? {};

    it('takes the parameters', () => {
      const taken = Object.entries(definition.fields)
        .filter(([, field]) => field.isParameter)
        .map(([field]) => parameterName(field));
      // Calls are an action with parameters of their own: src/api/calls.test.ts.
      const expected =
        name === 'Call'
          ? ['To', 'From']
          : [...new Set([...(createParameters ?? []), ...(updateParameters ?? [])])];
      expect(taken.toSorted()).toEqual(expected.toSorted());
    });

    it('filters lists', () => {
      expect((definition.filters ?? []).map(parameterName).toSorted()).toEqual(filters?.toSorted());
    });
  },
);
