// Lists through the official client, in both dialects, while rows come and go.
import { describe, expect, it } from 'vitest';
import { type ApiServer, OWNER, startApi } from '../../test/support/api-server.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { call, newRow } from '../resources/index.ts';

const names = (rows: readonly { friendlyName: string }[]) => rows.map((row) => row.friendlyName);
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

async function makePolicies({ client }: ApiServer, from: number, to: number): Promise<void> {
  for (const friendlyName of numbered(from, to))
    await client.voice.v1.connectionPolicies.create({ friendlyName });
}

describe('v1', () => {
  it('pages forth and back with links that can be followed', async () => {
    const server = await startApi();
    await makePolicies(server, 1, 5);
    const { connectionPolicies } = server.client.voice.v1;
    const first = await connectionPolicies.page({ pageSize: 2 });
    expect(names(first.instances)).toEqual(['5', '4']);
    const second = await first.nextPage();
    const third = await second?.nextPage();
    expect(names(third?.instances ?? [])).toEqual(['1']);
    expect(third?.nextPageUrl).toBeUndefined();
    expect(names((await third?.previousPage())?.instances ?? [])).toEqual(['3', '2']);
    expect(names((await second?.previousPage())?.instances ?? [])).toEqual(['5', '4']);
    expect(names(await connectionPolicies.list({ limit: 3, pageSize: 2 }))).toEqual(['5', '4', '3']);
    expect(names(await connectionPolicies.list({ limit: 5000 }))).toHaveLength(5);
  });

  it('has Twilio’s envelope', async () => {
    const server = await startApi();
    const list = `${server.url}/v1/ConnectionPolicies`;
    expect(await (await server.ask('/v1/ConnectionPolicies')).json()).toEqual({
      meta: {
        page: 0,
        page_size: 50,
        first_page_url: `${list}?PageSize=50&Page=0`,
        previous_page_url: null,
        url: `${list}?PageSize=50&Page=0`,
        next_page_url: null,
        key: 'connection_policies',
      },
      connection_policies: [],
    });
    await makePolicies(server, 1, 2);
    const { meta } = (await (await server.ask('/v1/ConnectionPolicies?PageSize=1')).json()) as {
      meta: Record<string, string>;
    };
    expect(meta.next_page_url).toMatch(/\?PageSize=1&Page=1&PageToken=PA[0-9a-f]{32}$/);
    const next = (await (await server.ask((meta.next_page_url ?? '').slice(server.url.length))).json()) as {
      meta: Record<string, unknown>;
    };
    expect(next.meta).toMatchObject({ page: 1, page_size: 1, next_page_url: null, url: meta.next_page_url });
    expect(next.meta.previous_page_url).toMatch(/\?PageSize=1&Page=0&PageToken=PB[0-9a-f]{32}$/);
  });

  it('shows every row that stays exactly once while others come and go', async () => {
    const server = await startApi();
    await makePolicies(server, 1, 30);
    const { connectionPolicies } = server.client.voice.v1;
    const seen: string[] = [];
    let page = await connectionPolicies.page({ pageSize: 4 });
    let created = 100;
    for (;;) {
      seen.push(...names(page.instances));
      const last = page.instances.at(-1);
      const [next] = await Promise.all([
        page.nextPage(),
        makePolicies(server, created, created + 1),
        last ? connectionPolicies(last.sid).remove() : undefined,
      ]);
      created += 2;
      if (!next) break;
      page = next as typeof page;
    }
    expect(seen).toEqual(numbered(1, 30).toReversed());
  });

  it.each([
    ['PageSize=0', 400, 20001],
    ['PageSize=x', 400, 20001],
    ['PageSize=-1', 400, 20001],
    ['Page=x', 400, 20001],
    ['PageToken=x', 400, 21481],
    ['PageToken=PA', 400, 21481],
    [`PageToken=PA${'f'.repeat(32)}`, 400, 21481],
    [`PageToken=PX${'0'.repeat(32)}`, 400, 21481],
    ['PageSize=', 200, undefined],
    ['PageToken=', 200, undefined],
    ['PageSize=1000', 200, undefined],
  ])('%s is %i', async (query, status, code) => {
    const { ask } = await startApi();
    const response = await ask(`/v1/ConnectionPolicies?${query}`);
    expect([response.status, ((await response.json()) as { code?: number }).code]).toEqual([status, code]);
  });

  it('takes more than 1000 a page for 1000', async () => {
    const { ask } = await startApi();
    const { meta } = (await (await ask('/v1/ByocTrunks?PageSize=2000')).json()) as { meta: unknown };
    expect(meta).toMatchObject({ page_size: 1000, key: 'byoc_trunks' });
  });
});

describe('2010-04-01', () => {
  it('has its own envelope and keeps filters in its links', async () => {
    const server = await startApi();
    const world = { clock: systemClock, random: systemRandom() };
    for (const to of ['+1', '+2', '+1', '+1']) {
      const row = newRow(call, { accountSid: OWNER.sid, to, from: '+9', direction: 'outbound-api' }, world);
      await server.store.journal.commit({ insert: row });
    }
    const path = `/2010-04-01/Accounts/${OWNER.sid}/Calls.json`;
    const first = (await (await server.ask(`${path}?To=%2B1&PageSize=2`)).json()) as Record<string, unknown>;
    expect(first).toMatchObject({
      first_page_uri: `${path}?To=%2B1&PageSize=2&Page=0`,
      previous_page_uri: null,
      uri: `${path}?To=%2B1&PageSize=2&Page=0`,
      page: 0,
      page_size: 2,
      start: 0,
      end: 1,
    });
    const second = (await (await server.ask(String(first.next_page_uri))).json()) as Record<string, unknown>;
    expect(second).toMatchObject({ next_page_uri: null, page: 1, start: 2, end: 2, calls: [{ to: '+1' }] });
    const none = await (await server.ask(`${path}?To=%2B7`)).json();
    expect(none).toMatchObject({ start: 0, end: 0, calls: [], next_page_uri: null });
    expect(await server.client.calls.list({ to: '+1', pageSize: 1 })).toHaveLength(3);
  });
});
