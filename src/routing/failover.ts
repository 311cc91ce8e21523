// The hunt for a target that answers, as a machine: inputs in, actions out; no clock, socket or promise inside.
//
//   start → locating → waiting (nothing heard) → trying (100) → ringing (18x) → ended
//              ↑____________|___________________|_____ next address, then next target
//
// The state belongs to one call and is advanced in place; `step` touches nothing else.
import type { Endpoint } from '../sip/index.ts';
import {
  closeAttempt,
  formatEndpoint,
  isRedirect,
  noteAnswer,
  openAttempt,
  reasonFor,
} from './attempt-trace.ts';
import {
  type FailoverAction,
  type FailoverInput,
  type FailoverState,
  type FailoverTimer,
  FIRST_RING_MS,
  type RouteOutcome,
} from './failover-state.ts';
import { type TracedAttempt, traceEvent } from './route-trace.ts';
import { heard, lost } from './target-report.ts';
import { drawTarget } from './target-selection.ts';
import { judge } from './verdict.ts';

/** Advances the hunt by one input. `nowMs` is the time since the epoch, for the trace. */
export function step(state: FailoverState, input: FailoverInput, nowMs: number): readonly FailoverAction[] {
  if (state.phase === 'ended') return [];
  switch (input.type) {
    case 'start':
      return start(state, nowMs);
    case 'located':
      return invite(state, input.endpoints, nowMs);
    case 'not-located':
      return notLocated(state, input.why, nowMs);
    case 'provisional':
      return progress(state, input, nowMs);
    case 'answered':
      noteAnswer(state, input, nowMs);
      closeAttempt(state, 'answered', `${input.status} ${input.reason}`, nowMs);
      return [...heard(state, input), ...end(state, { kind: 'answered' })];
    case 'refused':
      return refused(state, input, nowMs);
    case 'unreachable':
      return lose(state, input.why, nowMs);
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
    const unlocated = state.attempt?.destination === null && ({ unlocated: true } as const);
    return end(state, withStatus({ kind: 'exhausted', why, ...unlocated }, state.lastStatus));
  }
  state.draw = draw;
  state.uri = draw.target.uri;
  state.rest = draw.rest;
  state.phase = 'locating';
  traceEvent(state.trace, nowMs, 'route', `${draw.target.uri} is next: ${reasonFor(draw)}`);
  return [{ type: 'locate', uri: draw.target.uri }];
}

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
  const insecure = draw.target.insecure === true && !isRedirect(state) && destination.transport === 'tls';
  const how = insecure ? ', whose certificate is not checked' : '';
  traceEvent(state.trace, nowMs, 'attempt', `INVITE to ${state.uri} at ${state.attempt.destination}${how}`);
  return [
    { type: 'invite', uri: state.uri, destination: insecure ? { ...destination, insecure } : destination },
    { type: 'set-timer', timer: 'silence', delayMs: state.rules.silenceMs },
  ];
}

function notLocated(state: FailoverState, why: string, nowMs: number): readonly FailoverAction[] {
  state.attempt = openAttempt(state, null, nowMs);
  if (isRedirect(state)) return redirectFailed(state, why, nowMs);
  return [failAttempt(state, why, nowMs), ...nextTarget(state, nowMs)];
}

function progress(
  state: FailoverState,
  input: FailoverInput & { type: 'provisional' },
  nowMs: number,
): readonly FailoverAction[] {
  noteAnswer(state, input, nowMs);
  const actions: FailoverAction[] = [];
  if (state.phase === 'waiting') {
    actions.push({ type: 'stop-timer', timer: 'silence' });
    if (input.status < 180) actions.push({ type: 'set-timer', timer: 'stall', delayMs: state.rules.stallMs });
    state.phase = 'trying';
  }
  if (input.status >= 180) actions.push(...ring(state, input));
  if (input.earlyMedia) state.earlyMedia = true;
  return actions;
}

function ring(
  state: FailoverState,
  response: { readonly status: number; readonly reason: string },
): readonly FailoverAction[] {
  if (state.rang) return [];
  state.rang = true;
  state.phase = 'ringing';
  return [
    { type: 'stop-timer', timer: 'stall' },
    { type: 'stop-timer', timer: 'first-ring' },
    ...heard(state, response),
    { type: 'ringing' },
  ];
}

function refused(
  state: FailoverState,
  input: FailoverInput & { type: 'refused' },
  nowMs: number,
): readonly FailoverAction[] {
  noteAnswer(state, input, nowMs);
  state.lastStatus = input.status;
  if (input.status === OUT_OF_SERVICE) return outOfService(state, nowMs);
  const alive = heard(state, input);
  if (input.status === 302) return [...alive, ...redirect(state, input.contact, nowMs)];
  const verdict = judge(input.status, state, state.rules);
  if (verdict.goOn) return [...alive, ...goOn(state, verdict.why, nowMs)];
  closeAttempt(state, 'final', verdict.why, nowMs);
  return [...alive, ...end(state, { kind: 'refused', sipStatus: input.status, why: verdict.why })];
}

