// From a call order to the targets it may go to, and the rule by which they were found.
import { byocTrunk, connectionPolicyTarget } from '../resources/index.ts';
import type { RoutePlan, Target } from '../routing/index.ts';
import type { Directory } from '../store/index.ts';
import type { RouteQuestion } from './control.ts';

export interface CallPlan extends RoutePlan {
  readonly connectionPolicySid: string | null;
}

/** Reads the directory once: later changes of targets are for later calls. */
export function planCall(order: RouteQuestion, directory: Directory): CallPlan {
  const timeoutMs = order.timeoutS * 1000;
  if (order.to.startsWith('sip:')) {
    const target: Target = { sid: null, uri: order.to, priority: 0, weight: 1, enabled: true };
    return {
      rule: `To is a SIP URI: it is called as it is`,
      targets: [target],
      timeoutMs,
      connectionPolicySid: null,
    };
  }
  const trunk = order.byoc === undefined ? undefined : directory.find(byocTrunk, order.byoc);
  const policySid = trunk?.connectionPolicySid ?? null;
  const targets = policySid === null ? [] : directory.children(connectionPolicyTarget, policySid);
  const rule = policySid
    ? `Byoc names trunk ${order.byoc}, whose connection policy ${policySid} has ${targets.length} targets`
    : `Byoc names trunk ${order.byoc}, which has no connection policy`;
  return {
    rule,
    targets: targets.map(({ sid, target: uri, priority, weight, enabled }) => ({
      sid,
      uri,
      priority,
      weight,
      enabled,
    })),
    timeoutMs,
    connectionPolicySid: policySid,
  };
}
