// Messages are octet strings, one character (0–255) per byte; text becomes UTF-8 octets here and back.

/** The native count beats a regular expression several times over. */
const isAscii = (text: string): boolean => Buffer.byteLength(text, 'utf8') === text.length;

/** Text as its UTF-8 octets, one character each. */
export const toOctets = (text: string): string =>
  isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');

/** UTF-8 octets as text; octets that are no UTF-8 become U+FFFD. */
export const fromOctets = (octets: string): string =>
  isAscii(octets) ? octets : Buffer.from(octets, 'latin1').toString('utf8');
