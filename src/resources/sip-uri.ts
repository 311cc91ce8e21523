// Whether a text can serve as a SIP URI of a resource: the form is checked here, never the reachability.
import { parseUri, SipSyntaxError } from '../sip/index.ts';

const MAX_LENGTH = 255;

/** The reason why `uri` is none, completing a sentence that begins with its name; undefined when it is one. */
export function sipUriFault(uri: string, schemes: readonly string[]): string | undefined {
  const scheme = uri.slice(0, uri.indexOf(':')).toLowerCase();
  if (!schemes.includes(scheme)) {
    return `must be a SIP URI that begins with ${schemes.map((each) => `${each}:`).join(' or ')}`;
  }
  if (uri.length > MAX_LENGTH) return `must not be longer than ${MAX_LENGTH} characters`;
  try {
    parseUri(uri);
    return undefined;
  } catch (error) {
    if (!(error instanceof SipSyntaxError)) throw error;
    return `must be a SIP URI such as ${schemes[0]}:carrier.example.com:5060`;
  }
}
