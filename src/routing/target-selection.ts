// Which target is tried next: who is down comes last, then priority, then a weighted draw among equals (RFC 2782 style).
import type { Random } from '../lib/random.ts';
import type { Endpoint } from '../sip/index.ts';
import { isDown, type Standing } from './target-health.ts';

/** A place a call can be sent to. Low priority goes first; weight is the share inside a priority. */
export interface Target {
  readonly sid: string | null;
  readonly uri: string;
  readonly priority: number;
  readonly weight: number;
  readonly enabled: boolean;
  /** TLS: the certificate it shows is not checked. */
  readonly insecure?: boolean;
  /** Where it is, where that is known already: a device that has registered is behind its own flow. */
  readonly destination?: Endpoint;
  /** What calls and OPTIONS told of it. */
  readonly health?: Standing;
}

export interface Draw {
  readonly target: Target;
  /** The probability with which this target was the one, 0 to 1. */
  readonly share: number;
  /** How many targets of its priority it was drawn from. */
  readonly among: number;
  readonly rest: readonly Target[];
}

/** Tried after all others, for being down. */
export const isDemoted = ({ health }: Target): boolean => health !== undefined && isDown(health);

/** The enabled targets with the lowest priority number: of those that are not down, or of all where each is. */
export function firstGroup(targets: readonly Target[]): readonly Target[] {
  const enabled = targets.filter((target) => target.enabled);
  const alive = enabled.filter((target) => !isDemoted(target));
  const candidates = alive.length > 0 ? alive : enabled;
  const lowest = Math.min(...candidates.map((target) => target.priority));
  return candidates.filter((target) => target.priority === lowest);
}

/** `target`'s share of the traffic of those that are tried with it: enabled, as much alive, of its priority. */
export function shareOf(target: Target, targets: readonly Target[]): number {
  if (!target.enabled) return 0;
  const demoted = isDemoted(target);
  const group = targets.filter(
    (each) => each.enabled && each.priority === target.priority && isDemoted(each) === demoted,
  );
  const total = totalWeight(group);
  return total === 0 ? 1 / group.length : target.weight / total;
}

/**
 * Draws the next target and leaves the others for later draws, so that shares re-normalise as members fail.
 * Members of weight 0 come last in their group. Returns undefined when no enabled target is left.
 */
export function drawTarget(targets: readonly Target[], random: Random): Draw | undefined {
  const group = firstGroup(targets);
  const [first] = group;
  if (!first) return undefined;
  const target = pickByWeight(group, random) ?? first;
  return {
    target,
    share: shareOf(target, group),
    among: group.length,
    rest: targets.filter((each) => each !== target),
  };
}

function pickByWeight(group: readonly Target[], random: Random): Target | undefined {
  let point = random.fraction() * totalWeight(group);
  for (const target of group) {
    point -= target.weight;
    if (point < 0) return target;
  }
  return undefined;
}

const totalWeight = (group: readonly Target[]): number =>
  group.reduce((sum, target) => sum + target.weight, 0);
