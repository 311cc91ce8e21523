// Termination: a PBX's call over its trunk, which goes out by the account's carriers.
import { type AdmittedToTrunk, type Refusal, refuse } from '../../admission/index.ts';
import type { ServerInvite } from '../../sip/index.ts';
import type { InboundOrder } from '../engine.ts';
import { judgeEmergency } from '../route/emergency.ts';
import { type CallPlan, carrierFor, planNumber } from '../route/plan.ts';
import { TRUNK_RING_MS } from '../route/plan-origination.ts';
import { TrunkCall } from './trunk-call.ts';
import { terminationInvite } from './trunk-invite.ts';
import type { TrunkWorld } from './trunk-world.ts';

/** @returns the call, or why it is refused */
export function terminatingCall(
  invite: ServerInvite,
  admitted: AdmittedToTrunk,
  world: TrunkWorld,
): InboundOrder | Refusal {
  const route = routeOf(admitted, world);
  if ('why' in route) return route;
  const { trunk, accountSid, offer, hopsLeft } = admitted;
  const { plan, to, from, byocTrunkSid, isEmergency } = route;
  const { request } = invite;
  const fromDomain = plan.fromDomain ?? world.fromDomain;
  const call = new TrunkCall({
    trunk,
    timeLimitS: world.timeLimitS,
    caller: { invite, offer },
    callee: { plan },
    template: (row) =>
      terminationInvite({ request, row, to, from, fromDomain, hopsLeft, isEmergency }, world),
  });
  return {
    values: {
      accountSid,
      to,
      from,
      direction: 'trunking-terminating',
      status: 'ringing',
      startTime: world.clock.now(),
      trunkSid: trunk.sid,
      byocTrunkSid,
      connectionPolicySid: plan.connectionPolicySid,
    },
    script: call.script,
    hopsLeft,
    leg: (row, observer) => call.leg(world, row, observer),
  };
}

type RouteWorld = Pick<TrunkWorld, 'directory' | 'emergencyNumbers'>;

interface Route {
  readonly plan: CallPlan;
  readonly to: string;
  readonly from: string;
  readonly byocTrunkSid: string | null;
  readonly isEmergency: boolean;
}

/** The way of the account's CarrierRoutes; to emergency services by rules of their own. */
export function routeOf(
  { accountSid, to, callerId: from }: Pick<AdmittedToTrunk, 'accountSid' | 'to' | 'callerId'>,
  world: RouteWorld,
): Route | Refusal {
  const { directory, emergencyNumbers } = world;
  const verdict = judgeEmergency({ accountSid, to, from, by: 'trunk' }, emergencyNumbers, directory);
  switch (verdict.kind) {
    case 'refused':
      return refuse(403, 32_203, {
        why: verdict.why,
        fix: 'see to it that the call arrives and can be called back',
      });
    case 'allowed':
      return {
        ...routeBy(verdict.carrier, { accountSid, to: verdict.to, from: verdict.callerId }, world),
        isEmergency: true,
      };
    case 'no-emergency':
      return routeBy(carrierFor(to, accountSid, directory), { accountSid, to, from }, world);
  }
}

function routeBy(
  carrier: ReturnType<typeof carrierFor>,
  call: { readonly accountSid: string; readonly to: string; readonly from: string },
  world: RouteWorld,
): Route {
  const by = carrier && { byoc: carrier.trunkSid, carrierRoute: carrier.routeSid };
  const plan = planNumber({ ...call, ...by, timeoutS: TRUNK_RING_MS / 1000 }, world);
  return { plan, to: call.to, from: call.from, byocTrunkSid: carrier?.trunkSid ?? null, isEmergency: false };
}
