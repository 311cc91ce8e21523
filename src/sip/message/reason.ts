// The Reason header (RFC 3326): why a request ends something, by SIP status or Q.850 cause.
import { isToken, parseParams, skipToken } from './grammar.ts';
import { quoted } from './name-addr.ts';
import { checked, fromOctets } from './octets.ts';
import { SipSyntaxError } from './syntax-error.ts';

export interface Reason {
  /** `SIP`, `Q.850`, or another one. */
  readonly protocol: string;
  readonly cause?: number;
  /** Text, unquoted; empty without one. */
  readonly text: string;
}

/** One value of the header. @throws {SipSyntaxError} `parameter` or `header`. */
export function parseReason(value: string): Reason {
  const end = skipToken(value, 0);
  if (end === 0) throw new SipSyntaxError('header', `bad Reason "${value.slice(0, 100)}"`);
  const params = parseParams(value, end);
  const cause = params.get('cause') ?? '';
  const text = params.get('text') ?? '';
  const unquoted = text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : text;
  return {
    protocol: value.slice(0, end),
    ...(/^\d{1,4}$/.test(cause) && { cause: Number(cause) }),
    text: fromOctets(unquoted),
  };
}

/** @throws {SipSyntaxError} `header` when the protocol is no token or the cause no whole number; of `checked`. */
export function formatReason({ protocol, cause, text }: Reason): string {
  if (!isToken(protocol) || (cause !== undefined && !(Number.isInteger(cause) && cause >= 0)))
    throw new SipSyntaxError('header', `bad Reason "${protocol.slice(0, 60)}"`);
  return (
    protocol + (cause === undefined ? '' : `;cause=${cause}`) + (text && `;text=${checked(quoted(text))}`)
  );
}

/** RFC 3398 §8.2.6.1 and ITU-T Q.850: the cause that says the same as a SIP status. */
const CAUSES: Readonly<Record<number, number>> = {
  400: 41,
  401: 21,
  402: 21,
  403: 21,
  404: 1,
  405: 63,
  406: 79,
  407: 21,
  408: 102,
  410: 22,
  413: 127,
  414: 127,
  415: 79,
  416: 127,
  420: 127,
  421: 127,
  423: 127,
  480: 18,
  481: 41,
  482: 25,
  483: 25,
  484: 28,
  485: 1,
  486: 17,
  488: 79,
  500: 41,
  501: 79,
  502: 38,
  503: 41,
  504: 102,
  505: 127,
  513: 127,
  600: 17,
  603: 21,
  604: 1,
  606: 79,
};

/** 16, normal clearing, for a success; 31, normal unspecified, for what the table does not know. */
export const q850CauseOf = (status: number): number => (status < 300 ? 16 : (CAUSES[status] ?? 31));
