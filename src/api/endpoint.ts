// The two ends of a call, as the API takes them: phone numbers and SIP URIs.
import { sipUriFault } from '../resources/index.ts';
import { parseUri } from '../sip/index.ts';

export type Endpoint = { readonly kind: 'number' | 'sip'; readonly text: string };

/** E.164 by form only (ITU-T E.164 §6: up to 15 digits): carriers route ranges that no numbering plan lists. */
const NUMBER = /^\+[0-9]{7,15}$/;
const SEPARATORS = /[ ().-]/g;
/** For a call over one's own carrier the carrier judges the caller's number, short ones included. */
const CALLER_NUMBER = /^\+?[0-9]{1,15}$/;
const SIP_USER = /^[A-Za-z0-9+\-_.]{1,100}$/;

/**
 * What `To` names, a number freed of its separators; undefined when it is neither a number nor a SIP URI.
 * @param isEmergency of the short numbers that may be called
 */
export function parseTo(
  text: string,
  isEmergency: (number: string) => boolean = () => false,
): Endpoint | undefined {
  if (/^sips?:/i.test(text)) {
    const sip = overTls(text);
    return isSipUri(sip) ? { kind: 'sip', text: sip } : undefined;
  }
  const number = text.startsWith('+') ? text.replaceAll(SEPARATORS, '') : text;
  return NUMBER.test(number) || isEmergency(number) ? { kind: 'number', text: number } : undefined;
}

/** A `sips:` URI as it is called: by a `sip:` one over TLS, unless it names a transport (as <Sip> has it). */
function overTls(text: string): string {
  const [uri = '', ...headers] = text.split('?');
  if (!/^sips:/i.test(uri)) return text;
  const sip = uri.replace(/^sips:/i, 'sip:');
  const reached = /;transport=/i.test(sip) ? sip : `${sip};transport=tls`;
  return [reached, ...headers].join('?');
}

/** `From` as it goes out, or undefined: towards a number it must be one; towards SIP any user name or URI will do. */
export function parseFrom(text: string, to: Endpoint): string | undefined {
  const number = text.startsWith('+') ? text.replaceAll(SEPARATORS, '') : text;
  if (CALLER_NUMBER.test(number)) return number;
  if (to.kind === 'number') return undefined;
  const user = text.replace(/^client:/, '');
  if (SIP_USER.test(user)) return text;
  return sipUriFault(text, ['sip']) === undefined ? text : undefined;
}

/** Twilio counts its headers apart: 255 characters before them. */
const isSipUri = (text: string): boolean =>
  sipUriFault(text.split('?', 1)[0] ?? '', ['sip']) === undefined && parses(text);

function parses(text: string): boolean {
  try {
    parseUri(text);
    return true;
  } catch {
    return false;
  }
}
