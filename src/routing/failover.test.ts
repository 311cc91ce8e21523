import { describe, expect, it } from 'vitest';
import { seededRandom } from '../lib/random.ts';
import type { Endpoint } from '../sip/index.ts';
import { step } from './failover.ts';
import {
  type FailoverAction,
  type FailoverInput,
  type FailoverState,
  newFailover,
} from './failover-state.ts';
import type { Target } from './target-selection.ts';

const FIRST: Target = { sid: 'NE1', uri: 'sip:one.example.com', priority: 1, weight: 10, enabled: true };
const SECOND: Target = { sid: 'NE2', uri: 'sip:two.example.com', priority: 2, weight: 10, enabled: true };
const at = (address: string): Endpoint => ({ transport: 'udp', address, port: 5060 });

const RULES = { silenceMs: 4_000, stallMs: 15_000, ringAgain: false };

const hunt = (
  targets: readonly Target[] = [FIRST, SECOND],
  timeoutMs = 30_000,
  rules = RULES,
): FailoverState => newFailover({ rule: 'a test', targets, timeoutMs }, { random: seededRandom(1), rules });

/** Feeds inputs a second apart and returns what the last one caused. */
function feed(state: FailoverState, ...inputs: FailoverInput[]): readonly FailoverAction[] {
  let actions: readonly FailoverAction[] = [];
  for (const [index, input] of inputs.entries()) actions = step(state, input, index * 1000);
  return actions;
}

const start = { type: 'start' } as const;
const located = { type: 'located', endpoints: [at('192.0.2.1')] } as const;
const provisional = (status: number, earlyMedia = false) =>
  ({ type: 'provisional', status, reason: 'x', earlyMedia }) as const;
const refused = (status: number) => ({ type: 'refused', status, reason: 'x' }) as const;

const goesOn = (actions: readonly FailoverAction[]) =>
  actions.some((action) => action.type === 'locate' && action.uri === SECOND.uri);
const outcomeOf = (actions: readonly FailoverAction[]) =>
  actions.find((action) => action.type === 'ended')?.outcome;

