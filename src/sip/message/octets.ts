// Messages are octet strings, one character (0–255) per byte; text becomes UTF-8 octets here and back.
import { isControl } from './grammar.ts';
import { SipSyntaxError } from './syntax-error.ts';

/** The native count beats a regular expression several times over. */
const isAscii = (text: string): boolean => Buffer.byteLength(text, 'utf8') === text.length;

/** Text as its UTF-8 octets, one character each. */
export const toOctets = (text: string): string =>
  isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');

/** UTF-8 octets as text; octets that are no UTF-8 become U+FFFD. */
export const fromOctets = (octets: string): string =>
  isAscii(octets) ? octets : Buffer.from(octets, 'latin1').toString('utf8');

/**
 * The value as it is, or a throw. Above 255 a character would turn into another one on the wire.
 * @throws {SipSyntaxError} `control-character` or `not-octets`.
 */
export function checked(value: string): string {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (isControl(code))
      throw new SipSyntaxError('control-character', `a control character in "${value.slice(0, 60)}"`);
    if (code > 255)
      throw new SipSyntaxError('not-octets', `text that is not encoded in "${value.slice(0, 60)}"`);
  }
  return value;
}
