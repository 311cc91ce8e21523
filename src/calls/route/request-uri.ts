// A target's URI → the Request-URI of the INVITE sent to it, and the headers the URI asks for.
import { formatUri, type HeaderField, parseUri, SipSyntaxError, type SipUri } from '../../sip/index.ts';

/** Headers a URI may add to an INVITE beside X- headers (Twilio: "Custom headers", SIP noun). */
const ALLOWED_HEADERS = new Set([
  'user-to-user',
  'remote-party-id',
  'p-preferred-identity',
  'p-called-party-id',
]);

/** Parameters that tell us how to reach the target, and that it does not see (Twilio: "SIP noun", `secure`, `edge`). */
const OURS = new Set(['secure', 'edge', 'region', 'tnx']);

/** Undefined where the text is no SIP URI. */
export function readUri(text: string): SipUri | undefined {
  try {
    return parseUri(text);
  } catch (error) {
    if (error instanceof SipSyntaxError) return undefined;
    throw error;
  }
}

/** Whether the target wants TLS and SRTP: `;secure=true`. */
export const isSecure = ({ params }: SipUri): boolean => params.get('secure')?.toLowerCase() === 'true';

/** The same URI, for TLS and SRTP whatever transport it names. */
export function asSecure(uri: SipUri): SipUri {
  const params = new Map(uri.params);
  params.delete('transport');
  return { ...uri, scheme: 'sip', params: params.set('secure', 'true') };
}

/** `sips:` as it is called here: over TLS to the next hop, by a `sip:` URI (Twilio: "Origination URIs"). */
export const overTls = (uri: SipUri): SipUri =>
  uri.scheme === 'sips'
    ? { ...uri, scheme: 'sip', params: new Map(uri.params).set('transport', 'tls') }
    : uri;

/** The URI as it is looked up and called: over TLS where it is secure, without the parameters that are ours. */
export function reachedUri(uri: SipUri): SipUri {
  const params = new Map([...uri.params].filter(([name]) => !OURS.has(name)));
  if (isSecure(uri)) params.set('transport', 'tls');
  return { ...uri, params };
}

/**
 * A target without a user part is called with `user`, the number dialled; one with its own keeps it. Host, port and
 * parameters stay. Headers of the URI are taken out: X- headers and the few that Twilio passes on are returned.
 */
export function requestUri(
  target: SipUri,
  user: string | undefined,
): { uri: string; headers: HeaderField[] } {
  const headers = target.headers.filter(([name]) => mayAdd(name.toLowerCase()));
  const named = target.user === undefined && user !== undefined ? { user } : {};
  return { uri: formatUri({ ...reachedUri(target), ...named, headers: [] }), headers: [...headers] };
}

const mayAdd = (name: string): boolean =>
  ALLOWED_HEADERS.has(name) || (name.startsWith('x-') && !name.startsWith('x-twilio'));
