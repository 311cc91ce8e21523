import { describe, expect, it } from 'vitest';
import { InboundPace, type InboundTurn, type TurnVerdict } from './inbound-pace.ts';

const CALL: InboundTurn = { accountSid: 'AC1', liveCalls: 0 };
const times = (count: number, ask: () => TurnVerdict): readonly TurnVerdict[] =>
  Array.from({ length: count }, ask);
const kinds = (verdicts: readonly TurnVerdict[]) =>
  Object.fromEntries(
    [...new Set(verdicts)].map((kind) => [kind, verdicts.filter((each) => each === kind).length]),
  );

it('without limits all come at once', () => {
  const pace = new InboundPace({});
  expect(kinds(times(10_000, () => pace.take({ ...CALL, liveCalls: 10_000 }, 0)))).toEqual({ now: 10_000 });
});

describe('calls per second', () => {
  it('are so many at once, and as many in each second after, never saved up', () => {
    const pace = new InboundPace({ perSecond: 5 });
    expect(kinds(times(20, () => pace.take(CALL, 0)))).toEqual({ now: 5, 'account-too-fast': 15 });
    expect(kinds(times(20, () => pace.take(CALL, 400)))).toEqual({ now: 2, 'account-too-fast': 18 });
    expect(kinds(times(20, () => pace.take(CALL, 3_600_000)))).toEqual({ now: 5, 'account-too-fast': 15 });
  });

  it('are of each account by itself', () => {
    const pace = new InboundPace({ perSecond: 1 });
    const [one, other] = [CALL, { ...CALL, accountSid: 'AC2' }];
    expect([one, one, other].map((call) => pace.take(call, 0))).toEqual(['now', 'account-too-fast', 'now']);
  });

  it('are of each trunk first, then of its account, whose share a refused call does not touch', () => {
    const pace = new InboundPace({ perSecond: 2 });
    const over = (trunkSid: string) => pace.take({ ...CALL, trunkSid }, 0);
    expect([over('TK1'), over('TK1'), over('TK1')]).toEqual(['now', 'now', 'trunk-too-fast']);
    expect([over('TK2'), pace.take(CALL, 0)]).toEqual(['account-too-fast', 'account-too-fast']);
    // What the account refused cost the second trunk nothing.
    const later = (trunkSid: string) => pace.take({ ...CALL, trunkSid }, 1000);
    expect([later('TK2'), later('TK2'), later('TK2')]).toEqual(['now', 'now', 'trunk-too-fast']);
  });

  it('may be other ones for a trunk than for its account', () => {
    const pace = new InboundPace({ perSecond: 3, trunk: { perSecond: 2 } });
    const over = (trunkSid: string) => pace.take({ ...CALL, trunkSid }, 0);
    const verdicts = [over('TK1'), over('TK1'), over('TK1'), over('TK2'), over('TK2')];
    expect(verdicts).toEqual(['now', 'now', 'trunk-too-fast', 'now', 'account-too-fast']);
    const free = new InboundPace({ trunk: { perSecond: 1 } });
    expect([1, 2].map(() => free.take({ ...CALL, trunkSid: 'TK1' }, 0))).toEqual(['now', 'trunk-too-fast']);
    expect(kinds(times(9, () => free.take(CALL, 0)))).toEqual({ now: 9 });
  });

  it('are not given back by a clock that goes back', () => {
    const pace = new InboundPace({ perSecond: 1 });
    expect([pace.take(CALL, 1000), pace.take(CALL, 0)]).toEqual(['now', 'account-too-fast']);
  });
});

it('says whose turn it would be without taking it', () => {
  const pace = new InboundPace({ perSecond: 1 });
  expect([pace.judge(CALL, 0), pace.judge(CALL, 0), pace.take(CALL, 0)]).toEqual(['now', 'now', 'now']);
  expect(pace.judge(CALL, 0)).toBe('account-too-fast');
});

it('calls at a time are those that the account has, and one refused takes no turn', () => {
  const pace = new InboundPace({ maxCalls: 2, perSecond: 1 });
  expect(pace.take({ ...CALL, liveCalls: 2 }, 0)).toBe('too-many-calls');
  expect(pace.take({ ...CALL, liveCalls: 1 }, 0)).toBe('now');
});

it('calls at a time over a trunk are those of the trunk, whatever its account has', () => {
  const pace = new InboundPace({ maxCalls: 9, trunk: { maxCalls: 2, perSecond: 1 } });
  const over = (overTrunk: number) => pace.take({ ...CALL, liveCalls: 8, trunkSid: 'TK1', overTrunk }, 0);
  expect([over(2), over(1)]).toEqual(['trunk-too-many-calls', 'now']);
});
