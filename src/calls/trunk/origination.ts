// Origination: a carrier's call for a number of a trunk, which goes on to the PBX.
import { type AdmittedToDomain, type Refusal, refuseWithoutCode } from '../../admission/index.ts';
import { type Row, trunk } from '../../resources/index.ts';
import { firstGroup } from '../../routing/index.ts';
import type { ServerInvite } from '../../sip/index.ts';
import type { InboundOrder } from '../engine.ts';
import { callerName, forwardedFrom, partiesOf } from '../inbound/inbound-parameters.ts';
import { type CallPlan } from '../route/plan.ts';
import { planOrigination } from '../route/plan-origination.ts';
import { type Origination, pbxUri, TrunkCall, type TrunkCallGivens } from './trunk-call.ts';
import { originationInvite } from './trunk-invite.ts';
import type { TrunkWorld } from './trunk-world.ts';

type Trunk = Row<typeof trunk>;
type OwnedNumber = NonNullable<AdmittedToDomain['number']>;

/** @returns the call, or why it is refused */
export function originatingCall(
  invite: ServerInvite,
  admitted: AdmittedToDomain & { readonly number: OwnedNumber },
  world: TrunkWorld,
): InboundOrder | Refusal {
  const { number, offer, hopsLeft, domain } = admitted;
  const owner = world.directory.find(trunk, number.trunkSid ?? '');
  if (!owner) return noTrunk(number);
  const { request } = invite;
  const { from } = partiesOf(request, admitted, true);
  const to = number.phoneNumber;
  const shownName = owner.cnamLookupEnabled ? (callerName(request) ?? undefined) : undefined;
  const plan = planOrigination(owner, number, world);
  const { fromDomain } = world;
  const call = new TrunkCall({
    trunk: owner,
    timeLimitS: world.timeLimitS,
    caller: { invite, offer },
    callee: { plan },
    template: (row, found) =>
      originationInvite({ request, row, to, from, fromDomain, hopsLeft, callerName: found ?? shownName }),
    ...lookUp(owner, from, world),
    origination: originationOf(owner, to),
  });
  return {
    values: {
      accountSid: number.accountSid,
      to: firstUri(plan, to),
      from,
      direction: 'trunking-originating',
      status: 'ringing',
      startTime: world.clock.now(),
      phoneNumberSid: number.sid,
      trunkSid: owner.sid,
      byocTrunkSid: domain.byocTrunkSid,
      callerName: shownName ?? null,
      forwardedFrom: forwardedFrom(request),
    },
    script: call.script,
    hopsLeft,
    domainSid: domain.sid,
    leg: (row, observer) => call.leg(world, row, observer),
  };
}

/** What a call for a number of the trunk needs to know beside its plan. */
export function originationOf(
  { disasterRecoveryUrl: url, disasterRecoveryMethod }: Trunk,
  number: string,
): Origination {
  if (url === null || url === '') return { number };
  return { number, disasterRecovery: { url, method: disasterRecoveryMethod === 'GET' ? 'GET' : 'POST' } };
}

/** Where it probably goes; once it is answered, the record says where it went. */
function firstUri({ targets }: CallPlan, number: string): string {
  const [first] = firstGroup(targets);
  return first ? pbxUri(first.uri, number) : number;
}

/** Only numbers have names that can be looked up. */
const lookUp = (
  { cnamLookupEnabled }: Trunk,
  from: string,
  { names }: TrunkWorld,
): Pick<TrunkCallGivens, 'callerName'> =>
  cnamLookupEnabled && names && from.startsWith('+') ? { callerName: () => names.callerName(from) } : {};

const noTrunk = ({ phoneNumber, trunkSid }: OwnedNumber): Refusal =>
  refuseWithoutCode(404, {
    why: `${phoneNumber} belongs to trunk ${trunkSid}, which is not there`,
    fix: 'set the TrunkSid of the number to a trunk that is there, or clear it',
  });
