// Whether a text can serve as the SIP URI of a target: the form is checked here, never the reachability.
import { isIPv6 } from 'node:net';

const MAX_LENGTH = 255;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.?$/i;
// scheme : [user@] host [:port] [;parameters] [?headers], every part free of blanks, controls, quotes and brackets.
const SIP_URI = /^([a-z]+):(?:([^@]*)@)?(\[[^\]]*\]|[^:;?@[\]]*)(?::(\d{1,5}))?((?:;[^;?@]+)*)(\?[^@?]+)?$/i;

/** The reason why `uri` is none, completing a sentence that begins with its name; undefined when it is one. */
export function sipUriFault(uri: string, schemes: readonly string[]): string | undefined {
  const scheme = uri.slice(0, uri.indexOf(':')).toLowerCase();
  if (!schemes.includes(scheme))
    return `must be a SIP URI that begins with ${schemes.map((each) => `${each}:`).join(' or ')}`;
  if (uri.length > MAX_LENGTH) return `must not be longer than ${MAX_LENGTH} characters`;
  const [, , user, host = '', port] = (isPlain(uri) && SIP_URI.exec(uri)) || [];
  if (!isHost(host) || user === '' || (port !== undefined && !isPort(port))) {
    return `must be a SIP URI such as ${schemes[0]}:carrier.example.com:5060`;
  }
  return undefined;
}

const isPlain = (uri: string): boolean =>
  /^[!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]+$/.test(uri) && !/%(?![0-9a-f]{2})/i.test(uri);

const isHost = (host: string): boolean =>
  HOST_NAME.test(host) || (host.startsWith('[') && isIPv6(host.slice(1, -1)));

const isPort = (port: string): boolean => Number(port) >= 1 && Number(port) <= 65_535;