describe('failover', () => {
  it('locates and invites the first target, giving it 4 s to be heard from', () => {
    const state = hunt();
    expect(feed(state, start)).toEqual([
      { type: 'set-timer', timer: 'answer', delayMs: 30_000 },
      { type: 'locate', uri: FIRST.uri },
    ]);
    expect(feed(state, located)).toEqual([
      { type: 'invite', uri: FIRST.uri, destination: at('192.0.2.1') },
      { type: 'set-timer', timer: 'silence', delayMs: 4_000 },
    ]);
  });

  it.each([400, 404, 405, 410, 416, 482, 484, 486, 600, 603, 604, 606])('%i is final', (status) => {
    expect(outcomeOf(feed(hunt(), start, located, refused(status)))).toMatchObject({
      kind: 'refused',
      sipStatus: status,
    });
  });

  it.each([300, 301, 305, 401, 403, 407, 408, 480, 481, 487, 488, 500, 502, 503, 504])(
    '%i sends the call to the next target',
    (status) => {
      expect(goesOn(feed(hunt(), start, located, refused(status)))).toBe(true);
    },
  );

  it.each([408, 480, 487])('%i after ringing is final', (status) => {
    expect(outcomeOf(feed(hunt(), start, located, provisional(180), refused(status)))?.kind).toBe('refused');
  });

  it('5xx after ringing goes on, unless early media was heard', () => {
    expect(goesOn(feed(hunt(), start, located, provisional(180), refused(503)))).toBe(true);
    expect(outcomeOf(feed(hunt(), start, located, provisional(183, true), refused(503)))?.kind).toBe(
      'refused',
    );
  });

  it('goes on after silence, a transport error and a name that is not found', () => {
    expect(feed(hunt(), start, located, { type: 'timer', timer: 'silence' })[0]).toEqual({ type: 'abandon' });
    expect(goesOn(feed(hunt(), start, located, { type: 'timer', timer: 'silence' }))).toBe(true);
    expect(goesOn(feed(hunt(), start, located, { type: 'unreachable', why: 'refused' }))).toBe(true);
    expect(goesOn(feed(hunt(), start, { type: 'not-located', why: 'unknown host' }))).toBe(true);
  });

  it('gives 15 s after a 100, then goes on', () => {
    const state = hunt();
    expect(feed(state, start, located, provisional(100))).toEqual([
      { type: 'stop-timer', timer: 'silence' },
      { type: 'set-timer', timer: 'stall', delayMs: 15_000 },
    ]);
    const actions = feed(state, { type: 'timer', timer: 'stall' });
    expect(actions[0]).toEqual({ type: 'abandon' });
    expect(goesOn(actions)).toBe(true);
  });

  it('tells of ringing once per attempt and stops the timers of silence', () => {
    const state = hunt();
    const actions = feed(state, start, located, provisional(180));
    expect(actions).toContainEqual({ type: 'stop-timer', timer: 'silence' });
    expect(actions).toContainEqual({ type: 'ringing' });
    expect(feed(state, provisional(180))).toEqual([]);
  });

  describe('a 302', () => {
    const moved = (contact?: string) =>
      ({ type: 'refused', status: 302, reason: 'x', ...(contact && { contact }) }) as const;
    const CONTACT = 'sip:elsewhere@three.example.com';

    it('is followed once, to its first Contact', () => {
      const state = hunt();
      expect(feed(state, start, located, moved(CONTACT))).toContainEqual({ type: 'locate', uri: CONTACT });
      expect(feed(state, located)).toContainEqual({
        type: 'invite',
        uri: CONTACT,
        destination: at('192.0.2.1'),
      });
      expect(outcomeOf(feed(state, moved('sip:four.example.com')))).toMatchObject({
        kind: 'redirect-failed',
      });
      expect(state.trace.attempts.map(({ uri, result }) => [uri, result])).toEqual([
        [FIRST.uri, 'redirected'],
        [CONTACT, 'final'],
      ]);
    });

    it('that names nothing, or what cannot be called, ends the call', () => {
      expect(outcomeOf(feed(hunt(), start, located, moved()))?.kind).toBe('redirect-failed');
      const notFound = { type: 'not-located', why: 'unknown host' } as const;
      expect(outcomeOf(feed(hunt(), start, located, moved(CONTACT), notFound))).toEqual({
        kind: 'redirect-failed',
        sipStatus: 302,
        why: 'unknown host',
      });
    });

    it('of a device that has registered is not followed', () => {
      const device = { ...FIRST, sid: null, destination: at('192.0.2.9') };
      expect(outcomeOf(feed(hunt([device]), start, located, moved(CONTACT)))).toEqual({
        kind: 'redirect-failed',
        sipStatus: 302,
        why: 'a registered device may not send a call elsewhere',
      });
    });

    it('to a place that is out of service sends the call to the next target', () => {
      const state = hunt();
      expect(goesOn(feed(state, start, located, moved(CONTACT), located, refused(503)))).toBe(true);
      feed(state, located);
      expect(state.trace.attempts.map(({ reason }) => reason)).toEqual([
        'the only one left of priority 1',
        'the target before sent the call here by 302',
        'the only one left of priority 2',
      ]);
    });
  });

  describe('what a call tells of a target’s health', () => {
    const reports = (actions: readonly FailoverAction[]) =>
      actions.flatMap((action) =>
        action.type === 'report' ? [[action.target.sid, action.report.type]] : [],
      );
    const silence = { type: 'timer', timer: 'silence' } as const;
    const twoAddresses = { type: 'located', endpoints: [at('192.0.2.1'), at('192.0.2.2')] } as const;

    it.each([486, 500, 404, 302, 480, 603])('%i is a sign of life', (status) => {
      expect(reports(feed(hunt(), start, located, refused(status)))).toEqual([['NE1', 'call-heard']]);
    });

    it('so are ringing, once, and an answer', () => {
      const state = hunt();
      expect(reports(feed(state, start, located, provisional(180)))).toEqual([['NE1', 'call-heard']]);
      expect(reports(feed(state, provisional(183)))).toEqual([]);
      const answered = { type: 'answered', status: 200, reason: 'OK' } as const;
      expect(reports(feed(hunt(), start, located, answered))).toEqual([['NE1', 'call-heard']]);
    });

    it.each([
      ['silence', silence],
      ['a 100 and nothing more', { type: 'timer', timer: 'stall' }],
      ['a transport error', { type: 'unreachable', why: 'refused' }],
      ['503', refused(503)],
    ] as const)('%s is a failure', (_name, input) => {
      const before = input.type === 'timer' && input.timer === 'stall' ? [provisional(100)] : [];
      expect(reports(feed(hunt(), start, located, ...before, input))).toEqual([['NE1', 'call-failed']]);
    });

    it('a failure counts once a target, when its last address has failed', () => {
      const state = hunt();
      expect(reports(feed(state, start, twoAddresses, silence))).toEqual([]);
      expect(reports(feed(state, refused(503)))).toEqual([['NE1', 'call-failed']]);
    });

    it('a 100, an unknown name, the Timeout and a cancel tell nothing', () => {
      expect(reports(feed(hunt(), start, located, provisional(100)))).toEqual([]);
      expect(reports(feed(hunt(), start, { type: 'not-located', why: 'unknown host' }))).toEqual([]);
      expect(reports(feed(hunt(), start, located, { type: 'timer', timer: 'answer' }))).toEqual([]);
      expect(reports(feed(hunt(), start, located, { type: 'cancel' }))).toEqual([]);
    });

    it('nothing is told of where a 302 leads', () => {
      const moved = { type: 'refused', status: 302, reason: 'x', contact: 'sip:three.example.com' } as const;
      const state = hunt();
      feed(state, start, located, moved, located);
      expect(reports(feed(state, refused(503)))).toEqual([]);
      expect(reports(feed(state, located, refused(503)))).toEqual([['NE2', 'call-failed']]);
    });
  });

  it('goes last to who is down, and says so', () => {
    const down: Target = { ...FIRST, health: { state: 'down', why: '3 calls in a row failed' } };
    const state = hunt([down, SECOND]);
    expect(feed(state, start)).toContainEqual({ type: 'locate', uri: SECOND.uri });
    expect(state.trace.targets).toMatchObject([
      { health: 'down', standing: 'not needed; down, so it comes last: 3 calls in a row failed' },
      { health: 'unknown', standing: 'not needed' },
    ]);
    expect(feed(state, located, refused(503))).toContainEqual({ type: 'locate', uri: FIRST.uri });
    feed(state, located);
    expect(state.trace.attempts[1]?.reason).toBe(
      'the only one left of priority 1, though it is down, as no other is left that is not',
    );
  });

  it('looks at no certificate of an insecure target over TLS, and says so; where a 302 leads it does', () => {
    const overTls = { type: 'located', endpoints: [{ ...at('192.0.2.1'), transport: 'tls' }] } as const;
    const state = hunt([{ ...FIRST, insecure: true }]);
    const insecureOf = (actions: readonly FailoverAction[]) =>
      actions.flatMap((action) => (action.type === 'invite' ? [action.destination.insecure] : []));
    expect(insecureOf(feed(state, start, overTls))).toEqual([true]);
    expect(state.trace.events.at(-1)?.text).toContain('whose certificate is not checked');
    expect(state.trace.targets[0]?.insecure).toBe(true);
    const moved = { type: 'refused', status: 302, reason: 'x', contact: 'sip:three.example.com' } as const;
    expect(insecureOf(feed(state, moved, overTls))).toEqual([undefined]);
    expect(insecureOf(feed(hunt([{ ...FIRST, insecure: true }]), start, located))).toEqual([undefined]);
  });

  it('tries the further addresses of a target before the next target', () => {
    const state = hunt();
    const twoAddresses = { type: 'located', endpoints: [at('192.0.2.1'), at('192.0.2.2')] } as const;
    const actions = feed(state, start, twoAddresses, refused(503));
    expect(actions).toContainEqual({ type: 'invite', uri: FIRST.uri, destination: at('192.0.2.2') });
    expect(goesOn(feed(state, refused(503)))).toBe(true);
  });

  it('ends as exhausted with the last status when all have failed', () => {
    const actions = feed(hunt(), start, located, refused(503), located, {
      type: 'unreachable',
      why: 'refused',
    });
    expect(outcomeOf(actions)).toEqual({
      kind: 'exhausted',
      sipStatus: 503,
      why: 'all 2 targets were tried',
    });
  });

  it('ends at once where no target is enabled', () => {
    expect(outcomeOf(feed(hunt([]), start))).toEqual({ kind: 'no-target', why: 'there is no target' });
    expect(outcomeOf(feed(hunt([{ ...FIRST, enabled: false }]), start))).toEqual({
      kind: 'no-target',
      why: 'every target is disabled',
    });
  });

  it('gives up at the answer time-out, abandoning the attempt', () => {
    const actions = feed(hunt(), start, located, provisional(180), { type: 'timer', timer: 'answer' });
    expect(actions[0]).toEqual({ type: 'abandon' });
    expect(outcomeOf(actions)).toEqual({ kind: 'no-answer', why: 'no answer within 30 s' });
  });

  it('wants some target to ring within 60 s where the time-out is longer', () => {
    const state = hunt([FIRST], 120_000);
    expect(feed(state, start)).toContainEqual({ type: 'set-timer', timer: 'first-ring', delayMs: 60_000 });
    expect(outcomeOf(feed(state, located, { type: 'timer', timer: 'first-ring' }))).toMatchObject({
      kind: 'no-answer',
      neverRang: true,
    });
  });

  it('cancels whatever is under way, and nothing more happens after the end', () => {
    const state = hunt();
    const actions = feed(state, start, located, { type: 'cancel' });
    expect(actions[0]).toEqual({ type: 'abandon' });
    expect(outcomeOf(actions)).toEqual({ kind: 'canceled' });
    expect(feed(state, refused(486), { type: 'answered', status: 200, reason: 'OK' }, start)).toEqual([]);
  });

  it('ends with every timer stopped', () => {
    const actions = feed(hunt(), start, located, { type: 'answered', status: 200, reason: 'OK' });
    const stopped = actions.filter((action) => action.type === 'stop-timer').map((action) => action.timer);
    expect(new Set(stopped)).toEqual(new Set(['silence', 'stall', 'first-ring', 'answer']));
    expect(outcomeOf(actions)).toEqual({ kind: 'answered' });
  });

  it('writes down which targets there were, why each was tried and what it answered when', () => {
    const state = hunt([FIRST, SECOND, { ...SECOND, sid: 'NE3', enabled: false }]);
    feed(state, start, located, refused(503), located, provisional(180), {
      type: 'answered',
      status: 200,
      reason: 'OK',
    });
    expect(state.trace.targets.map((each) => each.standing)).toEqual([
      'tried as attempt 1: failed over',
      'tried as attempt 2: answered',
      'disabled: never tried',
    ]);
    expect(state.trace.attempts).toMatchObject([
      {
        targetSid: 'NE1',
        destination: 'udp:192.0.2.1:5060',
        reason: 'the only one left of priority 1',
        answers: [{ status: 503, atMs: 2000 }],
        result: 'failed over',
      },
      {
        targetSid: 'NE2',
        answers: [
          { status: 180, atMs: 4000 },
          { status: 200, atMs: 5000 },
        ],
        result: 'answered',
      },
    ]);
  });
});
