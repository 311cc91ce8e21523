// SDP (RFC 8866) as far as a voice exchange needs it, offer and answer by RFC 3264, keys by RFC 4568. Pure.
//
//   audio-description  text → the audio stream in it, checked
//   offer-answer       our offers, our answers, what an answer settles
//   crypto-attribute   SRTP keys: made, read, written
//   sdp-error          why a description cannot be used
export { type AudioDescription, type Direction, readAudio, type SrtpUse } from './audio-description.ts';
export { makeSrtpKeys, type SrtpKey, type SrtpSuite } from './crypto-attribute.ts';
export { type AgreedMedia, acceptAnswer, type LocalMedia, writeAnswer, writeOffer } from './offer-answer.ts';
export { SdpError, type SdpErrorCode } from './sdp-error.ts';
