// Attempts as the route trace tells them: opened, answered, closed, each with its reason.
import type { Endpoint } from '../sip/index.ts';
import type { FailoverState } from './failover-state.ts';
import { type TracedAttempt, traceEvent } from './route-trace.ts';
import { type Draw, isDemoted } from './target-selection.ts';

export function reasonFor({ target, share, among }: Draw): string {
  const drawn =
    among === 1
      ? `the only one left of priority ${target.priority}`
      : `drawn from ${among} of priority ${target.priority} with a chance of ${Math.round(share * 100)} %`;
  return isDemoted(target) ? `${drawn}, though it is down, as no other is left that is not` : drawn;
}

/** Whether the call goes where a 302 sent it, and not to the target itself. */
export const isRedirect = ({ uri, draw }: FailoverState): boolean => uri !== draw?.target.uri;

export function openAttempt(state: FailoverState, destination: string | null, nowMs: number): TracedAttempt {
  const draw = state.draw as Draw;
  const attempt: TracedAttempt = {
    number: state.trace.attempts.length + 1,
    targetSid: draw.target.sid,
    uri: state.uri,
    reason: isRedirect(state) ? 'the target before sent the call here by 302' : reasonFor(draw),
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

export function noteAnswer(
  state: FailoverState,
  input: { status: number; reason: string },
  nowMs: number,
): void {
  state.attempt?.answers.push({ atMs: nowMs, status: input.status, reason: input.reason });
  traceEvent(state.trace, nowMs, 'attempt', `${state.uri} answers ${input.status} ${input.reason}`);
}

export function closeAttempt(
  state: FailoverState,
  result: TracedAttempt['result'],
  why: string,
  nowMs: number,
): void {
  const attempt = state.attempt;
  if (!attempt) return;
  attempt.endedAtMs = nowMs;
  attempt.result = result;
  attempt.why = why;
  const drawn = state.draw?.target;
  const target = state.trace.targets.find((each) => each.sid === drawn?.sid && each.uri === drawn?.uri);
  if (target) target.standing = `tried as attempt ${attempt.number}: ${result}`;
  if (result === 'failed over') traceEvent(state.trace, nowMs, 'attempt', `${attempt.uri} is left: ${why}`);
}

/** `udp:192.0.2.1:5060`, with brackets around IPv6. */
export const formatEndpoint = ({ transport, address, port }: Endpoint): string =>
  `${transport}:${address.includes(':') ? `[${address}]` : address}:${port}`;
