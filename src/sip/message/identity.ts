// Who calls, who diverted the call, and what may be shown (RFC 3325, RFC 3323, RFC 5806).

import { isToken, parseDigits } from './grammar.ts';
import { formatAddress, type NameAddr, parseNameAddr, quoted } from './name-addr.ts';
import { SipSyntaxError } from './syntax-error.ts';
import type { RequestView } from './view.ts';

/** One hop of a diverted call. */
export interface Diversion extends NameAddr {
  /** `unconditional`, `user-busy`, `no-answer` … in lower case; empty without one. */
  readonly reason: string;
  /** How often it was diverted for this reason; 1 without a word. */
  readonly counter: number;
}

/** What a Diversion header is made of. */
export interface DiversionParts {
  readonly uri: string;
  readonly name?: string;
  readonly reason: string;
  readonly counter?: number;
}

/** P-Asserted-Identity: at most a SIP and a tel URI. Only a trusted peer's means anything; malformed ones are left out. */
export const assertedIdentities = (request: RequestView): NameAddr[] =>
  request.headers('P-Asserted-Identity').flatMap(addressOf);

/** P-Preferred-Identity: what a phone asks to be shown as, by its own word. */
export const preferredIdentities = (request: RequestView): NameAddr[] =>
  request.headers('P-Preferred-Identity').flatMap(addressOf);

/** The Diversion headers, the latest diversion first; malformed ones are left out. */
export const diversions = (request: RequestView): Diversion[] =>
  request.headers('Diversion').flatMap((value) =>
    addressOf(value).map((address) => ({
      ...address,
      reason: (address.params.get('reason') ?? '').replaceAll('"', '').toLowerCase(),
      counter: Math.max(1, parseDigits(address.params.get('counter') ?? '1')),
    })),
  );

/**
 * The value of a Diversion header; it goes above those of earlier diversions.
 * @throws {SipSyntaxError} when a part may not go on the wire; `header` for a counter that is no number from 1 up.
 */
export function formatDiversion({ uri, name = '', reason, counter = 1 }: DiversionParts): string {
  if (!Number.isInteger(counter) || counter < 1) throw new SipSyntaxError('header', 'a Diversion counter');
  const params = new Map([['reason', isToken(reason) ? reason : quoted(reason)]]);
  if (counter > 1) params.set('counter', `${counter}`);
  return formatAddress({ uri, name, params });
}

/** The values of Privacy (`id`, `user`, `header`, `session`, `none`, `critical`), lower case. */
export const privacyOf = (request: RequestView): ReadonlySet<string> =>
  new Set(
    request
      .headers('Privacy')
      .flatMap((value) => value.toLowerCase().split(';'))
      .map((value) => value.trim())
      .filter((value) => value !== ''),
  );

/**
 * The value of a Privacy header.
 * @throws {SipSyntaxError} `header` for none at all, one that is no token, or `none` beside others (RFC 3323 §4.2).
 */
export function formatPrivacy(values: Iterable<string>): string {
  const all = [...values];
  if (all.length === 0 || !all.every(isToken) || (all.length > 1 && all.includes('none')))
    throw new SipSyntaxError('header', `bad Privacy "${all.join(';').slice(0, 60)}"`);
  return all.join(';');
}

/** Whether the caller's number may be shown to who is called: neither Privacy nor an anonymous From forbids it. */
export function mayShowCaller(request: RequestView): boolean {
  const privacy = privacyOf(request);
  if (privacy.has('none')) return true;
  if (privacy.has('id') || privacy.has('user') || privacy.has('header')) return false;
  return !/anonymous@anonymous\.invalid/i.test(request.header('From') ?? '');
}

function addressOf(value: string): NameAddr[] {
  try {
    return [parseNameAddr(value)];
  } catch (error) {
    if (error instanceof SipSyntaxError) return [];
    throw error;
  }
}
