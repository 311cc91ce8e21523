// Routing: where a call goes and why. Pure; given the same targets, random source and inputs it decides the same.
//
//   target-selection  priority, then a weighted draw
//   verdict           which answers stop the search
//   failover          the machine that runs the search; failover-state its inputs, actions and state
//   route-trace       the reasons, written while deciding; attempt-trace those of attempts
//   callable          which addresses may be called

export { formatEndpoint } from './attempt-trace.ts';
export { callableEndpoints } from './callable.ts';
export { step } from './failover.ts';
export * from './failover-state.ts';
export { countDraws, judgeShares, type LoadShare } from './load-share.ts';
export type { RouteTrace, TracedAttempt, TracedEvent, TracedTarget } from './route-trace.ts';
export { traceEvent } from './route-trace.ts';
export { drawTarget, shareOf, type Target } from './target-selection.ts';
