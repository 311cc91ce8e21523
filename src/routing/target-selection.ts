// Which target is tried next: priority first, then a weighted draw among equals (RFC 2782 style).
import type { Random } from '../lib/random.ts';

/** A place a call can be sent to. Low priority goes first; weight is the share inside a priority. */
export interface Target {
  readonly sid: string | null;
  readonly uri: string;
  readonly priority: number;
  readonly weight: number;
  readonly enabled: boolean;
}

export interface Draw {
  readonly target: Target;
  /** The probability with which this target was the one, 0 to 1. */
  readonly share: number;
  /** How many targets of its priority it was drawn from. */
  readonly among: number;
  readonly rest: readonly Target[];
}

/** The enabled targets with the lowest priority number. */
export function firstGroup(targets: readonly Target[]): readonly Target[] {
  const enabled = targets.filter((target) => target.enabled);
  const lowest = Math.min(...enabled.map((target) => target.priority));
  return enabled.filter((target) => target.priority === lowest);
}

/** `target`'s share of its priority's traffic when all of the group can be tried; 0 where disabled. */
export function shareOf(target: Target, targets: readonly Target[]): number {
  if (!target.enabled) return 0;
  const group = targets.filter((each) => each.enabled && each.priority === target.priority);
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
