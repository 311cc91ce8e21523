// What the call of a Dial's callee is made of: the question of its route, its row, and its INVITE.
import type { HeaderField } from '../../sip/index.ts';
import type { Directory } from '../../store/index.ts';
import type { ChildOrder } from '../call.ts';
import type { CallOrder, RouteQuestion } from '../order.ts';
import { judgeNumber, type NumberWorld } from '../route/number-verdict.ts';
import { type CallPlan, carrierFor, planCall } from '../route/plan.ts';
import type { PlanWorld } from '../route/plan-sip.ts';

export interface ChildRoute {
  readonly question: RouteQuestion;
  readonly plan: CallPlan;
}

/** Which way a callee is reached, where it may be; emergency services by rules of their own. */
export function childRoute(
  order: ChildOrder,
  world: PlanWorld & NumberWorld,
  domainSid: string | undefined,
): ChildRoute {
  const question = childQuestion(order, world.directory);
  const verdict = judgeNumber(
    { ...question, by: 'dial', ...(domainSid !== undefined && { domainSid }) },
    world,
  );
  switch (verdict.kind) {
    case 'no-emergency': {
      const isLost = question.byoc === undefined && !question.to.startsWith('sip:') && !order.trunk;
      const plan = isLost ? noPlan(question, noCarrier(question)) : planCall(question, world);
      return { question, plan };
    }
    case 'refused':
      return { question, plan: noPlan(question, verdict) };
    case 'allowed': {
      const { to, callerId: from, carrier } = verdict;
      const way = { ...question, to, from, byoc: carrier.trunkSid, carrierRoute: carrier.routeSid };
      return { question: way, plan: planCall(way, world) };
    }
  }
}

/** Twilio: a number that cannot be reached. */
const NO_CARRIER = 13_224;

const noCarrier = ({ to }: RouteQuestion) => ({
  code: NO_CARRIER,
  why: `no CarrierRoute takes ${to}, and byoc names no trunk`,
});

const noPlan = (
  { timeoutS }: RouteQuestion,
  { code, why }: { readonly code: number; readonly why: string },
): CallPlan => ({
  rule: why,
  targets: [],
  timeoutMs: timeoutS * 1000,
  connectionPolicySid: null,
  fromDomain: undefined,
  failure: { code, why },
});

/** A number without a trunk of its own goes the way of the account's CarrierRoutes. */
function childQuestion(order: ChildOrder, directory: Directory): RouteQuestion {
  const { parent, to, from, byoc, timeoutS } = order;
  const { accountSid } = parent;
  const question = { accountSid, to, from, timeoutS };
  if (byoc !== undefined || to.startsWith('sip:'))
    return { ...question, ...(byoc !== undefined && { byoc }) };
  const carrier = carrierFor(to, accountSid, directory);
  return carrier ? { ...question, byoc: carrier.trunkSid, carrierRoute: carrier.routeSid } : question;
}

export const childValues = (
  { parent, statusCallback, trunk }: ChildOrder,
  { question: { to, from, byoc }, plan }: ChildRoute,
) =>
  ({
    accountSid: parent.accountSid,
    to,
    from,
    direction: trunk?.direction ?? 'outbound-dial',
    trunkSid: trunk?.sid ?? null,
    parentCallSid: parent.sid,
    byocTrunkSid: plan.connectionPolicySid === null ? null : (byoc ?? null),
    connectionPolicySid: plan.connectionPolicySid,
    statusCallback: statusCallback?.url ?? null,
    statusCallbackMethod: statusCallback?.method ?? 'POST',
    statusCallbackEvents: statusCallback?.events ?? [],
  }) as const;

export function childInvite(
  { headers, sipAuth, callerId }: ChildOrder,
  hopsLeft: number | undefined,
): Pick<CallOrder, 'sipAuth' | 'callerId'> & { readonly headers: readonly HeaderField[] } {
  const hops: readonly HeaderField[] = hopsLeft === undefined ? [] : [['Max-Forwards', String(hopsLeft)]];
  return {
    headers: [...hops, ...headers],
    ...(sipAuth && { sipAuth }),
    ...(callerId !== undefined && { callerId }),
  };
}
