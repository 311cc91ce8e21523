// SDP (RFC 8866) as far as a voice exchange needs it, offer and answer by RFC 3264. Pure.
//
//   audio-description  text → the audio stream in it, checked
//   offer-answer       our offers, our answers, what an answer settles
//   sdp-error          why a description cannot be used
export { type AudioDescription, readAudio } from './audio-description.ts';
export { acceptAnswer, writeAnswer, writeOffer } from './offer-answer.ts';
export { SdpError } from './sdp-error.ts';
