// What the record and the app's requests say of an INVITE that came in: who calls whom, and by which headers.
import type { AdmittedToDomain } from '../../admission/index.ts';
import {
  diversions,
  formatUri,
  fromOctets,
  parseNameAddr,
  parseUri,
  type RequestView,
  SipSyntaxError,
} from '../../sip/index.ts';
import type { FormParameters } from '../webhook/signature.ts';

/** With or without its +. */
const NUMBER = /^\+?[1-9]\d{6,14}$/;

/** From and To: those of a carrier as numbers where they are any, else SIP URIs of user and host alone. */
export function partiesOf(
  request: RequestView,
  { user, host }: Pick<AdmittedToDomain, 'user' | 'host'>,
  carrier: boolean,
): { readonly from: string; readonly to: string } {
  const from = partyOf(request.header('From') ?? '');
  const asNumber = (name: string): string | undefined => {
    const digits = name.replaceAll(/[ ().-]/g, '');
    if (!carrier || !NUMBER.test(digits)) return undefined;
    return digits.startsWith('+') ? digits : `+${digits}`;
  };
  return {
    from: asNumber(from.user) ?? from.uri,
    to: asNumber(user) ?? plainUri(user, host),
  };
}

const plainUri = (user: string, host: string): string =>
  formatUri({ scheme: 'sip', ...(user !== '' && { user }), host, params: new Map(), headers: [] });

const isTel = (uri: string): boolean => /^tel:/i.test(uri);
const telNumber = (uri: string): string => uri.slice('tel:'.length).split(';', 1)[0] ?? '';

/** User and URI of an address; nobody's where it cannot be read. */
function partyOf(address: string): { readonly user: string; readonly uri: string } {
  try {
    const { uri } = parseNameAddr(address);
    if (isTel(uri)) return { user: telNumber(uri), uri };
    const { user = '', host } = parseUri(uri);
    return { user, uri: plainUri(user, host) };
  } catch (error) {
    if (!(error instanceof SipSyntaxError)) throw error;
    return { user: '', uri: 'sip:anonymous@anonymous.invalid' };
  }
}

/** The name that the carrier shows; null without one. */
export const callerName = (request: RequestView): string | null =>
  readOrNothing(() => parseNameAddr(request.header('From') ?? '').name) || null;

/** The number that the call was diverted from, or its URI. */
export function forwardedFrom(request: RequestView): string | null {
  const [latest] = diversions(request);
  if (!latest) return null;
  const { uri } = latest;
  const user = isTel(uri) ? telNumber(uri) : readOrNothing(() => parseUri(uri).user ?? '');
  return user && NUMBER.test(user) ? user : uri;
}

function readOrNothing(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (error instanceof SipSyntaxError) return '';
    throw error;
  }
}

/** What the app is told of the INVITE; headers only of calls that are no carrier's (Twilio: "BYOC: custom headers"). */
export function sipParameters(
  request: RequestView,
  { domain, received, username }: AdmittedToDomain,
  carrier: boolean,
): FormParameters {
  return [
    ['SipDomain', domain.domainName],
    ['SipDomainSid', domain.sid],
    ['SipCallId', fromOctets(request.header('Call-ID') ?? '')],
    ['SipSourceIp', received.address],
    ...(username === undefined ? [] : [['SipUsername', username] as const]),
    ...(carrier ? [] : headerParameters(request)),
  ];
}

/** One parameter for each name: values of the same name are joined (RFC 3261 §7.3.1). */
function headerParameters(request: RequestView): FormParameters {
  const found = new Map<string, readonly [name: string, value: string]>();
  const add = (name: string, value: string): void => {
    const [first = name, before] = found.get(name.toLowerCase()) ?? [];
    const text = fromOctets(value);
    found.set(name.toLowerCase(), [first, before === undefined ? text : `${before}, ${text}`]);
  };
  for (const [name, value] of request.extensions('X-')) add(name, value);
  for (const value of request.headers('User-to-User')) add('User-to-User', value);
  return [...found.values()].map(([name, value]) => [`SipHeader_${name}`, value] as const);
}
