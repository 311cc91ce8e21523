// SDP (RFC 8866) as far as a voice exchange needs it, offer and answer by RFC 3264. Pure.
//
//   audio-description  text → the audio stream in it, checked
//   offer-answer       our offers, our answers, what an answer settles
//   sdp-error          why a description cannot be used
export { type AudioCodec, type AudioDescription, type Direction, readAudio } from './audio-description.ts';
export { type AgreedMedia, acceptAnswer, type LocalMedia, writeAnswer, writeOffer } from './offer-answer.ts';
export { SdpError, type SdpErrorCode } from './sdp-error.ts';
