// Lists of calls by every filter, as the official client names them, and page by page.
import { expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { call, newRow, type Row } from '../../src/resources/index.ts';
import { OWNER, STRANGER, startApi } from '../support/api-server.ts';

const world = { clock: systemClock, random: systemRandom() };
const PARENT = `CA${'9'.repeat(32)}`;
const day = (date: number, hour = 0) => Date.UTC(2026, 2, date, hour);

/** Calls by the name that a test knows them by, oldest first. */
const CALLS: Readonly<Record<string, Partial<Row<typeof call>>>> = {
  first: { to: '+14155550001', status: 'completed', startTime: day(1), endTime: day(1, 1) },
  second: { to: '+14155550002', status: 'busy', startTime: day(1, 23), endTime: day(2) },
  third: { from: 'alice', parentCallSid: PARENT, status: 'completed', startTime: day(2), endTime: day(3) },
  fourth: { to: 'sip:bob@a.example', status: 'in-progress', startTime: day(3, 12) },
  fifth: {},
};

async function startWithCalls() {
  const server = await startApi();
  const names = new Map<string, string>();
  const defaults = { to: '+14155550009', from: '+14155550100', direction: 'outbound-api' } as const;
  for (const [name, values] of Object.entries(CALLS)) {
    const row = newRow(call, { accountSid: OWNER.sid, ...defaults, ...values }, world);
    names.set(row.sid, name);
    await server.store.journal.commit({ insert: row });
  }
  const foreign = newRow(call, { accountSid: STRANGER.sid, ...defaults }, world);
  await server.store.journal.commit({ insert: foreign });
  return { ...server, nameOf: ({ sid }: { readonly sid: string }) => names.get(sid) };
}

it('narrows by every filter, newest first', async () => {
  const { client, nameOf } = await startWithCalls();
  const found = async (filter: Parameters<typeof client.calls.list>[0] & object) =>
    (await client.calls.list(filter)).map(nameOf);
  const at = (ms: number) => new Date(ms);
  expect(await found({})).toEqual(['fifth', 'fourth', 'third', 'second', 'first']);
  expect(await found({ to: '+14155550002' })).toEqual(['second']);
  expect(await found({ to: 'sip:bob@a.example' })).toEqual(['fourth']);
  expect(await found({ from: 'alice' })).toEqual(['third']);
  expect(await found({ parentCallSid: PARENT })).toEqual(['third']);
  expect(await found({ status: 'completed' })).toEqual(['third', 'first']);
  expect(await found({ startTime: at(day(2)) })).toEqual(['third']);
  expect(await found({ startTimeAfter: at(day(1, 23)) })).toEqual(['fourth', 'third', 'second']);
  expect(await found({ startTimeBefore: at(day(1, 23)) })).toEqual(['second', 'first']);
  expect(await found({ startTimeAfter: at(day(1, 1)), startTimeBefore: at(day(2)) })).toEqual([
    'third',
    'second',
  ]);
  expect(await found({ endTime: at(day(2)) })).toEqual(['second']);
  expect(await found({ endTimeAfter: at(day(2)), status: 'completed' })).toEqual(['third']);
  expect(await found({ endTimeBefore: at(day(1, 1)) })).toEqual(['first']);
  expect(await found({ to: '+1999' })).toEqual([]);
});

it('keeps the filters in the links from page to page', async () => {
  const { client, ask, nameOf } = await startWithCalls();
  const path = `/2010-04-01/Accounts/${OWNER.sid}/Calls.json?StartTime%3E=2026-03-01&Status=completed&PageSize=1`;
  const page = async (uri: string) =>
    (await (await ask(uri)).json()) as Record<string, string> & { calls: { sid: string }[] };
  const one = await page(path);
  expect(one.calls.map(nameOf)).toEqual(['third']);
  expect(one.next_page_uri).toContain(
    'StartTime%3E=2026-03-01&Status=completed&PageSize=1&Page=1&PageToken=PA',
  );
  const two = await page(one.next_page_uri ?? '');
  expect(two.calls.map(nameOf)).toEqual(['first']);
  expect(two.next_page_uri).toBeNull();
  expect((await page(two.previous_page_uri ?? '')).calls.map(nameOf)).toEqual(['third']);
  const paged = await client.calls.list({
    status: 'completed',
    startTimeAfter: new Date(day(1)),
    pageSize: 1,
  });
  expect(paged.map(nameOf)).toEqual(['third', 'first']);
});

it('is in the order of its date, whatever the order in which the calls were made, while others come', async () => {
  const { client, store, ask } = await startApi();
  const add = async (startTime: number): Promise<string> => {
    const parties = { to: '+14155550009', from: '+14155550100', direction: 'inbound' } as const;
    const row = newRow(call, { accountSid: OWNER.sid, ...parties, startTime }, world);
    await store.journal.commit({ insert: row });
    return row.sid;
  };
  const [third, first, fourth, second] = [
    await add(day(3)),
    await add(day(1)),
    await add(day(3)),
    await add(day(2)),
  ];
  await add(day(9));
  const filter = { startTimeAfter: new Date(day(1)), startTimeBefore: new Date(day(4)) };
  const sids = (calls: readonly { readonly sid: string }[]) => calls.map(({ sid }) => sid);
  expect(sids(await client.calls.list(filter))).toEqual([fourth, third, second, first]);

  const newest = await client.calls.page({ ...filter, pageSize: 1 });
  const pages: NonNullable<Awaited<ReturnType<typeof newest.nextPage>>>[] = [newest];
  for (;;) {
    // One before, one after, and one at the very moment of what was read.
    await Promise.all([add(day(3, 12)), add(day(0)), add(day(3))]);
    const next = await pages.at(-1)?.nextPage();
    if (!next) break;
    pages.push(next);
  }
  expect(pages.flatMap(({ instances }) => sids(instances))).toEqual([fourth, third, second, first]);
  const back = await pages.at(-1)?.previousPage();
  expect(sids(back?.instances ?? [])).toEqual([second]);
  expect(sids((await back?.previousPage())?.instances ?? [])).toEqual([third]);

  const list = `/2010-04-01/Accounts/${OWNER.sid}/Calls.json`;
  const tokenOf = (url = '') => /PageToken=(\w+)/.exec(url)?.[1];
  const byDate = tokenOf(newest.nextPageUrl);
  const byCreation = tokenOf((await client.calls.page({ pageSize: 1 })).nextPageUrl);
  expect((await ask(`${list}?PageToken=${byDate}`)).status).toBe(400);
  expect((await ask(`${list}?StartTime%3E=2026-03-01&PageToken=${byCreation}`)).status).toBe(400);
});