const OUT_OF_SERVICE = 503;

function outOfService(state: FailoverState, nowMs: number): readonly FailoverAction[] {
  const { goOn: goesOn, why } = judge(OUT_OF_SERVICE, state, state.rules);
  if (goesOn) return lose(state, why, nowMs);
  closeAttempt(state, 'final', why, nowMs);
  return end(state, { kind: 'refused', sipStatus: OUT_OF_SERVICE, why });
}

/** One redirect a call, to the first Contact only; a second one, or one to nowhere, ends the call (Twilio 32219). */
function redirect(
  state: FailoverState,
  contact: string | undefined,
  nowMs: number,
): readonly FailoverAction[] {
  if (state.redirected) return redirectFailed(state, 'a second 302 is not followed', nowMs);
  if (state.draw?.target.destination)
    return redirectFailed(state, 'a registered device may not send a call elsewhere', nowMs);
  if (contact === undefined) return redirectFailed(state, 'the 302 names no SIP URI', nowMs);
  closeAttempt(state, 'redirected', `302 to ${contact}`, nowMs);
  state.redirected = true;
  state.uri = contact;
  state.addresses = [];
  state.phase = 'locating';
  return [...SILENT, { type: 'locate', uri: contact }];
}

function redirectFailed(state: FailoverState, why: string, nowMs: number): readonly FailoverAction[] {
  closeAttempt(state, 'final', why, nowMs);
  return end(state, { kind: 'redirect-failed', sipStatus: 302, why });
}

/** Stops what runs while an attempt is silent. */
const SILENT: readonly FailoverAction[] = [
  { type: 'stop-timer', timer: 'silence' },
  { type: 'stop-timer', timer: 'stall' },
];

/** As `goOn`; when it was the target's last address, its health hears of the failure. */
function lose(state: FailoverState, why: string, nowMs: number): readonly FailoverAction[] {
  const report = state.addresses.length > 0 ? [] : lost(state, why);
  return [...report, ...goOn(state, why, nowMs)];
}

/** Leaves the attempt for the target's next address (RFC 3263 §4.3), then for the next target. */
function goOn(state: FailoverState, why: string, nowMs: number): readonly FailoverAction[] {
  const actions = [failAttempt(state, why, nowMs), ...SILENT];
  state.phase = 'locating';
  if (state.addresses.length) return [...actions, ...invite(state, state.addresses, nowMs)];
  return [...actions, ...nextTarget(state, nowMs)];
}

function failAttempt(state: FailoverState, why: string, nowMs: number): FailoverAction {
  closeAttempt(state, 'failed over', why, nowMs);
  const destination = state.attempt?.destination ?? null;
  return {
    type: 'attempt-failed',
    text: `${state.uri}${destination === null ? '' : ` at ${destination}`}: ${why}`,
  };
}

function timerFired(state: FailoverState, timer: FailoverTimer, nowMs: number): readonly FailoverAction[] {
  const seconds = (ms: number) => `${ms / 1000} s`;
  switch (timer) {
    case 'silence':
      return [
        { type: 'abandon' },
        ...lose(state, `no response within ${seconds(state.rules.silenceMs)}`, nowMs),
      ];
    case 'stall':
      return [
        { type: 'abandon' },
        ...lose(state, `no ringing within ${seconds(state.rules.stallMs)} of its 100`, nowMs),
      ];
    case 'first-ring':
      return giveUp(state, { why: `nothing rang within ${seconds(FIRST_RING_MS)}`, neverRang: true }, nowMs);
    case 'answer':
      return giveUp(state, { why: `no answer within ${seconds(state.timeoutMs)}` }, nowMs);
  }
}

function giveUp(
  state: FailoverState,
  reason: { readonly why: string; readonly neverRang?: true },
  nowMs: number,
): readonly FailoverAction[] {
  const abandon = abandonAttempt(state, 'final', reason.why, nowMs);
  return [...abandon, ...end(state, withStatus({ kind: 'no-answer', ...reason }, state.lastStatus))];
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
  closeAttempt(state, result, why, nowMs);
  return [{ type: 'abandon' }];
}

function end(state: FailoverState, outcome: RouteOutcome): readonly FailoverAction[] {
  state.phase = 'ended';
  const timers = ['silence', 'stall', 'first-ring', 'answer'] as const;
  return [...timers.map((timer) => ({ type: 'stop-timer', timer }) as const), { type: 'ended', outcome }];
}

const withStatus = <T extends object>(
  outcome: T,
  sipStatus: number | undefined,
): T & { sipStatus?: number } => (sipStatus === undefined ? outcome : { ...outcome, sipStatus });
