// How calls spread over targets: many virtual draws, and how far they are from what the weights promise.
import type { Random } from '../lib/random.ts';
import { drawTarget, firstGroup, shareOf, type Target } from './target-selection.ts';

export interface TargetShare {
  readonly sid: string | null;
  readonly uri: string;
  readonly priority: number;
  readonly weight: number;
  /** By the weights, 0 to 1. */
  readonly expected: number;
  readonly observed: number;
  readonly selections: number;
}

export interface LoadShare {
  readonly selections: number;
  readonly targets: readonly TargetShare[];
  /** Pearson's statistic over the targets that can be drawn. */
  readonly chiSquare: number;
  readonly degreesOfFreedom: number;
  /** The chance of a spread at least this uneven if the weights are kept; near 0 means that they are not. */
  readonly pValue: number;
}

/** How often each target, by its place in `targets`, is drawn first in so many calls. */
export function countDraws(targets: readonly Target[], selections: number, random: Random): number[] {
  const hits = targets.map(() => 0);
  const places = new Map(targets.map((target, place) => [target, place]));
  for (let call = 0; call < selections; call++) {
    const place = places.get(drawTarget(targets, random)?.target as Target);
    if (place !== undefined) hits[place] = (hits[place] as number) + 1;
  }
  return hits;
}

/** Holds counted draws against the weights. */
export function judgeShares(targets: readonly Target[], hits: readonly number[]): LoadShare {
  const selections = hits.reduce((sum, count) => sum + count, 0);
  const group = firstGroup(targets);
  const rows = targets.map((target, place) => {
    const count = hits[place] ?? 0;
    const { sid, uri, priority, weight } = target;
    const expected = group.includes(target) ? shareOf(target, group) : 0;
    return {
      sid,
      uri,
      priority,
      weight,
      expected,
      observed: selections && count / selections,
      selections: count,
    };
  });
  const drawable = rows.filter((row) => row.expected > 0);
  const chiSquare = drawable.reduce((sum, row) => {
    const due = row.expected * selections;
    return due === 0 ? sum : sum + (row.selections - due) ** 2 / due;
  }, 0);
  const degreesOfFreedom = Math.max(0, drawable.length - 1);
  const pValue = degreesOfFreedom === 0 ? 1 : upperGamma(degreesOfFreedom / 2, chiSquare / 2);
  return { selections, targets: rows, chiSquare, degreesOfFreedom, pValue };
}

const MAX_TERMS = 500;
const PRECISION = 1e-12;

/** Regularised upper incomplete gamma function Q(a, x) (Abramowitz & Stegun 6.5.29 and 6.5.31). */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a));
  return x < a + 1 ? 1 - scale * lowerSeries(a, x) : scale * upperFraction(a, x);
}

function lowerSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < MAX_TERMS && term > sum * PRECISION; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
}

/** The continued fraction by Lentz's method. */
function upperFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = Number.MAX_VALUE;
  let d = 1 / b;
  let value = d;
  for (let n = 1; n < MAX_TERMS; n++) {
    const factor = -n * (n - a);
    b += 2;
    d = 1 / (factor * d + b);
    c = b + factor / c;
    value *= c * d;
    if (Math.abs(c * d - 1) < PRECISION) break;
  }
  return value;
}

/** ln Γ for whole and half numbers, which is all that degrees of freedom give: Γ(z + 1) = z·Γ(z). */
function logGamma(a: number): number {
  let log = Number.isInteger(a) ? 0 : Math.log(Math.PI) / 2;
  for (let z = Number.isInteger(a) ? 1 : 0.5; z < a; z++) log += Math.log(z);
  return log;
}
