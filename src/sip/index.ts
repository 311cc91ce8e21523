// SIP signalling (RFC 3261), usable alone. The public face; the map:
//   agent.ts       what the layers above see: calls placed and taken, dialogs
//   user-agent.ts  binds sockets and composes; inbound.ts shows each message its place
//   uac.ts uas.ts  an INVITE of ours, an INVITE of theirs
//   request.ts     a request of ours, tried again with credentials; out-of-dialog.ts REGISTER and the like
//   dialog/        dialogs: identity and route set (pure), the session around them, its offers and timers
//   auth/          digest (pure), nonces, a server's check
//   transaction/   the four machines of §17 (pure), the layer that runs them
//   transport/     sockets; locate.ts finds where a URI's requests go
//   timers.ts      the base times of RFC 3261
//   message/       text to messages and back; imports nothing else of sip
export type * from './agent.ts';
export {
  type Authentication,
  type AuthenticationVerdict,
  authenticate,
  type Challenger,
  challengeHeaders,
  claimedUser,
} from './auth/authenticate.ts';
export { answerChallenge, type DigestAlgorithm, formatAnswer, ha1Of, parseChallenge } from './auth/digest.ts';
export { type NonceOptions, Nonces } from './auth/nonce.ts';
export { ReferSubscription, referTargetOf } from './dialog/refer-subscription.ts';
export { parseSipfrag, referNotify } from './dialog/referral.ts';
export type { SessionTimerSettings } from './dialog/session-interval.ts';
export {
  assertedIdentities,
  type Diversion,
  type DiversionParts,
  diversions,
  formatDiversion,
  formatPrivacy,
  mayShowCaller,
  preferredIdentities,
  privacyOf,
} from './message/identity.ts';
export type { SipMessage } from './message/message.ts';
export { formatAddress, type NameAddr, parseNameAddr } from './message/name-addr.ts';
export { fromOctets, toOctets } from './message/octets.ts';
export { parseMessage } from './message/parse.ts';
export { formatReason, parseReason, q850CauseOf, type Reason } from './message/reason.ts';
export {
  formatReferTo,
  formatReplaces,
  parseReferTo,
  parseReplaces,
  type ReferTarget,
  type Replaces,
  referredBy,
} from './message/refer.ts';
export { serializeRequest, serializeResponse } from './message/serialize.ts';
export { reasonOf } from './message/status.ts';
export { type SipSyntaxCode, SipSyntaxError } from './message/syntax-error.ts';
export { bracketed, formatUri, parseUri, type SipUri } from './message/uri.ts';
export { cachedResolver, type DnsCacheOptions } from './transport/dns-cache.ts';
export type { ListenPlace } from './transport/listen.ts';
export { type DnsResolver, LocateError, type LocateErrorCode, locate } from './transport/locate.ts';
export type { StreamLimits } from './transport/stream-connection.ts';
export type { Certificate, TlsOptions } from './transport/tls.ts';
export { createUserAgent, type SipUserAgent, type UserAgentOptions } from './user-agent.ts';
