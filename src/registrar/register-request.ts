// What a REGISTER asks for (RFC 3261 §10.2, RFC 5626 §4.2), read and checked.
import { ownCopy } from '../lib/own-copy.ts';
import { type NameAddr, parseNameAddr, parseUri, type RequestView, type SipUri } from '../sip/index.ts';

export interface GivenContact {
  /** As it was written. */
  readonly uri: string;
  /** What tells it from the AOR's other bindings. */
  readonly key: string;
  /** Seconds it asks for; the request's where it says nothing. */
  readonly expiresS: number | undefined;
  readonly instanceId: string | null;
  readonly regId: number | null;
}

export interface RegisterRequest {
  /** `*` removes every binding; none asks what is bound. */
  readonly contacts: readonly GivenContact[] | '*';
  readonly callId: string;
  readonly cseq: number;
  readonly userAgent: string | null;
}

/** Longer ones are refused: ten of them are kept for each user. */
const MAX_CONTACT_CHARACTERS = 1024;
const MAX_USER_AGENT_CHARACTERS = 200;

/** @throws {Error} in plain words, `SipSyntaxError` where a Contact cannot be read. */
export function readRegister(request: RequestView): RegisterRequest {
  const values = request.headers('Contact').map((value) => value.trim());
  const expiresS = seconds(request.header('Expires'));
  const userAgent = request.header('User-Agent');
  const common = {
    callId: ownCopy(request.header('Call-ID') ?? ''),
    cseq: Number.parseInt(request.header('CSeq') ?? '', 10),
    userAgent: userAgent === undefined ? null : ownCopy(userAgent.slice(0, MAX_USER_AGENT_CHARACTERS)),
  };
  if (!values.includes('*')) {
    return { ...common, contacts: values.map((value) => readContact(value, expiresS)) };
  }
  if (values.length > 1 || expiresS !== 0)
    throw new Error('Contact: * goes alone, and with Expires: 0 (RFC 3261 §10.2.2)');
  return { ...common, contacts: '*' };
}

function readContact(value: string, expiresS: number | undefined): GivenContact {
  if (value.length > MAX_CONTACT_CHARACTERS) {
    throw new Error(`a Contact is longer than ${MAX_CONTACT_CHARACTERS} characters`);
  }
  const address = parseNameAddr(value);
  const uri = parseUri(address.uri);
  const instanceId = quotedText(ownCopy(address.params.get('+sip.instance') ?? ''));
  const regId = instanceId === null ? null : positive(address.params.get('reg-id'));
  return {
    uri: ownCopy(address.uri),
    key: instanceId === null ? ownCopy(contactKey(uri)) : `${instanceId} ${regId ?? ''}`,
    expiresS: ownExpiry(address) ?? expiresS,
    instanceId,
    regId,
  };
}

const ownExpiry = ({ params }: NameAddr): number | undefined => seconds(params.get('expires'));

/** The parts of RFC 3261 §19.1.4 that tell devices apart: parameters of their own kind do not make another one. */
const contactKey = ({ scheme, user = '', host, port, params }: SipUri): string =>
  `${scheme}:${user}@${host}:${port ?? ''};${params.get('transport')?.toLowerCase() ?? ''}`;

const quotedText = (value: string): string | null => (value === '' ? null : value.replace(/^"(.*)"$/s, '$1'));

function positive(value: string | undefined): number | null {
  return value !== undefined && /^[1-9]\d{0,8}$/.test(value) ? Number(value) : null;
}

/** What is no number counts as nothing said (RFC 3261 §10.2.1.1). */
const seconds = (value: string | undefined): number | undefined =>
  value !== undefined && /^\d{1,10}$/.test(value.trim()) ? Number(value) : undefined;
