// A target's URI → the Request-URI of the INVITE sent to it, and the headers the URI asks for.
import { formatUri, type HeaderField, type SipUri } from '../sip/index.ts';

/** Headers a URI may add to an INVITE beside X- headers (Twilio: "Custom headers", SIP noun). */
const ALLOWED_HEADERS = new Set([
  'user-to-user',
  'remote-party-id',
  'p-preferred-identity',
  'p-called-party-id',
]);

/**
 * A target without a user part is called with `user`, the number dialled; one with its own keeps it. Host, port and
 * parameters stay. Headers of the URI are taken out: X- headers and the few that Twilio passes on are returned.
 */
export function requestUri(target: SipUri, user: string): { uri: string; headers: HeaderField[] } {
  const headers = target.headers.filter(([name]) => mayAdd(name.toLowerCase()));
  return { uri: formatUri({ ...target, user: target.user ?? user, headers: [] }), headers: [...headers] };
}

const mayAdd = (name: string): boolean =>
  ALLOWED_HEADERS.has(name) || (name.startsWith('x-') && !name.startsWith('x-twilio'));
