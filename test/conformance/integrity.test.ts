// What holds by any order of creates, updates and deletes, and when they come at once.

import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/lib/random.ts';
import { type AnyRow, type BaseRow, newSid, resourceOfSid, resources } from '../../src/resources/index.ts';
import { IntegrityError, type Store } from '../../src/store/index.ts';
import { startApi } from '../support/api-server.ts';
import { ACCOUNT_PATH, type Ask, create, type Json, oneOfEach, post } from './one-of-each.ts';

const PASSWORD = 'Correct-horse-1';

/** How many of `count` requests at once were answered with each status and code. */
async function tally(count: number, request: (index: number) => Promise<Response>): Promise<Json> {
  const answers = await Promise.all(Array.from({ length: count }, (_, index) => request(index)));
  const counts: Record<string, number> = {};
  for (const answer of answers) {
    const { code = '' } = answer.status === 204 ? {} : ((await answer.json()) as Json);
    const key = `${answer.status} ${code}`.trim();
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

describe('when many come at once', () => {
  it('a name is taken once', async () => {
    const { ask } = await startApi();
    const domains = `${ACCOUNT_PATH}/SIP/Domains.json`;
    const list = await create(ask, `${ACCOUNT_PATH}/SIP/CredentialLists.json`, { FriendlyName: 'list' });
    const acl = await create(ask, `${ACCOUNT_PATH}/SIP/IpAccessControlLists.json`, { FriendlyName: 'list' });
    const domain = await create(ask, domains, { DomainName: 'x.sip.twilio.com' });
    const trunk = await create(ask, '/v1/Trunks');
    const below = (path: string, rest: string) => `${path.replace('.json', '')}/${rest}`;
    const CredentialListSid = String(list.json.sid);
    const cases: readonly (readonly [string, Record<string, string>, number])[] = [
      [domains, { DomainName: 'a.sip.twilio.com' }, 21232],
      ['/v1/Trunks', { DomainName: 'a.pstn.twilio.com' }, 21248],
      [list.collection, { FriendlyName: 'a' }, 21240],
      [acl.collection, { FriendlyName: 'a' }, 21235],
      [below(list.instance, 'Credentials.json'), { Username: 'bob', Password: PASSWORD }, 21243],
      [below(acl.instance, 'IpAddresses.json'), { FriendlyName: 'a', IpAddress: '192.0.2.1' }, 21235],
      [below(domain.instance, 'Auth/Calls/CredentialListMappings.json'), { CredentialListSid }, 21231],
      [below(trunk.instance, 'CredentialLists'), { CredentialListSid }, 21245],
      [`${ACCOUNT_PATH}/IncomingPhoneNumbers.json`, { PhoneNumber: '+14155550123' }, 21422],
    ];
    for (const [path, form, code] of cases) {
      expect([path, await tally(8, () => post(ask, path, form))]).toEqual([
        path,
        { 201: 1, [`400 ${code}`]: 7 },
      ]);
    }
  });

  it('a limit is reached and not passed', async () => {
    const { ask } = await startApi();
    const acl = await create(ask, `${ACCOUNT_PATH}/SIP/IpAccessControlLists.json`, { FriendlyName: 'list' });
    const trunk = await create(ask, '/v1/Trunks');
    const policy = await create(ask, '/v1/ConnectionPolicies');
    const credentials = await create(ask, `${ACCOUNT_PATH}/SIP/CredentialLists.json`, {
      FriendlyName: 'many',
    });
    const url = { FriendlyName: 'a', SipUrl: 'sip:a.example', Priority: '1', Weight: '1', Enabled: 'true' };
    const cases: readonly (readonly [string, (index: number) => Record<string, string>, number, number])[] = [
      [`${policy.instance}/Targets`, () => ({ Target: 'sip:a.example' }), 10, 21254],
      [
        credentials.instance.replace('.json', '/Credentials.json'),
        (index) => ({ Username: `u${index}`, Password: PASSWORD }),
        1000,
        21242,
      ],
      [`${trunk.instance}/OriginationUrls`, () => url, 10, 21249],
      [
        `${ACCOUNT_PATH}/SIP/Domains.json`,
        (index) => ({ DomainName: `d${index}.sip.twilio.com` }),
        100,
        21230,
      ],
      [`${ACCOUNT_PATH}/SIP/CredentialLists.json`, (index) => ({ FriendlyName: `l${index}` }), 99, 21239],
      ['/v1/Trunks', () => ({}), 99, 21244],
      [
        acl.instance.replace('.json', '/IpAddresses.json'),
        (index) => ({ FriendlyName: `a${index}`, IpAddress: `192.0.2.${index}` }),
        100,
        21237,
      ],
    ];
    for (const [path, form, limit, code] of cases) {
      expect([path, await tally(limit + 5, (index) => post(ask, path, form(index)))]).toEqual([
        path,
        { 201: limit, [`400 ${code}`]: 5 },
      ]);
    }
  }, 60_000);

  it('what is deleted is not referred to, and what is referred to is not deleted', async () => {
    const { ask, store } = await startApi();
    const list = await create(ask, `${ACCOUNT_PATH}/SIP/CredentialLists.json`, { FriendlyName: 'list' });
    const CredentialListSid = String(list.json.sid);
    const domains = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        create(ask, `${ACCOUNT_PATH}/SIP/Domains.json`, { DomainName: `d${index}.sip.twilio.com` }),
      ),
    );
    const map = (index: number) =>
      post(ask, domains[index]?.instance.replace('.json', '/Auth/Calls/CredentialListMappings.json') ?? '', {
        CredentialListSid,
      });
    const [statuses, removed] = await Promise.all([
      Promise.all(domains.map(async (_, index) => (await map(index)).status)),
      ask(list.instance, { method: 'DELETE' }),
    ]);
    const mapped = statuses.filter((status) => status === 201).length;
    expect([204, 400]).toContain(removed.status);
    expect(removed.status === 204 ? mapped : mapped > 0).toBe(removed.status === 204 ? 0 : true);
    expect(statuses.filter((status) => status !== 201 && status !== 404)).toEqual([]);
    expect(await dangling(store)).toEqual([]);
  });
});

