// A server's side of digest authentication: is this request from who it says, and what to challenge with if not.
import type { HeaderField, RequestView } from '../message/view.ts';
import {
  type DigestAlgorithm,
  type DigestAnswer,
  formatChallenge,
  ha1Of,
  isRightAnswer,
  parseAnswer,
} from './digest.ts';
import type { Nonces } from './nonce.ts';

/** Who asks: a user agent server by 401, a proxy by 407. */
export type Challenger = 401 | 407;

export interface Authentication {
  readonly status: Challenger;
  readonly realm: string;
  /** Whose nonces are good here. */
  readonly domain: string;
  readonly nonces: Nonces;
  /** What may be answered with; the first is asked for first. */
  readonly algorithms: readonly DigestAlgorithm[];
  /** H(user:realm:password) of everyone of that name; empty for nobody. */
  readonly ha1s: (username: string, algorithm: DigestAlgorithm) => readonly string[];
}

/** `unknown` says nothing about whether the user exists: the response to it is the same either way. */
export type AuthenticationVerdict =
  | { readonly kind: 'known'; readonly username: string; readonly ha1: string }
  | { readonly kind: 'unknown' | 'stale' };

/** Judges the credentials in a request; each nonce count is good once. */
export function authenticate(request: RequestView, terms: Authentication): AuthenticationVerdict {
  const answer = answerIn(request, terms);
  if (!answer) return { kind: 'unknown' };
  const ha1 = rightHa1(answer, request.method, terms);
  // Only who knows the password learns that a nonce is stale, and uses up its counts.
  if (ha1 === undefined) return { kind: 'unknown' };
  const nc = answer.counted ? Number.parseInt(answer.counted.nc, 16) : 1;
  switch (terms.nonces.use(answer.nonce, terms.domain, nc)) {
    case 'good':
      return { kind: 'known', username: answer.username, ha1 };
    case 'stale':
      return { kind: 'stale' };
    case 'forged':
      return { kind: 'unknown' };
  }
}

/**
 * The user that a request's credentials name, where they answer a challenge of this domain, rightly or not. Credentials
 * for another domain's challenge, which phones send along unasked, are none: they say nothing of who sends them.
 */
export function claimedUser(request: RequestView, terms: Authentication): string | undefined {
  const answer = answerIn(request, terms);
  return answer && terms.nonces.isOf(answer.nonce, terms.domain) ? answer.username : undefined;
}

/** The headers of the 401 or 407, one challenge for each algorithm (RFC 8760 §2.4). */
export function challengeHeaders(terms: Authentication, stale = false): HeaderField[] {
  const nonce = terms.nonces.issue(terms.domain);
  const name = terms.status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate';
  return terms.algorithms.map((algorithm) => [
    name,
    formatChallenge({ realm: terms.realm, nonce, algorithm, qop: true, stale }),
  ]);
}

/** Some phones answer a 407 in the header that belongs to a 401: either will do. */
function answerIn(request: RequestView, { realm, algorithms }: Authentication): DigestAnswer | undefined {
  return ['Proxy-Authorization', 'Authorization']
    .flatMap((name) => request.headers(name))
    .map(parseAnswer)
    .find((answer) => answer?.realm === realm && algorithms.includes(answer.algorithm));
}

/** Nobody's HA1 is tried where there is none: an unknown user takes as long as a wrong password. */
function rightHa1(answer: DigestAnswer, method: string, terms: Authentication): string | undefined {
  const { username, algorithm } = answer;
  const ha1s = terms.ha1s(username, algorithm);
  const nobody = ha1Of(algorithm, { username, password: '' }, terms.realm);
  const right = (ha1s.length ? ha1s : [nobody]).filter((ha1) => isRightAnswer(answer, ha1, method));
  return ha1s.length ? right[0] : undefined;
}
