// Routing: where a call goes and why. Pure; given the same targets, random source and inputs it decides the same.
//
//   target-selection  priority, then a weighted draw
//   target-health     whether a target can be trusted: breaker and checks; target-report what a call tells of it
//   verdict           which answers stop the search
//   failover          the machine that runs the search; failover-state its inputs, actions and state
//   route-trace       the reasons, written while deciding; attempt-trace those of attempts
//   callable          which addresses may be called   dialing-permission  which numbers an account lets be called

export { formatEndpoint } from './attempt-trace.ts';
export { callableEndpoints } from './callable.ts';
export {
  type CountryPermissions,
  type DialingPermissions,
  type DialVerdict,
  dialingPermissionsOf,
  mayDial,
} from './dialing-permission.ts';
export { step } from './failover.ts';
export * from './failover-state.ts';
export { countDraws, judgeShares, type LoadShare } from './load-share.ts';
export type { RouteTrace, TracedAttempt, TracedEvent, TracedTarget } from './route-trace.ts';
export { newTrace, traceEvent } from './route-trace.ts';
export * from './target-health.ts';
export { drawTarget, firstGroup, isDemoted, shareOf, type Target } from './target-selection.ts';
