// The hunt for a target that answers, as a machine: inputs in, actions out; no clock, socket or promise inside.
//
//   start → locating → waiting (nothing heard) → trying (100) → ringing (18x) → ended
//              ↑____________|___________________|_____ next address, then next target
//
// The state belongs to one call and is advanced in place; `step` touches nothing else.
import type { Random } from '../lib/random.ts';
import type { Endpoint } from '../sip/index.ts';
import { newTrace, type RouteTrace, type TracedAttempt, traceEvent, traceTargets } from './route-trace.ts';
import { type Draw, drawTarget, type Target } from './target-selection.ts';
import { judge } from './verdict.ts';

/** A target's first response of any kind must come within this time; connecting counts. */
export const SILENCE_MS = 4_000;
/** After a 100, ringing or a final answer must come within this time. */
export const PROGRESS_MS = 15_000;
/** Some target must ring within this time, over all attempts, looking up names included. */
export const FIRST_RING_MS = 60_000;

export type FailoverTimer = 'silence' | 'progress' | 'first-ring' | 'answer';

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
  | { readonly type: 'refused'; readonly status: number; readonly reason: string }
  | { readonly type: 'unreachable'; readonly why: string }
  | { readonly type: 'timer'; readonly timer: FailoverTimer }
  | { readonly type: 'cancel' };

export type RouteOutcome =
  | { readonly kind: 'answered' }
  | { readonly kind: 'canceled' }
  | { readonly kind: 'no-answer'; readonly sipStatus?: number; readonly why: string }
  | { readonly kind: 'refused'; readonly sipStatus: number; readonly why: string }
  | { readonly kind: 'exhausted'; readonly sipStatus?: number; readonly why: string }
  | { readonly kind: 'no-target'; readonly why: string };

export type FailoverAction =
  | { readonly type: 'locate'; readonly uri: string }
  | { readonly type: 'invite'; readonly uri: string; readonly destination: Endpoint }
  /** Give up the INVITE that is under way. */
  | { readonly type: 'abandon' }
  | { readonly type: 'set-timer'; readonly timer: FailoverTimer; readonly delayMs: number }
  | { readonly type: 'stop-timer'; readonly timer: FailoverTimer }
  /** The first 18x of the call. */
  | { readonly type: 'ringing' }
  | { readonly type: 'ended'; readonly outcome: RouteOutcome };

type Phase = 'idle' | 'locating' | 'waiting' | 'trying' | 'ringing' | 'ended';

