// The reasons of a call's route, written down while they are made: one value for finished, running and tried-out calls.
import type { HealthState } from './target-health.ts';
import { isDemoted, shareOf, type Target } from './target-selection.ts';

export interface TracedTarget {
  readonly sid: string | null;
  readonly uri: string;
  readonly priority: number;
  readonly weight: number;
  /** Share of its priority's traffic among those as much alive, 0 to 1. */
  readonly share: number;
  readonly enabled: boolean;
  /** When the call began. */
  readonly health: HealthState;
  /** TLS: its certificate is not checked. */
  readonly insecure: boolean;
  /** What became of it, in words. */
  standing: string;
}

export interface TracedAttempt {
  readonly number: number;
  readonly targetSid: string | null;
  readonly uri: string;
  /** Why this target, now. */
  readonly reason: string;
  /** `udp:192.0.2.1:5060`; null when the target's host was not found. */
  readonly destination: string | null;
  readonly startedAtMs: number;
  readonly answers: { readonly atMs: number; readonly status: number; readonly reason: string }[];
  endedAtMs: number | null;
  result: 'under way' | 'answered' | 'failed over' | 'redirected' | 'final' | 'canceled';
  /** What the result rests on, in words. */
  why: string | null;
}

export interface TracedEvent {
  readonly atMs: number;
  readonly kind: 'route' | 'attempt' | 'call' | 'twiml' | 'callback' | 'warning';
  readonly text: string;
}

/** Times are milliseconds since the epoch. */
export interface RouteTrace {
  /** Which trunk and policy by which rule. */
  rule: string;
  readonly targets: TracedTarget[];
  readonly attempts: TracedAttempt[];
  /** Everything in the order it happened, in words. */
  readonly events: TracedEvent[];
}

export const newTrace = (rule: string): RouteTrace => ({ rule, targets: [], attempts: [], events: [] });

export function traceTargets(trace: RouteTrace, targets: readonly Target[]): void {
  for (const target of targets) {
    trace.targets.push({
      sid: target.sid,
      uri: target.uri,
      priority: target.priority,
      weight: target.weight,
      share: shareOf(target, targets),
      enabled: target.enabled,
      health: target.health?.state ?? 'unknown',
      insecure: target.insecure ?? false,
      standing: standingOf(target),
    });
  }
}

function standingOf(target: Target): string {
  if (!target.enabled) return 'disabled: never tried';
  return isDemoted(target) ? `not needed; down, so it comes last: ${target.health?.why}` : 'not needed';
}

export function traceEvent(trace: RouteTrace, atMs: number, kind: TracedEvent['kind'], text: string): void {
  trace.events.push({ atMs, kind, text });
}