/** References, parents and mirrored rows that lead nowhere. */
async function dangling(store: Store): Promise<readonly string[]> {
  const found: string[] = [];
  for (const definition of resources.filter(({ kind }) => kind === 'configuration')) {
    const { rows } = await store.list(definition, { limit: 1000 });
    const bySid = (each: readonly BaseRow[]) => each.toSorted((a, b) => (a.sid < b.sid ? -1 : 1));
    if (!isDeepStrictEqual(bySid(store.directory.all(definition)), bySid(rows))) {
      found.push(`mirror of ${definition.name}`);
    }
    for (const row of rows as unknown as readonly Record<string, string>[]) {
      for (const [name, { reference }] of Object.entries(definition.fields)) {
        const target = resourceOfSid(reference?.prefix ?? '');
        if (!target || row[name] === null || row[name] === undefined) continue;
        const field = reference?.field ?? 'sid';
        const exists = store.directory
          .all(target)
          .some((each) => (each as unknown as Record<string, string>)[field] === row[name]);
        if (!exists) found.push(`${definition.name}.${name} ${row[name]}`);
      }
    }
  }
  return found;
}

describe('whatever order', () => {
  /** Paths of rows by kind, as far as the test knows. */
  type Known = Record<string, string[]>;

  const sidOf = (path: string | undefined): string =>
    path?.replace('.json', '').split('/').at(-1) ?? `XX${'0'.repeat(32)}`;

  interface Step {
    readonly kind: string;
    path(pick: (kind: string) => string | undefined): string;
    form(pick: (kind: string) => string | undefined, serial: number): Record<string, string>;
  }

  /** They can be made and deleted only. */
  const FIXED = ['mapping', 'trunkList', 'trunkNumber'];

  const below = (path: string | undefined, rest: string): string =>
    `${(path ?? `${ACCOUNT_PATH}/SIP/Domains/SD0`).replace('.json', '')}/${rest}`;

  const STEPS: readonly Step[] = [
    { kind: 'policy', path: () => '/v1/ConnectionPolicies', form: () => ({}) },
    {
      kind: 'target',
      path: (pick) => below(pick('policy') ?? '/v1/ConnectionPolicies/NY0', 'Targets'),
      form: () => ({ Target: 'sip:a.example' }),
    },
    {
      kind: 'byoc',
      path: () => '/v1/ByocTrunks',
      form: (pick) => ({
        ConnectionPolicySid: pick('policy') ? sidOf(pick('policy')) : '',
        FromDomainSid: pick('domain') ? sidOf(pick('domain')) : '',
      }),
    },
    {
      kind: 'domain',
      path: () => `${ACCOUNT_PATH}/SIP/Domains.json`,
      form: (pick, serial) => ({
        DomainName: `d${serial % 7}${serial % 3 === 0 ? '.d1' : ''}.sip.twilio.com`,
        ByocTrunkSid: pick('byoc') ? sidOf(pick('byoc')) : '',
        EmergencyCallerSid: pick('number') ? sidOf(pick('number')) : '',
      }),
    },
    {
      kind: 'list',
      path: () => `${ACCOUNT_PATH}/SIP/CredentialLists.json`,
      form: (_, serial) => ({ FriendlyName: `l${serial % 5}` }),
    },
    {
      kind: 'mapping',
      path: (pick) => below(pick('domain'), 'Auth/Registrations/CredentialListMappings.json'),
      form: (pick) => ({ CredentialListSid: sidOf(pick('list')) }),
    },
    {
      kind: 'trunk',
      path: () => '/v1/Trunks',
      form: (_, serial) => ({ DomainName: `t${serial % 5}${serial % 2 ? '.t0' : ''}.pstn.twilio.com` }),
    },
    {
      kind: 'trunkList',
      path: (pick) => below(pick('trunk') ?? '/v1/Trunks/TK0', 'CredentialLists'),
      form: (pick) => ({ CredentialListSid: sidOf(pick('list')) }),
    },
    {
      kind: 'number',
      path: () => `${ACCOUNT_PATH}/IncomingPhoneNumbers.json`,
      form: (pick, serial) => ({
        PhoneNumber: `+1415555010${serial % 10}`,
        TrunkSid: pick('trunk') ? sidOf(pick('trunk')) : '',
      }),
    },
    {
      kind: 'trunkNumber',
      path: (pick) => below(pick('trunk') ?? '/v1/Trunks/TK0', 'PhoneNumbers'),
      form: (pick) => ({ PhoneNumberSid: sidOf(pick('number')) }),
    },
    {
      kind: 'route',
      path: () => '/tandem/v1/CarrierRoutes',
      form: (pick) => ({ ByocTrunkSid: sidOf(pick('byoc')) }),
    },
  ];

  it.each([1, 2, 3])('nothing dangles and nothing breaks (seed %i)', async (seed) => {
    const { ask, store } = await startApi();
    const random = seededRandom(seed);
    const known: Known = {};
    const below0 = (count: number) => Math.floor(random.fraction() * count);
    const pick = (kind: string) => known[kind]?.[below0(known[kind]?.length ?? 0)];
    const statuses = new Set<number>();
    for (let round = 0; round < 25; round += 1) {
      const requests = Array.from({ length: 8 }, (_, index) => one(ask, round * 8 + index));
      for (const status of await Promise.all(requests)) statuses.add(status);
    }
    expect([...statuses].filter((status) => ![200, 201, 204, 400, 404].includes(status))).toEqual([]);
    expect(statuses.size).toBeGreaterThanOrEqual(5);
    expect(await dangling(store)).toEqual([]);

    async function one(ask: Ask, serial: number): Promise<number> {
      const step = STEPS[below0(STEPS.length)] as Step;
      const action = random.fraction();
      const path = pick(step.kind);
      if (path !== undefined && action < 0.3) return (await ask(path, { method: 'DELETE' })).status;
      if (path !== undefined && action < 0.4 && !FIXED.includes(step.kind))
        return (await post(ask, path, step.form(pick, serial))).status;
      const collection = step.path(pick);
      const response = await post(ask, collection, step.form(pick, serial));
      if (response.status === 201) {
        const { sid } = (await response.json()) as Json;
        const instance = collection.endsWith('.json')
          ? collection.replace('.json', `/${sid}.json`)
          : `${collection}/${sid}`;
        known[step.kind] = [...(known[step.kind] ?? []), instance];
      }
      return response.status;
    }
  });
});