export interface FailoverState {
  readonly timeoutMs: number;
  readonly random: Random;
  readonly trace: RouteTrace;
  phase: Phase;
  rest: readonly Target[];
  draw: Draw | undefined;
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

export function newFailover(plan: RoutePlan, random: Random): FailoverState {
  const trace = newTrace(plan.rule);
  traceTargets(trace, plan.targets);
  return {
    timeoutMs: plan.timeoutMs,
    random,
    trace,
    phase: 'idle',
    rest: plan.targets,
    draw: undefined,
    addresses: [],
    attempt: undefined,
    rang: false,
    earlyMedia: false,
    lastStatus: undefined,
  };
}

/** Advances the hunt by one input. `nowMs` is the time since the epoch, for the trace. */
export function step(state: FailoverState, input: FailoverInput, nowMs: number): readonly FailoverAction[] {
  if (state.phase === 'ended') return [];
  switch (input.type) {
    case 'start':
      return start(state, nowMs);
    case 'located':
      return invite(state, input.endpoints, nowMs);
    case 'not-located':
      noteLookupFailure(state, input.why, nowMs);
      return nextTarget(state, nowMs);
    case 'provisional':
      return progress(state, input, nowMs);
    case 'answered':
      note(state, input, nowMs);
      close(state, 'answered', `${input.status} ${input.reason}`, nowMs);
      return end(state, { kind: 'answered' });
    case 'refused':
      return refused(state, input, nowMs);
    case 'unreachable':
      return goOn(state, input.why, nowMs);
    case 'timer':
      return timerFired(state, input.timer, nowMs);
    case 'cancel':
      return canceled(state, nowMs);
  }
}

function start(state: FailoverState, nowMs: number): readonly FailoverAction[] {
  traceEvent(state.trace, nowMs, 'route', state.trace.rule);
  if (!state.rest.some((target) => target.enabled)) {
    const why = state.rest.length ? 'every target is disabled' : 'there is no target';
    return end(state, { kind: 'no-target', why });
  }
  const timers: FailoverAction[] = [{ type: 'set-timer', timer: 'answer', delayMs: state.timeoutMs }];
  if (state.timeoutMs > FIRST_RING_MS) {
    timers.push({ type: 'set-timer', timer: 'first-ring', delayMs: FIRST_RING_MS });
  }
  return [...timers, ...nextTarget(state, nowMs)];
}

function nextTarget(state: FailoverState, nowMs: number): readonly FailoverAction[] {
  const draw = drawTarget(state.rest, state.random);
  if (!draw) {
    const why = `all ${state.trace.targets.filter((target) => target.enabled).length} targets were tried`;
    return end(state, withStatus({ kind: 'exhausted', why }, state.lastStatus));
  }
  state.draw = draw;
  state.rest = draw.rest;
  state.phase = 'locating';
  traceEvent(state.trace, nowMs, 'route', `${draw.target.uri} is next: ${reasonFor(draw)}`);
  return [{ type: 'locate', uri: draw.target.uri }];
}

const reasonFor = ({ target, share, among }: Draw): string =>
  among === 1
    ? `the only one left of priority ${target.priority}`
    : `drawn from ${among} of priority ${target.priority} with a chance of ${Math.round(share * 100)} %`;

function invite(
  state: FailoverState,
  endpoints: readonly Endpoint[],
  nowMs: number,
): readonly FailoverAction[] {
  const [destination, ...others] = endpoints;
  const draw = state.draw;
  if (!destination || !draw || state.phase !== 'locating') return [];
  state.addresses = others;
  state.phase = 'waiting';
  state.rang = false;
  state.earlyMedia = false;
  state.attempt = openAttempt(state, formatEndpoint(destination), nowMs);
  traceEvent(state.trace, nowMs, 'attempt', `INVITE to ${draw.target.uri} at ${state.attempt.destination}`);
  return [
    { type: 'invite', uri: draw.target.uri, destination },
    { type: 'set-timer', timer: 'silence', delayMs: SILENCE_MS },
  ];
}

function openAttempt(state: FailoverState, destination: string | null, nowMs: number): TracedAttempt {
  const draw = state.draw as Draw;
  const attempt: TracedAttempt = {
    number: state.trace.attempts.length + 1,
    targetSid: draw.target.sid,
    uri: draw.target.uri,
    reason: reasonFor(draw),
    destination,
    startedAtMs: nowMs,
    answers: [],
    endedAtMs: null,
    result: 'under way',
    why: null,
  };
  state.trace.attempts.push(attempt);
  return attempt;
}

function noteLookupFailure(state: FailoverState, why: string, nowMs: number): void {
  state.attempt = openAttempt(state, null, nowMs);
  close(state, 'failed over', why, nowMs);
}

function progress(
  state: FailoverState,
  input: FailoverInput & { type: 'provisional' },
  nowMs: number,
): readonly FailoverAction[] {
  note(state, input, nowMs);
  const actions: FailoverAction[] = [];
  if (state.phase === 'waiting') {
    actions.push({ type: 'stop-timer', timer: 'silence' });
    if (input.status < 180) actions.push({ type: 'set-timer', timer: 'progress', delayMs: PROGRESS_MS });
    state.phase = 'trying';
  }
  if (input.status >= 180) actions.push(...ring(state));
  if (input.earlyMedia) state.earlyMedia = true;
  return actions;
}

function ring(state: FailoverState): readonly FailoverAction[] {
  if (state.rang) return [];
  state.rang = true;
  state.phase = 'ringing';
  return [
    { type: 'stop-timer', timer: 'progress' },
    { type: 'stop-timer', timer: 'first-ring' },
    { type: 'ringing' },
  ];
}

function refused(
  state: FailoverState,
  input: FailoverInput & { type: 'refused' },
  nowMs: number,
): readonly FailoverAction[] {
  note(state, input, nowMs);
  state.lastStatus = input.status;
  const verdict = judge(input.status, state);
  if (verdict.goOn) return goOn(state, verdict.why, nowMs);
  close(state, 'final', verdict.why, nowMs);
  return end(state, { kind: 'refused', sipStatus: input.status, why: verdict.why });
}

/** Leaves the attempt for the target's next address (RFC 3263 §4.3), then for the next target. */
function goOn(state: FailoverState, why: string, nowMs: number): readonly FailoverAction[] {
  close(state, 'failed over', why, nowMs);
  const stops: readonly FailoverAction[] = [
    { type: 'stop-timer', timer: 'silence' },
    { type: 'stop-timer', timer: 'progress' },
  ];
  state.phase = 'locating';
  if (state.addresses.length) return [...stops, ...invite(state, state.addresses, nowMs)];
  return [...stops, ...nextTarget(state, nowMs)];
}

function timerFired(state: FailoverState, timer: FailoverTimer, nowMs: number): readonly FailoverAction[] {
  const seconds = (ms: number) => `${ms / 1000} s`;
  switch (timer) {
    case 'silence':
      return [{ type: 'abandon' }, ...goOn(state, `no response within ${seconds(SILENCE_MS)}`, nowMs)];
    case 'progress':
      return [
        { type: 'abandon' },
        ...goOn(state, `no ringing within ${seconds(PROGRESS_MS)} of its 100`, nowMs),
      ];
    case 'first-ring':
      return giveUp(state, `nothing rang within ${seconds(FIRST_RING_MS)}`, nowMs);
    case 'answer':
      return giveUp(state, `no answer within ${seconds(state.timeoutMs)}`, nowMs);
  }
}

function giveUp(state: FailoverState, why: string, nowMs: number): readonly FailoverAction[] {
  const abandon = abandonAttempt(state, 'final', why, nowMs);
  return [...abandon, ...end(state, withStatus({ kind: 'no-answer', why }, state.lastStatus))];
}

function canceled(state: FailoverState, nowMs: number): readonly FailoverAction[] {
  const abandon = abandonAttempt(state, 'canceled', 'the call was canceled', nowMs);
  return [...abandon, ...end(state, { kind: 'canceled' })];
}

function abandonAttempt(
  state: FailoverState,
  result: TracedAttempt['result'],
  why: string,
  nowMs: number,
): readonly FailoverAction[] {
  if (state.phase === 'idle' || state.phase === 'locating') return [];
  close(state, result, why, nowMs);
  return [{ type: 'abandon' }];
}

function end(state: FailoverState, outcome: RouteOutcome): readonly FailoverAction[] {
  state.phase = 'ended';
  const timers = ['silence', 'progress', 'first-ring', 'answer'] as const;
  return [...timers.map((timer) => ({ type: 'stop-timer', timer }) as const), { type: 'ended', outcome }];
}

function note(state: FailoverState, input: { status: number; reason: string }, nowMs: number): void {
  state.attempt?.answers.push({ atMs: nowMs, status: input.status, reason: input.reason });
  const from = state.attempt?.uri ?? 'a target';
  traceEvent(state.trace, nowMs, 'attempt', `${from} answers ${input.status} ${input.reason}`);
}

function close(state: FailoverState, result: TracedAttempt['result'], why: string, nowMs: number): void {
  const attempt = state.attempt;
  if (!attempt) return;
  attempt.endedAtMs = nowMs;
  attempt.result = result;
  attempt.why = why;
  const target = state.trace.targets.find(
    (each) => each.sid === attempt.targetSid && each.uri === attempt.uri,
  );
  if (target) target.standing = `tried as attempt ${attempt.number}: ${result}`;
  if (result === 'failed over') traceEvent(state.trace, nowMs, 'attempt', `${attempt.uri} is left: ${why}`);
}

const withStatus = <T extends object>(
  outcome: T,
  sipStatus: number | undefined,
): T & { sipStatus?: number } => (sipStatus === undefined ? outcome : { ...outcome, sipStatus });

/** `udp:192.0.2.1:5060`, with brackets around IPv6. */
export const formatEndpoint = ({ transport, address, port }: Endpoint): string =>
  `${transport}:${address.includes(':') ? `[${address}]` : address}:${port}`;
