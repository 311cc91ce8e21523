// A call that the door let in: whose URLs it asks, what its record and its requests say of it, and its leg.
import {
  type Admitted,
  type AdmittedToDomain,
  type InboundCalls,
  type Refusal,
  refuseWithoutCode,
} from '../../admission/index.ts';
import { application, byocTrunk } from '../../resources/index.ts';
import type { Dialog, ServerInvite } from '../../sip/index.ts';
import type { Directory } from '../../store/index.ts';
import { inboundScript } from '../call-script.ts';
import type { CallEngine, InboundOrder } from '../engine.ts';
import { InboundLeg } from '../leg/inbound-leg.ts';
import type { WebhookTarget } from '../order.ts';
import { originatingCall } from '../trunk/origination.ts';
import { terminatingCall } from '../trunk/termination.ts';
import type { TrunkWorld } from '../trunk/trunk-world.ts';
import { callerName, forwardedFrom, partiesOf, sipParameters } from './inbound-parameters.ts';

export interface InboundCallsDeps extends TrunkWorld {
  readonly engine: Pick<CallEngine, 'takeInbound'>;
}

/** Twilio: four hours. */
const TIME_LIMIT_S = 14_400;
/** What a carrier is to wait while the exchange is stopping. */
const RETRY_AFTER_S = 10;

/** Takes the calls that the door lets in. */
export const inboundCalls = (deps: InboundCallsDeps): InboundCalls => ({
  placeOf: (dialog) => deps.seats.get(dialog)?.place,
  accept(invite, admitted) {
    if (invite.replaces) return takeOver(invite, invite.replaces, admitted, deps);
    const order = orderOf(invite, admitted, deps);
    if ('why' in order) return order;
    return deps.engine.takeInbound(order) ? undefined : stopping();
  },
});

/** A PBX takes its call to another phone (RFC 3891). */
function takeOver(
  invite: ServerInvite,
  replaced: Dialog,
  admitted: Admitted,
  { seats }: InboundCallsDeps,
): Refusal | undefined {
  const seat = seats.get(replaced);
  if (seat && admitted.kind === 'trunk')
    return seat.takeOver({ invite, offer: admitted.offer }, admitted.trunk.sid);
  return refuseWithoutCode(603, {
    why: 'its Replaces names no leg of a PBX: only those are taken over',
    fix: 'have the caller call without Replaces, or in place of a call over its own trunk',
  });
}

function orderOf(invite: ServerInvite, admitted: Admitted, deps: InboundCallsDeps): InboundOrder | Refusal {
  if (admitted.kind === 'trunk') return terminatingCall(invite, admitted, deps);
  const number = numberOfTrunk(admitted);
  return number ? originatingCall(invite, { ...admitted, number }, deps) : appCall(invite, admitted, deps);
}

/** The number that a carrier's call is for, where it belongs to an Elastic trunk. */
export const numberOfTrunk = ({
  domain,
  number,
}: Pick<AdmittedToDomain, 'domain' | 'number'>): AdmittedToDomain['number'] =>
  domain.byocTrunkSid !== null && number?.trunkSid ? number : undefined;

/** One whose app is asked what to do. */
function appCall(
  invite: ServerInvite,
  admitted: AdmittedToDomain,
  deps: InboundCallsDeps,
): InboundOrder | Refusal {
  const found = findWebhooks(admitted, deps.directory);
  if ('why' in found) return found;
  const { request } = invite;
  const { offer, domain, hopsLeft } = admitted;
  const { rule, voice, fallback, carrier, statusCallback } = found;
  const parties = partiesOf(request, admitted, carrier);
  return {
    values: {
      ...parties,
      accountSid: found.accountSid,
      direction: 'inbound',
      status: 'ringing',
      startTime: deps.clock.now(),
      phoneNumberSid: found.phoneNumberSid,
      byocTrunkSid: domain.byocTrunkSid,
      callerName: found.namesCaller ? callerName(request) : null,
      forwardedFrom: carrier ? forwardedFrom(request) : null,
      statusCallback: statusCallback?.url ?? null,
      statusCallbackMethod: statusCallback?.method ?? 'POST',
      statusCallbackEvents: statusCallback ? ['completed'] : [],
    },
    script: inboundScript({
      twiml: voice,
      ...(fallback && { fallback }),
      parameters: sipParameters(request, admitted, carrier),
      timeLimitS: TIME_LIMIT_S,
      ...(found.namesCaller && lookUp(parties.from, deps.names)),
    }),
    hopsLeft,
    domainSid: domain.sid,
    leg: ({ sid }, observer) => new InboundLeg(deps, { invite, offer, family: sid, rule }, observer),
  };
}

