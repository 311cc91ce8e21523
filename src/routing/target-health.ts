// Whether a target can be trusted with a call, as a machine: what calls and OPTIONS met there in, the next check out.
//
//   unknown ──▶ up ──── failures in a row ────▶ down ── recovery time ──▶ half-open ── OPTIONS ──▶ up, or down again
//
// A target that is down is tried after all others and never left out. What ends it is an OPTIONS, not a caller.

export type HealthState = 'unknown' | 'up' | 'down' | 'half-open';

export const HEALTH_STATES: readonly HealthState[] = ['unknown', 'up', 'down', 'half-open'];

/** What routing is told of a target. */
export interface Standing {
  readonly state: HealthState;
  /** What it rests on, in words. */
  readonly why: string;
}

export interface HealthTransition extends Standing {
  readonly atMs: number;
}

export interface TargetHealth extends Standing {
  /** Calls in a row that failed; OPTIONS in a row that failed. */
  readonly failedCalls: number;
  readonly failedChecks: number;
  /** When it was last heard, or not heard, on an OPTIONS; null before the first. */
  readonly checkedAtMs: number | null;
  /** The latest transitions, oldest first; a check that finds a target still down is none. */
  readonly history: readonly HealthTransition[];
}

export interface HealthRules {
  /** So many failures in a row take a target down; 0 takes none down. */
  readonly failures: number;
  /** From going down, or a check in vain, to the next check. */
  readonly recoveryMs: number;
}

/** What a call met: only time-outs, transport errors and 503 are failures. */
export type CallReport =
  | { readonly type: 'call-heard'; readonly what: string }
  | { readonly type: 'call-failed'; readonly why: string };

export type HealthInput =
  | CallReport
  | { readonly type: 'check-due' }
  | { readonly type: 'check-answered'; readonly status: number }
  | { readonly type: 'check-failed'; readonly why: string }
  /** The check could not be made, which says nothing about the target. */
  | { readonly type: 'check-impossible'; readonly why: string };

export type HealthAction =
  | { readonly type: 'check' }
  | { readonly type: 'check-after'; readonly delayMs: number }
  | { readonly type: 'stop-waiting' };

export interface HealthStep {
  readonly health: TargetHealth;
  readonly actions: readonly HealthAction[];
}

/** Transitions that are kept of each target. */
const MAX_HISTORY = 20;
const OUT_OF_SERVICE = 503;
const NONE: readonly HealthAction[] = [];

export const NEW_HEALTH: TargetHealth = Object.freeze({
  state: 'unknown',
  why: 'neither a call nor an OPTIONS has told yet',
  failedCalls: 0,
  failedChecks: 0,
  checkedAtMs: null,
  history: [],
});

interface Given {
  readonly rules: HealthRules;
  readonly nowMs: number;
}

export function stepHealth(health: TargetHealth, input: HealthInput, given: Given): HealthStep {
  switch (input.type) {
    case 'call-heard':
      return callHeard(health, input.what, given.nowMs);
    case 'call-failed':
      return callFailed(health, input.why, given);
    case 'check-due':
      return checkDue(health);
    case 'check-answered':
      return input.status === OUT_OF_SERVICE
        ? checkFailed(checked(health, given), 'OPTIONS is answered 503', given)
        : checkAlive(checked(health, given), `OPTIONS is answered ${input.status}`, given.nowMs);
    case 'check-failed':
      return checkFailed(checked(health, given), `OPTIONS fails: ${input.why}`, given);
    case 'check-impossible':
      return health.state === 'half-open' ? down(health, input.why, given) : stays(health);
  }
}

export const isDown = ({ state }: Standing): boolean => state === 'down' || state === 'half-open';

const stays = (health: TargetHealth): HealthStep => ({ health, actions: NONE });

const checked = (health: TargetHealth, { nowMs }: Given): TargetHealth => ({ ...health, checkedAtMs: nowMs });

function callHeard(health: TargetHealth, what: string, nowMs: number): HealthStep {
  // The common case of every call costs nothing.
  if (health.state === 'up' && health.failedCalls === 0 && health.failedChecks === 0) return stays(health);
  const well = { ...health, failedCalls: 0, failedChecks: 0 };
  if (health.state === 'up') return stays(well);
  return {
    health: changed(well, { state: 'up', why: `a call there is answered: ${what}`, atMs: nowMs }),
    actions: isDown(health) ? [{ type: 'stop-waiting' }] : NONE,
  };
}

function callFailed(health: TargetHealth, why: string, given: Given): HealthStep {
  const failedCalls = health.failedCalls + 1;
  const next = { ...health, failedCalls };
  if (isDown(health) || !isTooMany(failedCalls, given.rules)) return stays(next);
  return down(next, `${inARow(failedCalls, 'call')} failed, the last one: ${why}`, given);
}

/** While a target is down its own timer asks; the round of all targets leaves it alone. */
function checkDue(health: TargetHealth): HealthStep {
  if (health.state !== 'down') return { health, actions: [{ type: 'check' }] };
  return { health: { ...health, state: 'half-open' }, actions: [{ type: 'check' }] };
}

/** It ends no failures of calls: who answers OPTIONS and refuses calls must not be taken for alive. */
function checkAlive(health: TargetHealth, why: string, nowMs: number): HealthStep {
  if (health.state === 'down') return stays(health);
  const well = { ...health, failedChecks: 0 };
  if (health.state === 'up') return stays(well);
  const recovered = health.state === 'half-open' ? { ...well, failedCalls: 0 } : well;
  return { health: changed(recovered, { state: 'up', why, atMs: nowMs }), actions: NONE };
}

function checkFailed(health: TargetHealth, why: string, given: Given): HealthStep {
  const failedChecks = health.failedChecks + 1;
  const next = { ...health, failedChecks };
  if (health.state === 'half-open') return down(next, why, given);
  if (health.state === 'down' || !isTooMany(failedChecks, given.rules)) return stays(next);
  return down(next, `${inARow(failedChecks, 'check')} failed, the last one: ${why}`, given);
}

function down(health: TargetHealth, why: string, { rules, nowMs }: Given): HealthStep {
  const next =
    health.state === 'half-open'
      ? { ...health, state: 'down' as const, why: `still down: ${why}` }
      : changed(health, { state: 'down', why, atMs: nowMs });
  return { health: next, actions: [{ type: 'check-after', delayMs: rules.recoveryMs }] };
}

function changed(health: TargetHealth, transition: HealthTransition): TargetHealth {
  const { state, why } = transition;
  return { ...health, state, why, history: [...health.history, transition].slice(-MAX_HISTORY) };
}

const isTooMany = (count: number, { failures }: HealthRules): boolean => failures > 0 && count >= failures;

const inARow = (count: number, what: string): string =>
  count === 1 ? `a ${what}` : `${count} ${what}s in a row`;
