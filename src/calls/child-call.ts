// What the call of a Dial's callee is made of: the question of its route, its row, and its INVITE.
import type { HeaderField } from '../sip/index.ts';
import type { Directory } from '../store/index.ts';
import type { CallOrder, RouteQuestion } from './control.ts';
import type { ChildOrder } from './dial-order.ts';
import { type CallPlan, carrierFor } from './plan.ts';

/** A number without a trunk of its own goes the way of the account's CarrierRoutes. */
export function childQuestion(order: ChildOrder, directory: Directory): RouteQuestion {
  const { parent, to, from, byoc, timeoutS } = order;
  const { accountSid } = parent;
  const question = { accountSid, to, from, timeoutS };
  if (byoc !== undefined || to.startsWith('sip:'))
    return { ...question, ...(byoc !== undefined && { byoc }) };
  const carrier = carrierFor(to, accountSid, directory);
  return carrier ? { ...question, byoc: carrier.trunkSid, carrierRoute: carrier.routeSid } : question;
}

export const childValues = (
  { parent, to, from, statusCallback }: ChildOrder,
  { byoc }: RouteQuestion,
  plan: CallPlan,
) =>
  ({
    accountSid: parent.accountSid,
    to,
    from,
    direction: 'outbound-dial',
    parentCallSid: parent.sid,
    byocTrunkSid: plan.connectionPolicySid === null ? null : (byoc ?? null),
    connectionPolicySid: plan.connectionPolicySid,
    statusCallback: statusCallback?.url ?? null,
    statusCallbackMethod: statusCallback?.method ?? 'POST',
    statusCallbackEvents: statusCallback?.events ?? [],
  }) as const;

export function childInvite(
  { headers, sipAuth }: ChildOrder,
  hopsLeft: number | undefined,
): Pick<CallOrder, 'sipAuth'> & { readonly headers: readonly HeaderField[] } {
  const hops: readonly HeaderField[] = hopsLeft === undefined ? [] : [['Max-Forwards', String(hopsLeft)]];
  return { headers: [...hops, ...headers], ...(sipAuth && { sipAuth }) };
}
