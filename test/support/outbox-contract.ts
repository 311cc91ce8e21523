// What every store's outbox must do, whatever the database: run by each implementation's own test.
import { describe, expect, it } from 'vitest';
import { webhook } from '../../src/resources/index.ts';
import type { DialogIdentity } from '../../src/sip/index.ts';
import { laneOf, type Store } from '../../src/store/index.ts';
import { callback, clock, type OpenStore, OWNER, placed, useStore } from './store-stage.ts';

/** As `describeStore`; webhooks that are over must be kept for two days, five of them at most. */
export function describeOutbox(name: string, open: OpenStore): void {
  let store: Store;
  let reopen: () => Promise<Store>;

  useStore(open, (opened, again) => {
    store = opened;
    reopen = again;
  });

  describe(`${name}: outbox`, () => {
    it('keeps callbacks until they are over, in order', async () => {
      await store.journal.commit({
        outbox: [callback('a', { url: 'http://u:p@a.example/' }), callback('b')],
      });
      await store.journal.commit({ outbox: [callback('c')] });
      const dueAt = clock.now() + 4000;
      await Promise.all([
        store.journal.tried('b', { status: 'delivered', attempts: 1, nextAttemptAt: null }),
        store.journal.tried('a', { status: 'retrying', attempts: 3, nextAttemptAt: dueAt }),
      ]);
      expect(await store.journal.countWaiting()).toBe(2);
      await reopen();
      expect(await store.journal.waiting(10)).toEqual([
        callback('a', { url: 'http://u:p@a.example/', attempts: 3, dueAt }),
        callback('c'),
      ]);
      expect(await store.journal.waiting(1)).toHaveLength(1);
      const { rows } = await store.list(webhook, { limit: 9 });
      expect(rows.map(({ outboxId, status }) => `${outboxId} ${status}`)).toEqual([
        'c queued',
        'b delivered',
        'a retrying',
      ]);
    });

    it('gives a callback that nobody holds to one who asks for its lane, when it is due', async () => {
      const other = callback('x', { url: 'http://b.example/' });
      await store.journal.commit({ outbox: [callback('a'), other, callback('b'), callback('c')] });
      const lane = laneOf(callback('a'));
      expect([await store.journal.lanes(), await store.journal.claim(lane, 9)]).toEqual([[], []]);
      for (const id of ['c', 'a']) await store.journal.release(id);
      const later = {
        status: 'retrying',
        attempts: 1,
        nextAttemptAt: clock.now() + 5000,
        node: null,
      } as const;
      await store.journal.tried('b', later);
      expect(await store.journal.lanes()).toEqual([lane]);
      expect(await store.journal.claim(lane, 1)).toEqual([callback('a')]);
      expect(await store.journal.claim(lane, 9)).toEqual([callback('c')]);
      expect(await store.journal.nextDueMs(lane)).toBe(5000);
      expect(await store.journal.claim(lane, 9)).toEqual([]);
      clock.advance(5000);
      expect(await store.journal.claim(lane, 9)).toMatchObject([{ id: 'b', attempts: 1 }]);
      expect([await store.journal.nextDueMs(lane), await store.journal.lanes()]).toEqual([undefined, []]);
    });

    it('gives what is due at a time that no clock can have meant', async () => {
      await store.journal.commit({ outbox: [callback('a')] });
      const wrong = clock.now() + 10 * 365 * 86_400_000;
      await store.journal.tried('a', { attempts: 1, nextAttemptAt: wrong, node: null });
      expect(await store.journal.claim(laneOf(callback('a')), 9)).toHaveLength(1);
    });

    it('sends nothing twice that is told twice, and again what is to be replayed', async () => {
      await store.journal.commit({ outbox: [callback('a')] });
      await store.journal.tried('a', { status: 'failed', attempts: 9, nextAttemptAt: null });
      await store.journal.commit({ outbox: [callback('a')] });
      expect(await store.journal.waiting(9)).toEqual([]);
      const failed = { field: 'status', operator: '=', value: 'failed' } as const;
      const mine = { field: 'accountSid', operator: '=', value: OWNER } as const;
      const theirs = { ...mine, value: 'AC0' };
      expect(await store.journal.replay([theirs, failed], 9)).toBe(0);
      expect(await store.journal.replay([mine, failed], 9)).toBe(1);
      expect(await store.journal.replay([mine, failed], 9)).toBe(0);
      expect(await store.journal.waiting(9)).toEqual([callback('a')]);
    });

    it('forgets webhooks that are over and too old, or too many, and no others', async () => {
      const over = { status: 'delivered', nextAttemptAt: null } as const;
      const listed = async () => (await store.list(webhook, { limit: 99 })).rows.map((row) => row.outboxId);
      const ids = Array.from({ length: 8 }, (_, index) => `w${index}`);
      for (const id of ids) await store.journal.commit({ outbox: [callback(id)] });
      for (const id of ids.slice(1)) await store.journal.tried(id, over);
      clock.advance(60_000);
      await store.journal.tried('w7', over);
      await expect.poll(listed).toEqual(['w7', 'w6', 'w5', 'w4', 'w3', 'w0']);
      clock.advance(3 * 86_400_000);
      await store.journal.commit({ outbox: [callback('new')] });
      await expect.poll(listed).toEqual(['new', 'w0']);
    });

    it('knows a run’s calls from those of the run before', async () => {
      const [row, ended] = [placed(), placed({ status: 'completed' })];
      await store.journal.commit({ insert: row });
      await store.journal.commit({ insert: ended });
      expect(await store.journal.unfinished()).toEqual([]);
      await reopen();
      expect(await store.journal.unfinished()).toMatchObject([{ sid: row.sid }]);
      expect(await store.journal.unfinished()).toEqual([]);
    });

    it('gives the dialogs of a run before as they were, until their call has hung up', async () => {
      const row = placed();
      const plain: DialogIdentity = {
        callId: 'a@b',
        localTag: 'ours',
        remoteTag: '',
        local: '<sip:a@b>;tag=ours',
        remote: '"Ü, \\"q\\"" <sip:c@d>',
        routeSet: ['<sip:p1;lr>', '<sip:p2;lr;x="a,b">'],
        remoteTarget: 'sip:c@192.0.2.1:5070',
        localSeq: 4_294_967_295,
        peer: { transport: 'udp', address: '2001:db8::1', port: 5060, local: '2001:db8::2' },
      };
      const secure: DialogIdentity = {
        ...plain,
        localTag: 'other',
        routeSet: [],
        peer: { transport: 'tls', address: '192.0.2.7', port: 5061, host: 'sbc.example', insecure: true },
      };
      const moved = { ...plain, remoteTarget: 'sip:c@192.0.2.2' };
      const ofCall = (identity: DialogIdentity) => ({ callSid: row.sid, identity });
      await store.journal.commit({ insert: row, dialogs: [plain, secure].map(ofCall) });
      await store.journal.commit({ dialogs: [ofCall(moved)] });
      expect(await store.journal.lostDialogs()).toEqual([]);
      expect(await store.journal.own()).toEqual(new Set([row.sid]));
      await reopen();
      const lost = await store.journal.lostDialogs();
      expect(lost.toSorted((a, b) => a.identity.localTag.localeCompare(b.identity.localTag))).toEqual(
        [secure, moved].map(ofCall),
      );
      expect(await store.journal.own()).toEqual(new Set());
      await store.journal.commit({ hungUp: row.sid });
      await reopen();
      expect(await store.journal.lostDialogs()).toEqual([]);
    });
  });
}
