// The content of <Sip>: a URI, parameters that are meant for us, and headers for the INVITE or the Refer-To.
import type { ElementReader } from './element-reader.ts';
import type { SipAddress, SipHeader } from './verbs.ts';

const MAX_URI_CHARACTERS = 254;
const MAX_HEADERS_CHARACTERS = 1023;

const SIP_URI =
  /^(?:(?<scheme>sips?):)?(?:(?<user>[^@?\s<>"]+)@)?(?<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(?<port>\d{1,5}))?(?<parameters>(?:;[^;?\s<>"]+)*)$/i;
/** Parameters that tell us how to reach the peer, and that the peer does not see. */
const OURS = new Set(['edge', 'region', 'secure', 'tnx']);
const TRANSPORTS = new Set(['udp', 'tcp', 'tls']);
/** Headers that may be set beside those that begin with X-. */
const NAMED_HEADERS = new Set([
  'User-to-User',
  'Remote-Party-ID',
  'P-Preferred-Identity',
  'P-Called-Party-ID',
]);
const X_HEADER = /^x-[\w.!%*+`'~-]+$/i;
/** RFC 3261 §25.1, `token`. */
const TOKEN = /^[\w.!%*+`'~-]+$/;

/** Which headers may follow the URI. */
interface HeaderRule {
  allows(name: string): boolean;
  /** What is said of another. */
  readonly text: string;
}

/** Of an INVITE of ours. */
const INVITE: HeaderRule = {
  allows: (name) => NAMED_HEADERS.has(name) || X_HEADER.test(name),
  text: 'only X- headers and four others may be set',
};
/** Of a Refer-To, for an INVITE of somebody else's: any. */
export const REFER_TO: HeaderRule = { allows: (name) => TOKEN.test(name), text: 'that is no header name' };

/** Reads the element's text; undefined, with a warning, where it is no SIP URI. */
export function readSipAddress(reader: ElementReader, rule = INVITE): SipAddress | undefined {
  const text = reader.element.ownText.trim();
  const question = text.indexOf('?');
  const uri = question < 0 ? text : text.slice(0, question);
  const parts = SIP_URI.exec(uri)?.groups;
  const port = parts?.['port'];
  const whole = parts?.['scheme'] !== undefined || parts?.['user'] !== undefined;
  if (!parts || !whole || uri.length > MAX_URI_CHARACTERS || (port && !isPort(Number(port)))) {
    reader.warn(13243, '<Sip> holds no SIP URI of at most 254 characters; it is skipped');
    return undefined;
  }
  const parameters = readParameters(reader, parts['parameters'] ?? '');
  // RFC 3261 §26.2.2 wants TLS on every hop of a sips URI; Twilio rewrites it to its own leg's transport.
  const tls =
    parts['scheme']?.toLowerCase() === 'sips' && !parameters.kept.some((name) => /^transport=/i.test(name));
  const user = parts['user'] === undefined ? '' : `${parts['user']}@`;
  const kept = tls ? ['transport=tls', ...parameters.kept] : parameters.kept;
  return {
    uri: [`sip:${user}${parts['host']}${port ? `:${port}` : ''}`, ...kept].join(';'),
    secure: parameters.secure,
    headers: question < 0 ? [] : readHeaders(reader, text.slice(question + 1), rule),
  };
}

const isPort = (port: number): boolean => port >= 1 && port <= 65_535;

function readParameters(
  reader: ElementReader,
  text: string,
): { readonly kept: readonly string[]; readonly secure: boolean } {
  const kept: string[] = [];
  let secure = false;
  for (const parameter of text.split(';').filter(Boolean)) {
    const [name = '', value = ''] = parameter.toLowerCase().split('=');
    if (name === 'secure') {
      secure = value === 'true';
      if (value !== 'true' && value !== 'false') {
        reader.warn(32114, '<Sip>: secure is neither true nor false; false is taken');
      }
    } else if (name === 'transport' && !TRANSPORTS.has(value)) {
      reader.warn(32114, '<Sip>: transport is none of udp, tcp and tls; it is left out');
    } else if (!OURS.has(name)) {
      kept.push(parameter);
    }
  }
  return { kept, secure };
}

function readHeaders(reader: ElementReader, text: string, rule: HeaderRule): readonly SipHeader[] {
  if (text.length > MAX_HEADERS_CHARACTERS) {
    reader.warn(
      13253,
      `<Sip>: the headers are longer than ${MAX_HEADERS_CHARACTERS} characters; they are left out`,
    );
    return [];
  }
  return text
    .split('&')
    .filter(Boolean)
    .map((field) => readHeader(reader, field, rule))
    .filter((header) => header !== undefined);
}

function readHeader(reader: ElementReader, field: string, rule: HeaderRule): SipHeader | undefined {
  const equals = field.indexOf('=');
  const name = decode(equals < 0 ? field : field.slice(0, equals));
  const value = decode(equals < 0 ? '' : field.slice(equals + 1));
  if (name === undefined || !rule.allows(name)) {
    reader.warn(13252, `<Sip>: ${rule.text}; a header is left out`);
    return undefined;
  }
  if (/^x-twilio/i.test(name)) {
    reader.warn(32113, `<Sip>: ${name} is reserved; it is left out`);
    return undefined;
  }
  // A line break would let the value write headers of its own.
  if (value === undefined || /\p{Cc}/u.test(value)) {
    reader.warn(32112, `<Sip>: the value of ${name} is no text; the header is left out`);
    return undefined;
  }
  return { name, value };
}

/** Undefined where a % begins no escape. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