/** Only numbers have names that can be looked up. */
const lookUp = (from: string, names: InboundCallsDeps['names']) =>
  names && from.startsWith('+') && { callerName: () => names.callerName(from) };

/** Where a call's TwiML comes from, and who hears that it is over. */
export interface Webhooks {
  /** In words. */
  readonly rule: string;
  readonly accountSid: string;
  readonly phoneNumberSid: string | null;
  /** Whether it came from a carrier: its parties are numbers then, and no header of its INVITE is told. */
  readonly carrier: boolean;
  /** Whether the app is told the name that the carrier shows. */
  readonly namesCaller: boolean;
  readonly voice: WebhookTarget;
  readonly fallback: WebhookTarget | undefined;
  readonly statusCallback: WebhookTarget | undefined;
}

/**
 * Of a carrier's call: those of the number, where it has any, else those of the BYOC trunk. Of every other call the
 * domain's own, whoever is called there.
 */
export function findWebhooks(
  { domain, number }: Pick<AdmittedToDomain, 'domain' | 'number'>,
  directory: Directory,
): Webhooks | Refusal {
  if (domain.byocTrunkSid === null) return ofDomain(domain);
  return (number && ofNumber(number, directory)) ?? ofCarrier(domain, directory);
}

function ofDomain(domain: AdmittedToDomain['domain']): Webhooks | Refusal {
  const name = `domain ${domain.domainName}`;
  const voice = targetOf(domain.voiceUrl, domain.voiceMethod);
  if (!voice) return nothingToAsk(name);
  return {
    rule: `${name}: its VoiceUrl`,
    accountSid: domain.accountSid,
    phoneNumberSid: null,
    carrier: false,
    namesCaller: false,
    voice,
    fallback: targetOf(domain.voiceFallbackUrl, domain.voiceFallbackMethod),
    statusCallback: targetOf(domain.voiceStatusCallbackUrl, domain.voiceStatusCallbackMethod),
  };
}

/** The domain's own URLs are not asked, whether the trunk has any or not. */
function ofCarrier(domain: AdmittedToDomain['domain'], directory: Directory): Webhooks | Refusal {
  const trunk = directory.find(byocTrunk, domain.byocTrunkSid ?? '');
  const voice = trunk && targetOf(trunk.voiceUrl, trunk.voiceMethod);
  if (!voice) return nothingToAsk(`BYOC trunk ${domain.byocTrunkSid} of domain ${domain.domainName}`);
  return {
    rule: `domain ${domain.domainName} is that of BYOC trunk ${trunk.sid}: the trunk's VoiceUrl`,
    accountSid: domain.accountSid,
    phoneNumberSid: null,
    carrier: true,
    namesCaller: trunk.cnamLookupEnabled,
    voice,
    fallback: targetOf(trunk.voiceFallbackUrl, trunk.voiceFallbackMethod),
    statusCallback: targetOf(trunk.statusCallbackUrl, trunk.statusCallbackMethod),
  };
}

/** An application of the number goes before its own URLs. Undefined where it has neither. */
function ofNumber(
  number: NonNullable<AdmittedToDomain['number']>,
  directory: Directory,
): Webhooks | undefined {
  const named = number.voiceApplicationSid;
  const app = named === null ? undefined : directory.find(application, named);
  const source = app ?? number;
  const voice = targetOf(source.voiceUrl, source.voiceMethod);
  if (!voice) return undefined;
  return {
    rule: `${number.phoneNumber} is the account's number ${number.sid}: the VoiceUrl of ${app ? `its application ${app.sid}` : 'the number'}`,
    accountSid: number.accountSid,
    phoneNumberSid: number.sid,
    carrier: true,
    namesCaller: source.voiceCallerIdLookup,
    voice,
    fallback: targetOf(source.voiceFallbackUrl, source.voiceFallbackMethod),
    statusCallback: targetOf(source.statusCallback, source.statusCallbackMethod),
  };
}

const targetOf = (url: string | null, method: string): WebhookTarget | undefined =>
  url === null || url === '' ? undefined : { url, method: method === 'GET' ? 'GET' : 'POST' };

const nothingToAsk = (what: string): Refusal =>
  refuseWithoutCode(404, {
    why: `${what} has no VoiceUrl, so nobody says what to do with the call`,
    fix: 'set its VoiceUrl',
  });

const stopping = (): Refusal =>
  refuseWithoutCode(503, {
    why: 'the exchange is stopping and takes no new calls',
    fix: 'call again when it is back',
    headers: [['Retry-After', String(RETRY_AFTER_S)]],
  });
