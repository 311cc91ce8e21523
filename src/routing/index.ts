// Routing: where a call goes and why. Pure; given the same targets, random source and inputs it decides the same.
//
//   target-selection  priority, then a weighted draw
//   verdict           which answers stop the search
//   failover          the machine that runs the search
//   route-trace       the reasons, written while deciding

export { callableEndpoints } from './callable.ts';
export * from './failover.ts';
export type { RouteTrace, TracedAttempt, TracedEvent, TracedTarget } from './route-trace.ts';
export { traceEvent } from './route-trace.ts';
export { drawTarget, shareOf, type Target } from './target-selection.ts';
