// The official client performs every operation of every resource that it knows, and reads every error.
import twilio from 'twilio';
import { describe, expect, it } from 'vitest';
import { resources, views } from '../../src/resources/index.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';
import { CASES, type Case, type ClientList, type Instance } from './client-cases.ts';

const ROWS = 5;

/** The client has no words for them. */
const OURS = [...resources, ...views].filter(({ api }) => api === 'tandem/v1').map(({ name }) => name);
/** Read through the client below. */
const READ_ONLY = ['CallEvent', 'CallNotification', 'Notification', 'Recording', 'CallRecording'];

const caseOf = (name: string): Case => CASES[name] as Case;
const definitionOf = (name: string) => [...resources, ...views].find((each) => each.name === name);

interface World extends ApiServer {
  readonly list: ClientList;
  create(values: object): Promise<Instance>;
  /** The oldest first. */
  readonly rows: readonly Instance[];
}

async function world(name: string): Promise<World> {
  const { list: listOf, values, create } = caseOf(name);
  const server = await startApi();
  const { client } = server;
  const list = (await listOf(client)) as ClientList;
  const made = async (given: object) =>
    (create ? await create(client, given) : await list.create(given)) as Instance;
  const rows: Instance[] = [];
  for (let number = 0; number < ROWS; number += 1) rows.push(await made(await values(client, number)));
  return { ...server, list, create: made, rows };
}

const sids = (rows: readonly Instance[]): readonly string[] => rows.map(({ sid }) => sid);

/** Newest first, as lists have them. */
const expected = ({ rows }: World): readonly string[] => sids(rows).toReversed();

/** What the error is for a program that catches it. */
const refusal = (promise: Promise<unknown> | undefined): Promise<unknown> =>
  Promise.resolve(promise).then(
    () => 'done',
    (error: unknown) => (error instanceof twilio.RestException ? [error.status, error.code] : error),
  );

function each(list: ClientList, options: object): Promise<readonly Instance[]> {
  return new Promise((resolve, reject) => {
    const seen: Instance[] = [];
    const done = (error?: Error): void => (error ? reject(error) : resolve(seen));
    list.each({ ...options, done }, (instance) => seen.push(instance));
  });
}

it('covers every resource', () => {
  const served = [...resources, ...views].filter(({ operations }) => operations.length > 0);
  const names = served.map(({ name }) => name).filter((name) => !OURS.includes(name));
  expect([...Object.keys(CASES), ...READ_ONLY].toSorted()).toEqual(names.toSorted());
});

async function listsAndPages(made: World): Promise<void> {
  const { list } = made;
  const all = expected(made);
  expect(sids(await list.list()).slice(0, ROWS)).toEqual(all);
  expect(sids(await list.list({ limit: 3, pageSize: 2 }))).toEqual(all.slice(0, 3));
  expect(sids(await list.list({ limit: 2 }))).toEqual(all.slice(0, 2));
  expect(sids(await list.list({ pageSize: 2 })).slice(0, ROWS)).toEqual(all);
  expect(sids(await each(list, { pageSize: 2 })).slice(0, ROWS)).toEqual(all);
  expect(sids(await each(list, { limit: 3 }))).toEqual(all.slice(0, 3));

  const first = await list.page({ pageSize: 2 });
  const second = await first.nextPage();
  const third = await second?.nextPage();
  const begins = [first, second, third].map((page) => page?.instances[0]?.sid);
  expect(begins).toEqual([all[0], all[2], all[4]]);
  expect(sids((await third?.previousPage())?.instances ?? [])).toEqual(all.slice(2, 4));
  expect(sids((await second?.previousPage())?.instances ?? [])).toEqual(all.slice(0, 2));
  expect(first.previousPage()).toBeUndefined();
  const got = await list.getPage(first.nextPageUrl ?? '');
  expect(sids(got.instances)).toEqual(all.slice(2, 4));
  expect(await refusal(list.page({ pageToken: 'PAx' }))).toEqual([400, 21481]);
}

/** Of the last row, which is the one that is changed and removed. */
async function updates({ list, rows, client }: World, name: string): Promise<void> {
  const { update, updated } = caseOf(name);
  const { sid, dateCreated } = rows.at(-1) as Instance;
  const fetched = await list(sid).fetch();
  expect([fetched.sid, fetched.dateCreated]).toEqual([sid, dateCreated]);
  const isChangeable = definitionOf(name)?.operations.includes('update');
  expect(update !== undefined).toBe(isChangeable);
  if (!update) return;
  const values = typeof update === 'function' ? await update(client) : update;
  expect(await list(sid).update?.(values)).toMatchObject({ sid, ...updated });
  expect(await fetched.update?.(values)).toMatchObject({ ...updated });
  expect(await list(sid).fetch()).toMatchObject({ ...updated });
  const stranger = list(`${sid.slice(0, 2)}${'0'.repeat(32)}`);
  expect(await refusal(stranger.update?.(values))).toEqual([404, 20404]);
}

async function removes({ list, rows, store }: World, name: string): Promise<void> {
  const { sid } = rows.at(-1) as Instance;
  if (name === 'Call') await store.journal.commit({ update: { sid, patch: { status: 'completed' } } });
  expect(await list(sid).remove()).toBe(true);
  expect(await refusal(list(sid).fetch())).toEqual([404, 20404]);
  expect(await refusal(list(sid).remove())).toEqual([404, 20404]);
  expect(sids(await list.list())).toEqual(sids(rows.slice(0, -1)).toReversed());
}

it.each(Object.keys(CASES))('%s', async (name) => {
  const made = await world(name);
  await listsAndPages(made);
  await updates(made, name);
  const [values, code] = caseOf(name).refused;
  expect(await refusal(made.create(values))).toEqual([code === 20404 ? 404 : 400, code]);
  if (name !== 'Account') await removes(made, name);
});

describe('what the client only reads', () => {
  it('is listed', async () => {
    const { client, calls } = await startApi();
    const { sid } = await client.calls.create({ to: 'sip:a.example', from: 'a', twiml: '<Response/>' });
    expect(calls.orders).toHaveLength(1);
    expect(await client.calls(sid).events.list()).toHaveLength(1);
    const [notification] = await client.calls(sid).notifications.list();
    expect(
      (
        await client
          .calls(sid)
          .notifications(notification?.sid ?? '')
          .fetch()
      ).callSid,
    ).toBe(sid);
    expect((await client.api.v2010.account.notifications.list()).map((each) => each.sid)).toEqual([
      notification?.sid,
    ]);
  });
});
