import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type HealthAction,
  type HealthInput,
  isDown,
  NEW_HEALTH,
  stepHealth,
  type TargetHealth,
} from './target-health.ts';

const RULES = { failures: 3, recoveryMs: 15_000 };

const callFailed: HealthInput = { type: 'call-failed', why: 'no response within 4 s' };
const callHeard: HealthInput = { type: 'call-heard', what: '486 Busy Here' };
const due: HealthInput = { type: 'check-due' };
const checkFailed: HealthInput = { type: 'check-failed', why: 'no answer within 4 s' };
const answered = (status: number): HealthInput => ({ type: 'check-answered', status });

/** Feeds inputs a second apart. */
function feed(inputs: readonly HealthInput[], rules = RULES) {
  let health: TargetHealth = NEW_HEALTH;
  let actions: readonly HealthAction[] = [];
  for (const [second, input] of inputs.entries()) {
    ({ health, actions } = stepHealth(health, input, { rules, nowMs: second * 1000 }));
  }
  return { health, actions };
}

const states = (...inputs: readonly HealthInput[]) =>
  inputs.map((_, index) => feed(inputs.slice(0, index + 1)).health.state);

describe('the health of a target', () => {
  it('is down after three calls in a row that failed, and says why', () => {
    expect(states(callFailed, callFailed, callFailed)).toEqual(['unknown', 'unknown', 'down']);
    const { health, actions } = feed([callHeard, callFailed, callFailed, callFailed]);
    expect(health.why).toBe('3 calls in a row failed, the last one: no response within 4 s');
    expect(actions).toEqual([{ type: 'check-after', delayMs: 15_000 }]);
    expect(health.history).toEqual([
      { state: 'up', why: 'a call there is answered: 486 Busy Here', atMs: 0 },
      { state: 'down', why: health.why, atMs: 3000 },
    ]);
  });

  it('starts counting anew with every call that is heard', () => {
    expect(states(callFailed, callFailed, callHeard, callFailed, callFailed).at(-1)).toBe('up');
  });

  it('is down after three checks in a row that failed, 503 among them, and up on any other answer', () => {
    expect(states(checkFailed, answered(503), checkFailed)).toEqual(['unknown', 'unknown', 'down']);
    for (const status of [200, 404, 405, 481, 500, 603]) expect(states(answered(status))).toEqual(['up']);
  });

  it('is not saved by OPTIONS where calls fail', () => {
    expect(
      states(callFailed, answered(200), callFailed, answered(200), callFailed, answered(200)).at(-1),
    ).toBe('down');
  });

  it('is half-open while a check is under way, then up, or down again until the next check', () => {
    const down = [callFailed, callFailed, callFailed];
    expect(feed([...down, due])).toMatchObject({
      health: { state: 'half-open' },
      actions: [{ type: 'check' }],
    });
    expect(feed([...down, due, answered(404)]).health).toMatchObject({
      state: 'up',
      failedCalls: 0,
      why: 'OPTIONS is answered 404',
    });
    const { health, actions } = feed([...down, due, checkFailed]);
    expect(health).toMatchObject({
      state: 'down',
      why: 'still down: OPTIONS fails: no answer within 4 s',
      checkedAtMs: 4000,
    });
    expect(actions).toEqual([{ type: 'check-after', delayMs: 15_000 }]);
    expect(health.history).toHaveLength(1);
    const impossible = feed([
      ...down,
      due,
      { type: 'check-impossible', why: 'carrier.example has no address' },
    ]);
    expect(impossible).toMatchObject({ health: { state: 'down' }, actions: [{ type: 'check-after' }] });
  });

  it('is up at once when a call gets an answer there after all, and no check waits any more', () => {
    const down = [callFailed, callFailed, callFailed];
    expect(feed([...down, callHeard])).toMatchObject({
      health: { state: 'up' },
      actions: [{ type: 'stop-waiting' }],
    });
    expect(feed([...down, due, callHeard]).health.state).toBe('up');
    expect(feed([...down, due, callHeard, checkFailed]).health.state).toBe('up');
  });

  it('is never down where no number of failures takes it down', () => {
    const many = Array.from({ length: 50 }, (_, index) => (index % 2 ? callFailed : checkFailed));
    expect(feed(many, { failures: 0, recoveryMs: 1 }).health.state).toBe('unknown');
  });

  it('does not rest on a name that cannot be looked up', () => {
    const impossible: HealthInput = { type: 'check-impossible', why: 'carrier.example has no address' };
    expect(feed([answered(200), impossible, impossible, impossible]).health.state).toBe('up');
  });

  it('costs nothing per call while all is well', () => {
    const { health } = feed([callHeard]);
    expect(stepHealth(health, callHeard, { rules: RULES, nowMs: 9 }).health).toBe(health);
  });

  const someInput = fc.oneof(
    fc.constant(callFailed),
    fc.constant(callHeard),
    fc.constant(due),
    fc.constant(checkFailed),
    fc.constantFrom(200, 404, 503).map(answered),
    fc.constant<HealthInput>({ type: 'check-impossible', why: 'x' }),
  );

  it('holds for every order of events: who is down has a check to come, and history stays short', () => {
    fc.assert(
      fc.property(
        fc.array(someInput, { maxLength: 200 }),
        fc.integer({ min: 1, max: 4 }),
        (inputs, failures) => {
          let health: TargetHealth = NEW_HEALTH;
          let isWaiting = false;
          let isAsking = false;
          for (const [nowMs, input] of inputs.entries()) {
            // As the shell feeds it: an answer only to a question.
            if (input.type.startsWith('check-') && input.type !== 'check-due' && !isAsking) continue;
            if (input.type === 'check-due') isWaiting = false;
            if (input.type.startsWith('check-')) isAsking = false;
            const next = stepHealth(health, input, { rules: { failures, recoveryMs: 5 }, nowMs });
            health = next.health;
            for (const { type } of next.actions) {
              if (type === 'check') isAsking = true;
              else isWaiting = type === 'check-after';
            }
            expect(isWaiting || isAsking || !isDown(health)).toBe(true);
            expect(isWaiting && health.state !== 'down').toBe(false);
            expect(health.history.length).toBeLessThanOrEqual(20);
            expect(health.history.at(-1)?.state ?? 'unknown').toBe(
              health.state === 'half-open' ? 'down' : health.state,
            );
            if (input.type === 'call-heard') expect(health).toMatchObject({ state: 'up', failedCalls: 0 });
          }
        },
      ),
    );
  });
});
