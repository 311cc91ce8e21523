// What the offer of an INVITE must be: there, readable, encrypted or not as the domain says, and in a codec we speak.
import { type AudioDescription, readAudio, SdpError } from '../sdp/index.ts';
import { type Refusal, refuse, refuseWithoutCode } from './refusal.ts';

export function checkOffer(
  sdp: string,
  place: { readonly name: string; readonly secure: boolean },
): { readonly offer: AudioDescription } | Refusal {
  if (sdp.trim() === '') {
    return refuse(488, 32_103, {
      why: 'the INVITE has no session description',
      fix: 'have the caller offer its media in the INVITE (early offer)',
    });
  }
  return protectionRefusal(profileOf(sdp), place) ?? readOffer(sdp, place.secure);
}

/** Transport of the first audio stream that is not rejected. */
const profileOf = (sdp: string): string =>
  /^m=audio (?!0 )\d+(?:\/\d+)? (\S+)/im.exec(sdp)?.[1]?.toUpperCase() ?? '';

function protectionRefusal(
  profile: string,
  { name, secure }: { readonly name: string; readonly secure: boolean },
): Refusal | undefined {
  const isSecured = profile === 'RTP/SAVP' || profile === 'RTP/SAVPF';
  if (isSecured && !secure) {
    return refuse(488, 32_207, {
      why: `SRTP is offered, and ${name} is not secure`,
      fix: `set Secure on ${name}, or have the caller offer RTP/AVP`,
    });
  }
  if (profile.startsWith('RTP/AVP') && secure) {
    return refuse(488, 32_208, {
      why: `RTP is offered without encryption, and ${name} is secure`,
      fix: 'have the caller offer SRTP with SDES keys (RTP/SAVP)',
    });
  }
  return undefined;
}

function readOffer(sdp: string, secure: boolean): { readonly offer: AudioDescription } | Refusal {
  try {
    return { offer: readAudio(sdp, secure ? 'required' : 'none') };
  } catch (error) {
    if (!(error instanceof SdpError)) throw error;
    if (error.code === 'malformed') {
      return refuse(400, 32_102, {
        why: `the session description cannot be read: ${error.message}`,
        fix: 'mend what the caller, or a server between, writes into it',
      });
    }
    const fix = 'have the caller offer audio in PCMU or PCMA (G.711)';
    return refuseWithoutCode(488, { why: `the offer cannot be used: ${error.message}`, fix });
  }
}
