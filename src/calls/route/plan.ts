// From a call order to the targets it may go to, and the rule by which they were found.
import {
  byocTrunk,
  carrierRoute,
  connectionPolicyTarget,
  domain,
  insecureTarget,
  type Row,
} from '../../resources/index.ts';
import type { RoutePlan } from '../../routing/index.ts';
import type { Directory } from '../../store/index.ts';
import type { RouteQuestion } from '../order.ts';
import { type Callee, type PlanFailure, type PlanWorld, planSip } from './plan-sip.ts';

export interface CallPlan extends RoutePlan {
  readonly connectionPolicySid: string | null;
  /** Host of the From header; undefined where no domain goes with the call. */
  readonly fromDomain: string | undefined;
  /** The SIP domain whose user is called. */
  readonly domainSid?: string;
  /** Where a SIP URI is called. */
  readonly callee?: Callee;
  /** Why nobody can be called; there are no targets then. */
  readonly failure?: PlanFailure;
}

/** Reads the directory once: later changes of targets are for later calls. */
export function planCall(question: RouteQuestion, world: PlanWorld): CallPlan {
  const timeoutMs = question.timeoutS * 1000;
  if (/^sips?:/i.test(question.to))
    return { ...planSip(question, world), timeoutMs, connectionPolicySid: null };
  return planNumber(question, world);
}

/** The same for a phone number: over the BYOC trunk that the question names. */
export function planNumber(
  question: RouteQuestion,
  { directory }: { readonly directory: Directory },
): CallPlan {
  const trunk = ownTrunk(question, directory);
  const policySid = trunk?.connectionPolicySid ?? null;
  const targets = policySid === null ? [] : directory.children(connectionPolicyTarget, policySid);
  return {
    rule: trunk
      ? `${chosenBy(question, directory)}, ${policyInWords(policySid, targets.length)}`
      : noTrunk(question),
    targets: targets.map(({ sid, target: uri, priority, weight, enabled }) => ({
      sid,
      uri,
      priority,
      weight,
      enabled,
      insecure: directory.findBy(insecureTarget, { targetSid: sid }).length > 0,
    })),
    timeoutMs: question.timeoutS * 1000,
    connectionPolicySid: policySid,
    fromDomain: trunk && fromDomainOf(trunk, directory),
  };
}

function ownTrunk({ byoc, accountSid }: RouteQuestion, directory: Directory) {
  const trunk = byoc === undefined ? undefined : directory.find(byocTrunk, byoc);
  return trunk?.accountSid === accountSid ? trunk : undefined;
}

const noTrunk = ({ byoc, to }: RouteQuestion): string =>
  byoc === undefined
    ? `no CarrierRoute takes ${to}, and byoc names no trunk`
    : `byoc names ${byoc}, which is no trunk of this account`;

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
