// The Via header: the response's way back, and the branch that names the transaction (RFC 3261 §20.42, RFC 3581).
import {
  findParam,
  listItemEnd,
  matchesAt,
  ParamReader,
  parseDigits,
  skipSpace,
  skipToken,
} from './grammar.ts';
import { SipSyntaxError } from './syntax-error.ts';

/** The branch of every RFC 3261 request starts with it (§8.1.1.7). */
export const MAGIC_COOKIE = 'z9hG4bK';

export interface Via {
  /** Upper case as a rule; as written. */
  readonly transport: string;
  /** `host` or `host:port`, as written. */
  readonly sentBy: string;
  readonly host: string;
  readonly port: number | undefined;
  /** Empty without one. */
  readonly branch: string;
  /** Whether the sender asks for `rport`. */
  readonly rport: boolean;
}

const fail = (value: string): never => {
  throw new SipSyntaxError('via', `bad Via "${value.slice(0, 100)}"`);
};

/** The first Via of a header's value. @throws {SipSyntaxError} `via` or `parameter`. */
export function parseVia(value: string): Via {
  const top = value.slice(0, listItemEnd(value, 0));
  const transportStart = protocolEnd(top);
  const transportEnd = skipToken(top, transportStart);
  const hostStart = skipSpace(top, transportEnd);
  if (transportEnd === transportStart || hostStart === transportEnd) fail(value);
  const paramsStart = sentByEnd(top, hostStart);
  const sentBy = top.slice(hostStart, paramsStart).trimEnd();
  const portColon = sentBy.indexOf(':', sentBy.lastIndexOf(']') + 1);
  const host = (portColon < 0 ? sentBy : sentBy.slice(0, portColon)).trimEnd();
  const port = portColon < 0 ? undefined : parseDigits(sentBy.slice(portColon + 1).trim());
  if (host === '' || /[\s"<>@]/.test(host) || (port !== undefined && (port < 1 || port > 65_535)))
    fail(value);
  return {
    transport: top.slice(transportStart, transportEnd),
    sentBy,
    host,
    port,
    branch: findParam(top, paramsStart, 'branch') ?? '',
    rport: top.includes('rport', paramsStart) && findParam(top, paramsStart, 'rport') !== undefined,
  };
}

/** Index after `SIP/2.0/`; any version passes, and spaces around the slashes. */
function protocolEnd(value: string): number {
  let at = 0;
  if (matchesAt(value, 0, 'sip/2.0/')) return skipSpace(value, 8);
  for (let part = 0; part < 2; part++) {
    at = skipSpace(value, skipToken(value, skipSpace(value, at)));
    if (value[at] !== '/') fail(value);
    at++;
  }
  return skipSpace(value, at);
}

function sentByEnd(value: string, from: number): number {
  const semicolon = value.indexOf(';', from);
  return semicolon < 0 ? value.length : semicolon;
}

/**
 * The Via value to put into a response: the topmost one says where its request came from
 * (RFC 3261 §18.2.1, RFC 3581 §4). What the sender wrote as `received` is dropped.
 */
export function stampVia(value: string, via: Via, source: { address: string; port: number }): string {
  const differs = via.host !== source.address && via.host !== `[${source.address}]`;
  if (!via.rport && !differs && !value.includes('received')) return value;
  const end = listItemEnd(value, 0);
  const paramsStart = sentByEnd(value.slice(0, end), 0);
  let stamped = value.slice(0, paramsStart).trimEnd();
  const params = new ParamReader(value.slice(0, end), paramsStart);
  while (params.next()) {
    if (params.isNamed('received') || params.isNamed('rport')) continue;
    stamped += `;${params.name}${params.value && `=${params.value}`}`;
  }
  if (via.rport || differs) stamped += `;received=${source.address}`;
  if (via.rport) stamped += `;rport=${source.port}`;
  return stamped + value.slice(end);
}

/** The value of a Via of our own, up to and without the branch. */
export const viaPrefix = (transport: string, sentBy: string): string =>
  `SIP/2.0/${transport.toUpperCase()} ${sentBy};rport;branch=`;
