// Headers that a SIP URI in To asks for (Twilio: "Custom headers"): `sip:bob@a.example?X-Ticket=17`.
import { errors } from './errors.ts';

const MAX_LENGTH = 1024;
const NAME = /^[A-Za-z0-9\-_.!%*+`'~]+$/;
/** No control character, decoded or not: it would begin a header of its own. */
const VALUE = /^[\x20-\x7e]*$/;

/** @throws {ApiError} 21227 for too many, 21228 and 21229 for a name and a value that no header can have. */
export function checkHeaders(uri: string): void {
  const question = uri.indexOf('?');
  if (question < 0) return;
  const headers = uri.slice(question + 1);
  if (headers.length >= MAX_LENGTH) {
    throw errors.invalid('To', `must have less than ${MAX_LENGTH} characters of headers`, 21227);
  }
  for (const header of headers.split('&')) {
    const equals = header.indexOf('=');
    const [name, value] = equals < 0 ? [header, ''] : [header.slice(0, equals), header.slice(equals + 1)];
    if (!NAME.test(decoded(name))) throw errors.invalid('To', 'has a header whose name is none', 21228);
    if (!VALUE.test(decoded(value))) {
      throw errors.invalid('To', 'has a header with a value that is not printable ASCII', 21229);
    }
  }
}

/** NUL where it does not decode: no header has it. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '\0';
  }
}
