// What the hunt for a target is told, what it asks for, and what it knows.
import type { Random } from '../lib/random.ts';
import type { Endpoint } from '../sip/index.ts';
import { newTrace, type RouteTrace, type TracedAttempt, traceTargets } from './route-trace.ts';
import type { CallReport } from './target-health.ts';
import type { Draw, Target } from './target-selection.ts';
import type { RingRules } from './verdict.ts';

export interface FailoverRules extends RingRules {
  /** A target's first response of any kind must come within this time; connecting counts. */
  readonly silenceMs: number;
  /** After a 100, ringing or a final answer must come within this time. */
  readonly stallMs: number;
}

/** Some target must ring within this time, over all attempts, looking up names included. */
export const FIRST_RING_MS = 60_000;

export type FailoverTimer = 'silence' | 'stall' | 'first-ring' | 'answer';

export type FailoverInput =
  | { readonly type: 'start' }
  | { readonly type: 'located'; readonly endpoints: readonly Endpoint[] }
  | { readonly type: 'not-located'; readonly why: string }
  | {
      readonly type: 'provisional';
      readonly status: number;
      readonly reason: string;
      readonly earlyMedia: boolean;
    }
  | { readonly type: 'answered'; readonly status: number; readonly reason: string }
  | {
      readonly type: 'refused';
      readonly status: number;
      readonly reason: string;
      /** First Contact URI of a 302. */
      readonly contact?: string;
    }
  | { readonly type: 'unreachable'; readonly why: string }
  | { readonly type: 'timer'; readonly timer: FailoverTimer }
  | { readonly type: 'cancel' };

export type RouteOutcome =
  | { readonly kind: 'answered' }
  | { readonly kind: 'canceled' }
  | {
      readonly kind: 'no-answer';
      readonly sipStatus?: number;
      readonly why: string;
      /** No target has so much as rung within the time for that. */
      readonly neverRang?: true;
    }
  | { readonly kind: 'refused'; readonly sipStatus: number; readonly why: string }
  | {
      readonly kind: 'exhausted';
      readonly sipStatus?: number;
      readonly why: string;
      /** The last target has no address that may be called. */
      readonly unlocated?: true;
    }
  | { readonly kind: 'no-target'; readonly why: string }
  | { readonly kind: 'redirect-failed'; readonly sipStatus: number; readonly why: string };

export type FailoverAction =
  | { readonly type: 'locate'; readonly uri: string }
  | { readonly type: 'invite'; readonly uri: string; readonly destination: Endpoint }
  /** Give up the INVITE that is under way. */
  | { readonly type: 'abandon' }
  | { readonly type: 'set-timer'; readonly timer: FailoverTimer; readonly delayMs: number }
  | { readonly type: 'stop-timer'; readonly timer: FailoverTimer }
  /** The first 18x of the call. */
  | { readonly type: 'ringing' }
  /** What a call met at a target of the policy: its health rests on it. */
  | { readonly type: 'report'; readonly target: Target; readonly report: CallReport }
  /** A target could not take the call, which goes on to the next; who and why, in words. */
  | { readonly type: 'attempt-failed'; readonly text: string }
  | { readonly type: 'ended'; readonly outcome: RouteOutcome };

type Phase = 'idle' | 'locating' | 'waiting' | 'trying' | 'ringing' | 'ended';

export interface FailoverState {
  readonly timeoutMs: number;
  readonly random: Random;
  readonly rules: FailoverRules;
  readonly trace: RouteTrace;
  phase: Phase;
  rest: readonly Target[];
  draw: Draw | undefined;
  /** What is called: the drawn target's URI, or where a 302 sent the call. */
  uri: string;
  redirected: boolean;
  addresses: readonly Endpoint[];
  attempt: TracedAttempt | undefined;
  rang: boolean;
  earlyMedia: boolean;
  lastStatus: number | undefined;
}

export interface RoutePlan {
  /** Which trunk and policy by which rule, in words. */
  readonly rule: string;
  readonly targets: readonly Target[];
  /** From the first action to an answer, over all attempts. */
  readonly timeoutMs: number;
}

/** @param trace of a call that looks for several at once, where this is not the first. */
export function newFailover(
  plan: RoutePlan,
  { random, rules }: Pick<FailoverState, 'random' | 'rules'>,
  trace: RouteTrace = newTrace(plan.rule),
): FailoverState {
  traceTargets(trace, plan.targets);
  return {
    timeoutMs: plan.timeoutMs,
    random,
    rules,
    trace,
    phase: 'idle',
    rest: plan.targets,
    draw: undefined,
    uri: '',
    redirected: false,
    addresses: [],
    attempt: undefined,
    rang: false,
    earlyMedia: false,
    lastStatus: undefined,
  };
}
