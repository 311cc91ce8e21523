// Where a call would go and why, from the very code that routes; nothing is placed, nothing is sent but DNS queries.
import { formatEndpoint, shareOf, type Target } from '../routing/index.ts';
import { type Endpoint, parseUri } from '../sip/index.ts';
import { callerUri } from './invite-template.ts';
import { endingOf } from './outcome.ts';
import type { CallPlan } from './plan.ts';
import { requestUri } from './request-uri.ts';

export interface ExplainedTarget {
  readonly sid: string | null;
  readonly target: string;
  readonly priority: number;
  readonly weight: number;
  readonly enabled: boolean;
  /** Chance of being the first one tried, 0 to 1. */
  readonly probability: number;
  /** Share of its priority's calls, 0 to 1. */
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
}

export async function explain(
  plan: CallPlan,
  { to, from }: { readonly to: string; readonly from: string },
  { locate, fromDomain }: ExplainDeps,
): Promise<Explanation> {
  const { targets } = plan;
  const explained = await Promise.all(
    targets.map((target) => explainTarget(target, targets, { to, locate })),
  );
  const usable = explained.filter(({ enabled, addresses }) => enabled && addresses.length > 0);
  return {
    rule: plan.rule,
    from: callerUri(from, plan.fromDomain ?? fromDomain),
    targets: explained,
    ...verdict(targets, usable),
  };
}

async function explainTarget(
  target: Target,
  all: readonly Target[],
  { to, locate }: { readonly to: string; readonly locate: ExplainDeps['locate'] },
): Promise<ExplainedTarget> {
  const found = await locate(target.uri).catch((error: Error) => error.message);
  const share = shareOf(target, all);
  const lowest = Math.min(...all.filter(({ enabled }) => enabled).map(({ priority }) => priority));
  const isFirst = target.enabled && target.priority === lowest;
  return {
    sid: target.sid,
    target: target.uri,
    priority: target.priority,
    weight: target.weight,
    enabled: target.enabled,
    probability: isFirst ? share : 0,
    share,
    requestUri: requestUri(parseUri(target.uri), to).uri,
    addresses: typeof found === 'string' ? [] : found.map(formatEndpoint),
    verdict: targetVerdict(target, {
      isFirst,
      share,
      trouble: typeof found === 'string' ? found : undefined,
    }),
  };
}

function targetVerdict(
  { enabled, priority }: Target,
  { isFirst, share, trouble }: { isFirst: boolean; share: number; trouble: string | undefined },
): string {
  if (!enabled) return 'disabled: never tried';
  const order = isFirst
    ? `tried first in ${Math.round(share * 100)} % of calls`
    : `tried when every target of a lower priority number than ${priority} has failed`;
  return trouble === undefined ? order : `${order}, but it cannot be reached: ${trouble}`;
}

function verdict(
  targets: readonly Target[],
  usable: readonly ExplainedTarget[],
): Pick<Explanation, 'verdict' | 'errorCode'> {
  const fails = (outcome: Parameters<typeof endingOf>[0]): Pick<Explanation, 'verdict' | 'errorCode'> => {
    const { status, why, errorCode } = endingOf(outcome);
    return { verdict: `The call would end as ${status}: ${why}`, errorCode: errorCode ?? null };
  };
  if (!targets.some(({ enabled }) => enabled)) {
    return fails({
      kind: 'no-target',
      why: targets.length ? 'every target is disabled' : 'there is no target',
    });
  }
  if (usable.length === 0) return fails({ kind: 'exhausted', why: 'no target can be reached' });
  return {
    verdict: `The call would be tried at ${usable.length} of ${targets.length} targets`,
    errorCode: null,
  };
}
