import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CallPace } from './call-pace.ts';

describe('the pace of calls', () => {
  it('lets everything go at once where there are no limits, and forgets what is over', () => {
    const pace = new CallPace({ maxWaiting: 1 });
    for (let count = 0; count < 1000; count++) expect(pace.admit('AC1', `CA${count}`, 0)).toBe('now');
    expect(pace.nextDueMs(0)).toBeUndefined();
  });

  it('starts calls at the rate, in order, each account for itself', () => {
    const pace = new CallPace({ perSecond: 2, maxWaiting: 10 });
    expect(['a', 'b', 'c'].map((sid) => pace.admit('AC1', sid, 0))).toEqual(['now', 'later', 'later']);
    expect(pace.admit('AC2', 'x', 0)).toBe('now');
    expect(pace.nextDueMs(0)).toBe(500);
    expect(pace.due(499)).toEqual([]);
    expect(pace.due(500)).toEqual(['b']);
    expect(pace.admit('AC1', 'd', 600)).toBe('later');
    expect(pace.due(1000)).toEqual(['c']);
    expect(pace.nextDueMs(1100)).toBe(400);
    expect(pace.due(1500)).toEqual(['d']);
    expect(pace.waiting).toBe(0);
  });

  it('never passes one over who came later, though a turn is free by then', () => {
    const pace = new CallPace({ perSecond: 1, maxWaiting: 10 });
    pace.admit('AC1', 'a', 0);
    expect(pace.admit('AC1', 'b', 10)).toBe('later');
    expect(pace.admit('AC1', 'c', 5000)).toBe('later');
    expect(pace.due(5000)).toEqual(['b']);
  });

  it('gives the turn of one that does not wait any more to the next', () => {
    const pace = new CallPace({ perSecond: 1, maxWaiting: 10 });
    for (const sid of ['a', 'b', 'c']) pace.admit('AC1', sid, 0);
    pace.leave('AC1', 'b');
    expect(pace.due(1000)).toEqual(['c']);
  });

  it('refuses more calls than an account may have, and more than may wait', () => {
    const few = new CallPace({ maxCalls: 2, maxWaiting: 10 });
    expect(['a', 'b', 'c'].map((sid) => few.admit('AC1', sid, 0))).toEqual(['now', 'now', 'too-many-calls']);
    expect(few.admit('AC2', 'x', 0)).toBe('now');
    few.leave('AC1', 'a');
    expect(few.admit('AC1', 'd', 0)).toBe('now');
    const slow = new CallPace({ perSecond: 1, maxWaiting: 1 });
    expect(['a', 'b', 'c'].map((sid) => slow.admit('AC1', sid, 0))).toEqual(['now', 'later', 'queue-full']);
  });

  it('keeps to the rate over any second, loses no call and keeps their order, however late the timer is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), fc.boolean()), { minLength: 1, maxLength: 80 }),
        (perSecond, moments) => {
          const pace = new CallPace({ perSecond, maxWaiting: 1000 });
          const started: { readonly sid: number; readonly atMs: number }[] = [];
          let nowMs = 0;
          let placed = 0;
          const wake = () => {
            for (const sid of pace.due(nowMs)) started.push({ sid: Number(sid), atMs: nowMs });
          };
          for (const [delayMs, isOrder] of moments) {
            nowMs += delayMs;
            if (!isOrder) wake();
            else if (pace.admit('AC1', String(placed++), nowMs) === 'now')
              started.push({ sid: placed - 1, atMs: nowMs });
          }
          for (let waitMs = pace.nextDueMs(nowMs); waitMs !== undefined; waitMs = pace.nextDueMs(nowMs)) {
            nowMs += Math.max(1, waitMs);
            wake();
          }
          expect(started.map(({ sid }) => sid)).toEqual(Array.from({ length: placed }, (_, sid) => sid));
          for (const { atMs } of started) {
            const within = started.filter((one) => one.atMs >= atMs && one.atMs < atMs + 1000);
            expect(within.length).toBeLessThanOrEqual(perSecond + Math.max(1, perSecond * 0.1));
          }
        },
      ),
      { seed: 7 },
    );
  });
});

it('calls that come in count among those of the account, and take no turn', () => {
  const pace = new CallPace({ perSecond: 1, maxCalls: 3, maxWaiting: 10 });
  expect(pace.callsOf('AC1')).toBe(0);
  pace.enter('AC1', 0);
  pace.enter('AC1', 0);
  expect(pace.admit('AC1', 'a', 0)).toBe('now');
  expect([pace.callsOf('AC1'), pace.callsOf('AC2')]).toEqual([3, 0]);
  expect(pace.admit('AC1', 'b', 5000)).toBe('too-many-calls');
  pace.leave('AC1', 'CA-in');
  expect(pace.callsOf('AC1')).toBe(2);
  expect(pace.admit('AC1', 'b', 5000)).toBe('now');
});
