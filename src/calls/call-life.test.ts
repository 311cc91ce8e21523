import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { seededRandom } from '../lib/random.ts';
import { call, newRow } from '../resources/index.ts';
import { type CallInput, type CallRow, type DueCallback, step } from './call-life.ts';
import { canceled, completed, endingOf } from './outcome.ts';

const STATUS_CALLBACK_EVENTS = ['initiated', 'ringing', 'answered', 'completed'] as const;
const CREATED_MS = Date.UTC(2026, 0, 1);
const answered = { type: 'answered', sipCallId: 'id', localTag: 'l', remoteTag: 'r' } as const;
const ended = (ending: Parameters<typeof endingOf>[0] | undefined, why = 'the callee hung up') =>
  ({ type: 'ended', ending: ending ? endingOf(ending) : completed(why) }) as const;

const queued = (
  events: readonly (typeof STATUS_CALLBACK_EVENTS)[number][] = STATUS_CALLBACK_EVENTS,
): CallRow =>
  newRow(
    call,
    {
      accountSid: 'AC',
      to: '+15550001',
      from: '+15550002',
      direction: 'outbound-api',
      statusCallback: 'http://127.0.0.1/',
      statusCallbackEvents: events,
    },
    { clock: new FakeClock(CREATED_MS), random: seededRandom(1) },
  );

/** Feeds inputs a second apart, the first a second after the call was created. */
function live(row: CallRow, ...inputs: CallInput[]): { row: CallRow; callbacks: DueCallback[] } {
  const callbacks: DueCallback[] = [];
  for (const [index, input] of inputs.entries()) {
    const next = step(row, input, CREATED_MS + (index + 1) * 1000);
    row = next.row;
    if (next.callback) callbacks.push(next.callback);
  }
  return { row, callbacks };
}

const dialing = { type: 'dialing' } as const;
const ringing = { type: 'ringing' } as const;

describe('the life of a call', () => {
  it('goes from queued over ringing and in-progress to completed, each step told once', () => {
    const { row, callbacks } = live(
      queued(),
      dialing,
      ringing,
      ringing,
      answered,
      { type: 'heartbeat' },
      ended(undefined),
    );
    expect(callbacks.map(({ sequence, status }) => [sequence, status])).toEqual([
      [0, 'initiated'],
      [1, 'ringing'],
      [2, 'in-progress'],
      [3, 'completed'],
    ]);
    expect(row).toMatchObject({
      status: 'completed',
      startTime: CREATED_MS + 1000,
      queueTime: 1000,
      answeredAt: CREATED_MS + 4000,
      heartbeatAt: CREATED_MS + 5000,
      endTime: CREATED_MS + 6000,
      duration: 2,
      sipCallId: 'id',
      endedReason: 'the callee hung up',
    });
  });

  it('rings no second time when the next target rings', () => {
    const { callbacks } = live(queued(), dialing, ringing, ringing, answered);
    expect(callbacks.map(({ status }) => status)).toEqual(['initiated', 'ringing', 'in-progress']);
  });

  it.each([
    [{ kind: 'refused', sipStatus: 486, why: '' }, 'busy'],
    [{ kind: 'refused', sipStatus: 600, why: '' }, 'busy'],
    [{ kind: 'refused', sipStatus: 603, why: '' }, 'failed'],
    [{ kind: 'refused', sipStatus: 404, why: '' }, 'failed'],
    [{ kind: 'refused', sipStatus: 480, why: '' }, 'no-answer'],
    [{ kind: 'no-answer', why: '' }, 'no-answer'],
    [{ kind: 'exhausted', sipStatus: 503, why: '' }, 'failed'],
    [{ kind: 'no-target', why: '' }, 'failed'],
    [{ kind: 'canceled' }, 'canceled'],
  ] as const)('%o before an answer ends it as %s, without a duration', (outcome, status) => {
    const { row, callbacks } = live(queued(), dialing, ended(outcome));
    expect(row).toMatchObject({ status, duration: null, answeredAt: null });
    expect(callbacks.at(-1)).toMatchObject({ status, sequence: 1 });
  });

  it.each([
    ['without a target', { kind: 'no-target', why: '' }, undefined, 32010],
    ['that no target took', { kind: 'exhausted', why: '' }, undefined, 32400],
    ['whose carrier has no address', { kind: 'exhausted', why: '', unlocated: true }, undefined, 32400],
    ['to an address that did not take it', { kind: 'exhausted', why: '' }, 'address', 32011],
    ['to an address that is nowhere', { kind: 'exhausted', why: '', unlocated: true }, 'address', 13254],
    ['to a device that is gone', { kind: 'exhausted', why: '' }, 'devices', 32011],
  ] as const)('explains a call %s', (_, outcome, callee, code) => {
    expect(endingOf(outcome, callee).errorCode).toBe(code);
  });

  it('fires nothing when it is canceled while still queued', () => {
    const { row, callbacks } = live(queued(), { type: 'ended', ending: canceled });
    expect(row).toMatchObject({ status: 'canceled', startTime: null });
    expect(callbacks).toEqual([]);
  });

  it('tells only the events that were asked for, numbered without gaps', () => {
    const { callbacks } = live(
      queued(['ringing', 'completed']),
      dialing,
      ringing,
      answered,
      ended(undefined),
    );
    expect(callbacks.map(({ sequence, status }) => [sequence, status])).toEqual([
      [0, 'ringing'],
      [1, 'completed'],
    ]);
  });

  it('changes nothing after its end', () => {
    const { row } = live(queued(), dialing, answered, ended(undefined));
    for (const input of [ringing, answered, ended({ kind: 'canceled' }), { type: 'heartbeat' } as const]) {
      expect(step(row, input, CREATED_MS + 99_000)).toEqual({ row, patch: undefined, callback: undefined });
    }
  });
});
