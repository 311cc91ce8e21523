// The Via header: the response's way back, and the branch that names the transaction (RFC 3261 §20.42, RFC 3581).
import { isIPv6 } from 'node:net';
import {
  checkParams,
  findParam,
  hasParamLike,
  isToken,
  listItemEnd,
  ParamReader,
  parseDigits,
  skipSpace,
  skipToken,
} from './grammar.ts';
import { SipSyntaxError } from './syntax-error.ts';
import { withoutThirdColon } from './uri.ts';

/** The branch of every RFC 3261 request starts with it (§8.1.1.7). */
export const MAGIC_COOKIE = 'z9hG4bK';

const LETTER_R = 114;

/** The first Via of a header's value; its parts are found when asked for, and throw SipSyntaxError when malformed. */
export class Via {
  readonly #top: string;
  readonly #paramsStart: number;
  /** Whether the value holds no other. */
  readonly isAlone: boolean;

  constructor(value: string) {
    const end = listItemEnd(value, 0);
    this.isAlone = end === value.length;
    this.#top = value.slice(0, end);
    this.#paramsStart = paramsOf(this.#top);
  }

  /** Empty without one. */
  get branch(): string {
    return findParam(this.#top, this.#paramsStart, this.#top.length, ';branch=') ?? '';
  }

  /** `host` or `host:port`, as written. */
  get sentBy(): string {
    const sentBy = this.#top.slice(protocolEnd(this.#top), this.#paramsStart).trimEnd();
    return sentBy === '' ? fail(this.#top) : sentBy;
  }

  /** Whether it may hold `rport` or `received`: whether the name of any parameter begins like theirs. */
  get mayHaveReturnParams(): boolean {
    return hasParamLike(this.#top, this.#paramsStart, this.#top.length, LETTER_R);
  }

  /** @throws {SipSyntaxError} when anything in it is malformed. */
  check(): void {
    sentByHost(this.sentBy);
    checkParams(this.#top, this.#paramsStart);
    if (this.#top.includes('\r')) fail(this.#top);
  }
}

const fail = (value: string): never => {
  throw new SipSyntaxError('via', `bad Via "${value.slice(0, 100)}"`);
};

/** The host of a sent-by, an IPv6 address without its brackets. @throws {SipSyntaxError} `via`. */
export function sentByHost(sentBy: string): string {
  const colon = sentBy.indexOf(':', sentBy.indexOf(']') + 1);
  const host = colon < 0 ? sentBy : sentBy.slice(0, colon).trimEnd();
  const port = colon < 0 ? 5060 : parseDigits(sentBy.slice(colon + 1).trimStart());
  const bare = host.startsWith('[') && host.endsWith(']') ? withoutThirdColon(host.slice(1, -1)) : host;
  if (port < 1 || port > 65_535 || !(isToken(bare) || isIPv6(bare))) fail(sentBy);
  return bare;
}

/** Index after `SIP/2.0/UDP `; any version and transport pass, and spaces around the slashes. */
function protocolEnd(value: string): number {
  if (value.startsWith('SIP/2.0/UDP ')) return skipSpace(value, 12);
  let at = 0;
  for (let part = 0; part < 2; part++) {
    at = skipSpace(value, skipToken(value, skipSpace(value, at)));
    if (value[at] !== '/') fail(value);
    at++;
  }
  const transport = skipSpace(value, at);
  const end = skipToken(value, transport);
  const host = skipSpace(value, end);
  return end === transport || host === end ? fail(value) : host;
}

/** Where the parameters start. */
function paramsOf(value: string): number {
  const semicolon = value.indexOf(';');
  return semicolon < 0 ? value.length : semicolon;
}

/**
 * The Via value to put into a response: the topmost one says where its request came from
 * (RFC 3261 §18.2.1, RFC 3581 §4). What the sender wrote as `received` is dropped.
 */
export function stampVia(value: string, via: Via, source: { address: string; port: number }): string {
  const differs = sentByHost(via.sentBy) !== source.address;
  if (!differs && !via.mayHaveReturnParams) return value;
  const end = listItemEnd(value, 0);
  const paramsStart = paramsOf(value.slice(0, end));
  let stamped = value.slice(0, paramsStart).trimEnd();
  let wantsPort = false;
  const params = new ParamReader(value.slice(0, end), paramsStart);
  while (params.next()) {
    if (params.isNamed('rport')) wantsPort = true;
    else if (!params.isNamed('received')) stamped += `;${params.name}${params.value && `=${params.value}`}`;
  }
  if (wantsPort || differs) stamped += `;received=${source.address}`;
  if (wantsPort) stamped += `;rport=${source.port}`;
  return stamped + value.slice(end);
}

/** The value of a Via of our own, up to and without the branch. */
export const viaPrefix = (transport: string, sentBy: string): string =>
  `SIP/2.0/${transport.toUpperCase()} ${sentBy};rport;branch=`;