it('the database itself keeps every rule of uniqueness', async () => {
  const { ask, store } = await startApi();
  await oneOfEach(ask);
  await post(ask, '/v1/Settings', { DialingPermissionsInheritance: 'false' });
  const update = JSON.stringify([{ iso_code: 'GB', low_risk_numbers_enabled: false }]);
  await post(ask, '/v1/DialingPermissions/BulkCountryUpdates', { UpdateRequest: update });
  await create(ask, '/v1/Trunks', { DomainName: 'a.pstn.twilio.com' });
  const random = seededRandom(1);
  for (const definition of resources) {
    const { unique = [] } = definition;
    const [row] = (await store.list(definition, { limit: 1 })).rows as unknown as readonly AnyRow[];
    for (const { fields } of unique) {
      const otherwise = unique.flatMap((rule) => rule.fields).filter((name) => !fields.includes(name));
      const changed = otherwise.map((name) => [
        name,
        typeof row?.[name] === 'number' ? row[name] - 1 : `${row?.[name]}x`,
      ]);
      const twin = { ...row, ...Object.fromEntries(changed), sid: newSid(definition.sid, random) } as AnyRow;
      const refused = await store.insert(definition, twin).then(
        () => 'inserted',
        (error: unknown) => (error instanceof IntegrityError ? error.kind : error),
      );
      expect([definition.name, fields, refused]).toEqual([definition.name, fields, 'unique']);
    }
  }
});
