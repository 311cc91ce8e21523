// The door: who a call or registration is for, and whether it is let in. Decisions are pure, in Twilio's order.
//
//   identify        Request-URI and source → domain, trunk or nobody
//   admit           the ordered checks           digest, mapped-lists, media-check, number-checks, numbers  what they ask
//   inbound-pace    whose turn it is among the calls that come in
//   refusal         what is sent and told        admitted  what the call engine gets, and its port
//   strangers       budgets and back-off         rejection-tally, -log  refusals counted and kept
//   examine         what a call would meet that is only asked about
//   door            the shell: INVITE in, admitted call or refusal out
export { activeAccount, secureTransport } from './admit.ts';
export type { Admitted, AdmittedToDomain, AdmittedToTrunk, InboundCalls } from './admitted.ts';
export { checkDigest, type DigestTerms, type ServedAlgorithm } from './digest.ts';
export { Door, type DoorParts, noSuchPlace, type Visitor } from './door.ts';
export type { Examination, Examined, Visit } from './examine.ts';
export { type Domain, type Identified, identify, type Place, type Premises, type Trunk } from './identify.ts';
export { InboundPace } from './inbound-pace.ts';
export { registrationListsOf } from './mapped-lists.ts';
export { isE164, isEmergencyNumber, mayCallAs } from './numbers.ts';
export type { SpecialNumbers } from './question.ts';
export { type Refusal, type RefusalCode, refuse, refuseWithoutCode } from './refusal.ts';
export { RejectionLog } from './rejection-log.ts';
export { type StrangerLimits, Strangers } from './strangers.ts';
export type { World } from './world.ts';
