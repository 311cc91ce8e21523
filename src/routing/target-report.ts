// What a call tells of a target's health. Where a 302 sent the call is no target: nothing is told of it.
import { isRedirect } from './attempt-trace.ts';
import type { FailoverAction, FailoverState } from './failover-state.ts';

/** It rings, or gives a final answer that is not 503. */
export function heard(
  state: FailoverState,
  { status, reason }: { readonly status: number; readonly reason: string },
): readonly FailoverAction[] {
  const { draw } = state;
  if (!draw || isRedirect(state)) return [];
  return [
    { type: 'report', target: draw.target, report: { type: 'call-heard', what: `${status} ${reason}` } },
  ];
}

/** A time-out, a transport error, or 503. */
export function lost(state: FailoverState, why: string): readonly FailoverAction[] {
  const { draw } = state;
  if (!draw || isRedirect(state)) return [];
  return [{ type: 'report', target: draw.target, report: { type: 'call-failed', why } }];
}
