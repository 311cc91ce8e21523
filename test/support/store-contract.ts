// What every store must do, whatever the database: run by each implementation's own test.
import { describe, expect, it } from 'vitest';
import {
  account,
  byocTrunk,
  call,
  callEvent,
  connectionPolicy,
  connectionPolicyTarget,
  newRow,
  type Row,
} from '../../src/resources/index.ts';
import { CursorError, IntegrityError, LimitError, type Store, StoreError } from '../../src/store/index.ts';
import { callback, clock, type OpenStore, OWNER, placed, useStore, world } from './store-stage.ts';

const policy = (friendlyName: string | null = null) =>
  newRow(connectionPolicy, { accountSid: OWNER, friendlyName }, world);
const target = (policySid: string, uri = 'sip:a.example') =>
  newRow(connectionPolicyTarget, { accountSid: OWNER, connectionPolicySid: policySid, target: uri }, world);
const trunk = (values: Partial<Row<typeof byocTrunk>> = {}) =>
  newRow(byocTrunk, { accountSid: OWNER, ...values }, world);

/** `open` gives a fresh empty store, `reopen` another on the same database after the first was closed. */
export function describeStore(name: string, open: OpenStore): void {
  let store: Store;
  let reopen: () => Promise<Store>;

  useStore(open, (opened, again) => {
    store = opened;
    reopen = again;
  });

  describe(`${name}: rows`, () => {
    it('are what was inserted, also after a reopening', async () => {
      const row = trunk({ friendlyName: 'ü', voiceUrl: 'https://u:p@a.example/', cnamLookupEnabled: true });
      expect(await store.insert(byocTrunk, row)).toEqual(row);
      expect(await store.find(byocTrunk, row.sid)).toEqual(row);
      await reopen();
      expect(await store.find(byocTrunk, row.sid)).toEqual(row);
      expect(store.directory.find(byocTrunk, row.sid)).toEqual(row);
      expect(store.directory.find(account, OWNER)?.authToken).toBe('token');
    });

    it('are updated with a new date, the rest unchanged', async () => {
      const row = await store.insert(byocTrunk, trunk({ friendlyName: 'a' }));
      clock.advance(1000);
      const updated = await store.update(byocTrunk, row.sid, { friendlyName: null, voiceMethod: 'GET' });
      expect(updated).toEqual({ ...row, friendlyName: null, voiceMethod: 'GET', dateUpdated: clock.now() });
      expect(await store.find(byocTrunk, row.sid)).toEqual(updated);
      expect(await store.update(byocTrunk, 'BY0', { friendlyName: 'x' })).toBeUndefined();
    });

    it('are removed once, children with them', async () => {
      const parent = await store.insert(connectionPolicy, policy());
      const child = await store.insert(connectionPolicyTarget, target(parent.sid));
      expect(await store.remove(connectionPolicy, parent.sid)).toBe(true);
      expect(await store.remove(connectionPolicy, parent.sid)).toBe(false);
      expect(await store.find(connectionPolicyTarget, child.sid)).toBeUndefined();
      expect(store.directory.find(connectionPolicyTarget, child.sid)).toBeUndefined();
      expect(store.directory.children(connectionPolicyTarget, parent.sid)).toEqual([]);
    });
  });

  describe(`${name}: integrity`, () => {
    const kindOf = (promise: Promise<unknown>) =>
      promise.then(
        () => 'done',
        (error: unknown) => (error instanceof IntegrityError ? error.kind : error),
      );

    it('refuses a taken sid, a missing parent, a missing reference, and removing what is referred to', async () => {
      const used = await store.insert(connectionPolicy, policy());
      await store.insert(byocTrunk, trunk({ connectionPolicySid: used.sid }));
      expect(await kindOf(store.insert(connectionPolicy, { ...policy(), sid: used.sid }))).toBe('unique');
      expect(await kindOf(store.insert(connectionPolicyTarget, target('NY0')))).toBe('reference');
      expect(await kindOf(store.insert(byocTrunk, trunk({ connectionPolicySid: 'NY0' })))).toBe('reference');
      expect(await kindOf(store.remove(connectionPolicy, used.sid))).toBe('restrict');
      expect(store.directory.find(connectionPolicy, used.sid)).toEqual(used);
    });

    it('holds a limit under concurrent inserts, per parent', async () => {
      const [one, two] = [
        await store.insert(connectionPolicy, policy()),
        await store.insert(connectionPolicy, policy()),
      ];
      const inserts = Array.from({ length: 30 }, () => store.insert(connectionPolicyTarget, target(one.sid)));
      const results = await Promise.allSettled(inserts);
      expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(10);
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(LimitError);
      }
      expect(store.directory.children(connectionPolicyTarget, one.sid)).toHaveLength(10);
      await store.insert(connectionPolicyTarget, target(two.sid));
    });
  });

  describe(`${name}: what goes along with a change`, () => {
    const beside = () => {
      const row = placed();
      return { sid: row.sid, along: { definition: call, row } };
    };

    it('is there when the change has happened', async () => {
      const [inserted, updated, removed] = [beside(), beside(), beside()];
      const row = await store.insert(connectionPolicy, policy('a'), inserted.along);
      await store.update(connectionPolicy, row.sid, { friendlyName: 'b' }, updated.along);
      expect(await store.remove(connectionPolicy, row.sid, removed.along)).toBe(true);
      for (const { sid } of [inserted, updated, removed]) expect(await store.find(call, sid)).toBeDefined();
    });

    it('is not there when it has not', async () => {
      const used = await store.insert(connectionPolicy, policy());
      await store.insert(byocTrunk, trunk({ connectionPolicySid: used.sid }));
      for (let count = 0; count < 10; count++) await store.insert(connectionPolicyTarget, target(used.sid));
      const refused = Array.from({ length: 6 }, beside);
      const along = () => refused.pop()?.along;
      const sids = refused.map(({ sid }) => sid);
      expect(await store.update(connectionPolicy, 'NY0', { friendlyName: 'x' }, along())).toBeUndefined();
      expect(await store.remove(connectionPolicy, 'NY0', along())).toBe(false);
      await expect(store.remove(connectionPolicy, used.sid, along())).rejects.toThrow(IntegrityError);
      await expect(store.insert(connectionPolicyTarget, target('NY0'), along())).rejects.toThrow(
        IntegrityError,
      );
      await expect(store.insert(connectionPolicyTarget, target(used.sid), along())).rejects.toThrow(
        LimitError,
      );
      await expect(store.insert(connectionPolicy, used, along())).rejects.toThrow(IntegrityError);
      for (const sid of sids) expect(await store.find(call, sid)).toBeUndefined();
    });
  });

  describe(`${name}: pages`, () => {
    const names = (rows: readonly { friendlyName: string | null }[]) =>
      rows.map((row) => row.friendlyName).join('');
    const insertAll = async (letters: string) => {
      for (const letter of letters) await store.insert(connectionPolicy, policy(letter));
    };

    it('go newest first, forth and back', async () => {
      await insertAll('abcde');
      const first = await store.list(connectionPolicy, { limit: 2 });
      const second = await store.list(connectionPolicy, { limit: 2, after: first.next ?? '' });
      const third = await store.list(connectionPolicy, { limit: 2, after: second.next ?? '' });
      expect([first, second, third].map((page) => names(page.rows))).toEqual(['ed', 'cb', 'a']);
      expect([first.previous, third.next]).toEqual([undefined, undefined]);
      const back = await store.list(connectionPolicy, { limit: 2, before: third.previous ?? '' });
      expect(names(back.rows)).toBe('cb');
      const start = await store.list(connectionPolicy, { limit: 2, before: back.previous ?? '' });
      expect([names(start.rows), start.previous, start.next]).toEqual(['ed', undefined, first.next]);
    });

    it('have no next one when the rows end with the page', async () => {
      await insertAll('ab');
      expect(await store.list(connectionPolicy, { limit: 2 })).not.toHaveProperty('next');
      expect(
        await store.list(connectionPolicy, {
          limit: 2,
          where: [{ field: 'friendlyName', operator: '=', value: 'x' }],
        }),
      ).toEqual({ rows: [] });
    });

    it('skip and repeat nothing when rows come and go, the one at the cursor included', async () => {
      await insertAll('abcdef');
      const first = await store.list(connectionPolicy, { limit: 2 });
      await insertAll('xyz');
      const last = first.rows.at(-1);
      await store.remove(connectionPolicy, last?.sid ?? '');
      const second = await store.list(connectionPolicy, { limit: 2, after: first.next ?? '' });
      expect(names(second.rows)).toBe('dc');
      for (const row of (await store.list(connectionPolicy, { limit: 9, after: second.next ?? '' })).rows) {
        await store.remove(connectionPolicy, row.sid);
      }
      const empty = await store.list(connectionPolicy, { limit: 2, after: second.next ?? '' });
      expect([empty.rows, empty.next]).toEqual([[], undefined]);
      expect(
        names((await store.list(connectionPolicy, { limit: 2, before: empty.previous ?? '' })).rows),
      ).toBe('dc');
    });

    it('never use a position twice', async () => {
      await insertAll('ab');
      const first = await store.list(connectionPolicy, { limit: 1 });
      await store.remove(connectionPolicy, first.rows[0]?.sid ?? '');
      await insertAll('c');
      const { rows } = await store.list(connectionPolicy, { limit: 1, after: first.next ?? '' });
      expect(names(rows)).toBe('a');
    });

    it('filter by equality and bounds', async () => {
      for (const startTime of [null, 10, 20, 30])
        await store.journal.commit({ insert: placed({ startTime }) });
      const { rows } = await store.list(call, {
        limit: 9,
        where: [
          { field: 'startTime', operator: '>=', value: 10 },
          { field: 'startTime', operator: '<', value: 30 },
        ],
      });
      expect(rows.map((row) => row.startTime)).toEqual([20, 10]);
    });

    it.each(['', 'x', '1', `${'0'.repeat(31)}g`, 'f'.repeat(32)])('refuse the cursor %j', async (after) => {
      await expect(store.list(connectionPolicy, { limit: 1, after })).rejects.toBeInstanceOf(CursorError);
    });
  });

  describe(`${name}: journal`, () => {
    it('commits a call, its changes, trace and callbacks', async () => {
      const row = placed();
      await store.journal.commit({ insert: row, outbox: [callback('a', { sequence: 1 })] });
      clock.advance(5);
      await store.journal.commit({
        update: { sid: row.sid, patch: { status: 'ringing', statusCallbackEvents: ['ringing'] } },
        trace: { callSid: row.sid, toJson: () => '{"n":1}' },
      });
      await store.journal.commit({ trace: { callSid: row.sid, toJson: () => '{"n":2}' } });
      expect(await store.find(call, row.sid)).toEqual({
        ...row,
        node: expect.any(String),
        status: 'ringing',
        statusCallbackEvents: ['ringing'],
        dateUpdated: clock.now(),
      });
      expect(await store.journal.trace(row.sid)).toBe('{"n":2}');
      expect(await store.journal.trace('CA0')).toBeUndefined();
    });

    it('takes the moments of one turn together: the last word of each column, every record, the last trace', async () => {
      const [row, other] = [placed(), placed()];
      let asked = 0;
      const trace = (json: string) => ({
        callSid: row.sid,
        toJson: () => {
          asked += 1;
          return json;
        },
      });
      const event = newRow(
        callEvent,
        { accountSid: row.accountSid, callSid: row.sid, request: '{}', response: '{}' },
        world,
      );
      await Promise.all([
        store.journal.commit({ insert: other }),
        store.journal.commit({ insert: row }),
        store.journal.commit({
          update: { sid: row.sid, patch: { status: 'ringing', queueTime: 7 } },
          trace: trace('1'),
          outbox: [callback('a')],
        }),
        store.journal.commit({ update: { sid: other.sid, patch: { status: 'busy' } } }),
        store.journal.commit({
          update: { sid: row.sid, patch: { status: 'in-progress' } },
          trace: trace('2'),
          records: [{ definition: callEvent, row: event }],
        }),
      ]);
      expect(await store.find(call, row.sid)).toMatchObject({ status: 'in-progress', queueTime: 7 });
      expect(await store.find(call, other.sid)).toMatchObject({ status: 'busy' });
      expect([await store.journal.trace(row.sid), asked]).toEqual(['2', 1]);
      expect(await store.journal.waiting(9)).toEqual([callback('a')]);
      expect((await store.list(callEvent, { limit: 9 })).rows).toEqual([event]);
      await store.remove(call, row.sid);
      expect((await store.list(callEvent, { limit: 9 })).rows).toEqual([]);
    });

    it('lets a bad entry fail alone', async () => {
      const [good, better] = [placed(), placed()];
      const results = await Promise.allSettled([
        store.journal.commit({ insert: good }),
        store.journal.commit({ insert: placed({ accountSid: 'AC0' }), outbox: [callback('lost')] }),
        store.journal.commit({ insert: better }),
        store.journal.commit({ insert: good }),
      ]);
      expect(results.map((result) => result.status)).toEqual([
        'fulfilled',
        'rejected',
        'fulfilled',
        'rejected',
      ]);
      expect((await store.list(call, { limit: 9 })).rows.map((row) => row.sid)).toEqual([
        better.sid,
        good.sid,
      ]);
      expect(await store.journal.waiting(9)).toEqual([]);
    });

    it('keeps the order of one call, whatever the grouping', async () => {
      const row = placed();
      const commits = [store.journal.commit({ insert: row })];
      for (const queueTime of Array.from({ length: 200 }, (_, index) => index)) {
        commits.push(store.journal.commit({ update: { sid: row.sid, patch: { queueTime } } }));
      }
      await Promise.all(commits);
      expect((await store.find(call, row.sid))?.queueTime).toBe(199);
    });

    it('is all on disk after close, and closed then', async () => {
      const rows = Array.from({ length: 50 }, () => placed());
      const commits = rows.map((row) => store.journal.commit({ insert: row }));
      const { journal } = store;
      await reopen();
      await Promise.all(commits);
      expect(await store.journal.unfinished()).toHaveLength(50);
      await expect(journal.commit({ insert: placed() })).rejects.toMatchObject({ code: 'closed' });
    });

    it('removes the trace with its call, not its callbacks', async () => {
      const row = placed({ status: 'completed' });
      await store.journal.commit({
        insert: row,
        trace: { callSid: row.sid, toJson: () => '{}' },
        outbox: [callback('a')],
      });
      await store.remove(call, row.sid);
      expect(await store.journal.trace(row.sid)).toBeUndefined();
      expect(await store.journal.waiting(1)).toHaveLength(1);
    });
  });

  it(`${name}: refuses everything once closed, and closes twice`, async () => {
    await store.close();
    await store.close();
    await expect(store.find(account, OWNER)).rejects.toBeInstanceOf(StoreError);
    await expect(store.ping()).rejects.toMatchObject({ code: 'closed' });
  });
}
