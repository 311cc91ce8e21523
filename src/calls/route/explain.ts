// Where a call would go and why, from the very code that routes; nothing is placed, nothing is sent but DNS queries.
import {
  firstGroup,
  formatEndpoint,
  type HealthState,
  isDemoted,
  shareOf,
  type Target,
} from '../../routing/index.ts';
import { type Endpoint, parseUri } from '../../sip/index.ts';
import { callerUri, numberIn } from '../leg/invite-template.ts';
import { type CallEnding, endingOf, uncallable } from '../outcome.ts';
import type { CallPlan } from './plan.ts';
import { requestUri } from './request-uri.ts';
import { type HealthBook, withHealth } from './route-runner.ts';

export interface ExplainedTarget {
  readonly sid: string | null;
  readonly target: string;
  readonly priority: number;
  readonly weight: number;
  readonly enabled: boolean;
  readonly health: HealthState;
  /** What the health rests on, in words. */
  readonly healthWhy: string | null;
  /** TLS: its certificate is not checked. */
  readonly insecure: boolean;
  /** Chance of being the first one tried, 0 to 1. */
  readonly probability: number;
  /** Share of its priority's calls among those as much alive, 0 to 1. */
  readonly share: number;
  readonly requestUri: string;
  /** Addresses in the order they would be tried. */
  readonly addresses: readonly string[];
  /** In words: when it is tried, or why it is not. */
  readonly verdict: string;
}

export interface Explanation {
  readonly rule: string;
  readonly from: string;
  readonly targets: readonly ExplainedTarget[];
  readonly verdict: string;
  /** Twilio's code of the error that the call would end in at once. */
  readonly errorCode: number | null;
}

export interface ExplainDeps {
  locate(uri: string): Promise<readonly Endpoint[]>;
  readonly fromDomain: string;
  readonly health?: HealthBook;
}

export async function explain(
  plan: CallPlan,
  { to, from }: { readonly to: string; readonly from: string },
  { locate, fromDomain, health }: ExplainDeps,
): Promise<Explanation> {
  const targets = withHealth(plan.targets, health);
  const explained = await Promise.all(
    targets.map((target) => explainTarget(target, targets, { to, locate })),
  );
  const usable = explained.filter(({ enabled, addresses }) => enabled && addresses.length > 0);
  return {
    rule: plan.rule,
    from: callerUri(from, plan.fromDomain ?? fromDomain),
    targets: explained,
    ...verdict(plan, { targets, usable }),
  };
}

async function explainTarget(
  target: Target,
  all: readonly Target[],
  { to, locate }: { readonly to: string; readonly locate: ExplainDeps['locate'] },
): Promise<ExplainedTarget> {
  const found = target.destination
    ? [target.destination]
    : await locate(target.uri).catch((error: Error) => error.message);
  const share = shareOf(target, all);
  const isFirst = firstGroup(all).includes(target);
  return {
    sid: target.sid,
    target: target.uri,
    priority: target.priority,
    weight: target.weight,
    enabled: target.enabled,
    health: target.health?.state ?? 'unknown',
    healthWhy: target.health?.why ?? null,
    insecure: target.insecure ?? false,
    probability: isFirst ? share : 0,
    share,
    requestUri: requestUri(parseUri(target.uri), numberIn(to)).uri,
    addresses: typeof found === 'string' ? [] : found.map(formatEndpoint),
    verdict: targetVerdict(target, {
      isFirst,
      share,
      trouble: typeof found === 'string' ? found : undefined,
    }),
  };
}

function targetVerdict(
  target: Target,
  { isFirst, share, trouble }: { isFirst: boolean; share: number; trouble: string | undefined },
): string {
  if (!target.enabled) return 'disabled: never tried';
  const order = turnOf(target, isFirst, share);
  const how = target.insecure ? `${order}; its certificate is not checked` : order;
  return trouble === undefined ? how : `${how}, but it cannot be reached: ${trouble}`;
}

function turnOf(target: Target, isFirst: boolean, share: number): string {
  const first = `tried first in ${Math.round(share * 100)} % of calls`;
  const later = `tried when every target of a lower priority number than ${target.priority} has failed`;
  if (!isDemoted(target)) return isFirst ? first : later;
  const why = target.health?.why;
  return isFirst
    ? `${first}: it is down (${why}), but so is every other`
    : `down, so tried when every target that is not down has failed (${why})`;
}

function verdict(
  { failure, callee }: CallPlan,
  { targets, usable }: { readonly targets: readonly Target[]; readonly usable: readonly ExplainedTarget[] },
): Pick<Explanation, 'verdict' | 'errorCode'> {
  const ends = ({ status, why, errorCode }: CallEnding): Pick<Explanation, 'verdict' | 'errorCode'> => ({
    verdict: `The call would end as ${status}: ${why}`,
    errorCode: errorCode ?? null,
  });
  const fails = (outcome: Parameters<typeof endingOf>[0]) => ends(endingOf(outcome, callee));
  if (failure) return ends(uncallable(failure));
  if (!targets.some(({ enabled }) => enabled)) {
    return fails({
      kind: 'no-target',
      why: targets.length ? 'every target is disabled' : 'there is no target',
    });
  }
  if (usable.length === 0)
    return fails({ kind: 'exhausted', why: 'no target can be reached', unlocated: true });
  return {
    verdict: `The call would be tried at ${usable.length} of ${targets.length} targets`,
    errorCode: null,
  };
}
