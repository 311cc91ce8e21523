// From a call order to the targets it may go to, and the rule by which they were found.
import { byocTrunk, carrierRoute, connectionPolicyTarget, domain, type Row } from '../resources/index.ts';
import type { RoutePlan, Target } from '../routing/index.ts';
import type { Directory } from '../store/index.ts';
import type { RouteQuestion } from './control.ts';

export interface CallPlan extends RoutePlan {
  readonly connectionPolicySid: string | null;
  /** Host of the From header; undefined where no domain goes with the call. */
  readonly fromDomain: string | undefined;
}

/** Reads the directory once: later changes of targets are for later calls. */
export function planCall(question: RouteQuestion, directory: Directory): CallPlan {
  const timeoutMs = question.timeoutS * 1000;
  if (question.to.startsWith('sip:')) {
    const target: Target = { sid: null, uri: question.to, priority: 0, weight: 1, enabled: true };
    const rule = 'To is a SIP URI: it is called as it is';
    return { rule, targets: [target], timeoutMs, connectionPolicySid: null, fromDomain: undefined };
  }
  const trunk = question.byoc === undefined ? undefined : directory.find(byocTrunk, question.byoc);
  const policySid = trunk?.connectionPolicySid ?? null;
  const targets = policySid === null ? [] : directory.children(connectionPolicyTarget, policySid);
  return {
    rule: `${chosenBy(question, directory)}, ${policyInWords(policySid, targets.length)}`,
    targets: targets.map(({ sid, target: uri, priority, weight, enabled }) => ({
      sid,
      uri,
      priority,
      weight,
      enabled,
    })),
    timeoutMs,
    connectionPolicySid: policySid,
    fromDomain: trunk && fromDomainOf(trunk, directory),
  };
}

function chosenBy({ byoc, carrierRoute: routeSid }: RouteQuestion, directory: Directory): string {
  const route = routeSid === undefined ? undefined : directory.find(carrierRoute, routeSid);
  if (!route) return `Byoc names trunk ${byoc}`;
  const numbers = route.prefix ? `numbers that begin with ${route.prefix}` : 'every number';
  return `CarrierRoute ${route.sid} sends ${numbers} to trunk ${byoc}`;
}

const policyInWords = (policySid: string | null, targets: number): string =>
  policySid === null
    ? 'which has no connection policy'
    : `whose connection policy ${policySid} has ${targets} target${targets === 1 ? '' : 's'}`;

/** The domain that the trunk names, else the first one that is linked to it. */
function fromDomainOf(trunk: Row<typeof byocTrunk>, directory: Directory): string | undefined {
  const named = trunk.fromDomainSid === null ? undefined : directory.find(domain, trunk.fromDomainSid);
  return (named ?? directory.findBy(domain, { byocTrunkSid: trunk.sid })[0])?.domainName;
}

export interface Carrier {
  readonly routeSid: string;
  readonly trunkSid: string;
}

/** The account's CarrierRoute for a number: the longest prefix, then the lowest priority, then the oldest. */
export function carrierFor(number: string, accountSid: string, directory: Directory): Carrier | undefined {
  for (let length = number.length; length >= 0; length--) {
    const routes = directory.findBy(carrierRoute, { accountSid, prefix: number.slice(0, length) });
    const [first] = routes.toSorted((a, b) => a.priority - b.priority);
    if (first) return { routeSid: first.sid, trunkSid: first.byocTrunkSid };
  }
  return undefined;
}
