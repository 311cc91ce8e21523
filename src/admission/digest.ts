// Digest authentication against mapped credential lists (RFC 3261 §22). The realm is a constant, as stored secrets are
// bound to it; what keeps domains apart is that a nonce belongs to the one it was issued for.
import { DIGEST_REALM, digestOf } from '../resources/index.ts';
import {
  type Authentication,
  authenticate,
  challengeHeaders,
  claimedUser,
  type DigestAlgorithm,
  type Nonces,
  type RequestView,
} from '../sip/index.ts';
import type { Directory } from '../store/index.ts';
import { credentialsOf } from './mapped-lists.ts';
import { type Refusal, refuse } from './refusal.ts';

/** Those that secrets are kept for. */
export type ServedAlgorithm = Extract<DigestAlgorithm, 'MD5' | 'SHA-256'>;

export interface DigestTerms {
  readonly nonces: Nonces;
  /** The first is asked for first; phones take that one, known or not. */
  readonly algorithms: readonly ServedAlgorithm[];
}

export interface Lists {
  readonly directory: Directory;
  /** SIDs of credential lists. */
  readonly lists: readonly string[];
  /** SID of the domain or trunk that nonces are issued for. */
  readonly owner: string;
}

/** Whether a user at the request's source may try at all: false while wrong passwords are backed off. */
export type MayTry = (username: string) => boolean;

const STORED = { MD5: 'md5', 'SHA-256': 'sha256' } as const;

/** Who asks, or the refusal: 407 to begin with, 403 for wrong credentials. */
export function checkDigest(
  request: RequestView,
  given: Lists,
  { terms, mayTry }: { readonly terms: DigestTerms; readonly mayTry: MayTry },
): { readonly username: string } | Refusal {
  const authentication = authenticationOf(given, terms);
  const claimed = claimedUser(request, authentication);
  if (claimed === undefined) return challenge(authentication, 'no credentials for this domain were sent');
  if (!mayTry(claimed)) return backedOff(claimed);
  const verdict = authenticate(request, authentication);
  if (verdict.kind === 'known') return { username: verdict.username };
  if (verdict.kind === 'stale') return challenge(authentication, 'the nonce is too old or used', true);
  return wrongCredentials(given, claimed);
}

/** Why a user would be refused whatever the password; pure. */
export function refusedUnheard(given: Lists, username: string, mayTry: MayTry): Refusal | undefined {
  if (!mayTry(username)) return backedOff(username);
  const isKnown = credentialsOf(given.directory, given.lists, username).length > 0;
  return isKnown ? undefined : wrongCredentials(given, username);
}

function authenticationOf(
  { directory, lists, owner }: Lists,
  { nonces, algorithms }: DigestTerms,
): Authentication {
  return {
    status: 407,
    realm: DIGEST_REALM,
    domain: owner,
    nonces,
    algorithms,
    ha1s: (username, algorithm) =>
      credentialsOf(directory, lists, username).map(({ password }) =>
        digestOf(password, STORED[algorithm as ServedAlgorithm]),
      ),
  };
}

const challenge = (authentication: Authentication, why: string, stale = false): Refusal => ({
  status: 407,
  headers: challengeHeaders(authentication, stale),
  why,
  stranger: true,
  challenge: true,
});

/** The response tells nobody whether there is such a user; its owner may know. */
function wrongCredentials({ directory, lists }: Lists, username: string): Refusal {
  const isKnown = credentialsOf(directory, lists, username).length > 0;
  return refuse(403, 32_202, {
    why: isKnown ? `the password of user ${username} is wrong` : `there is no user ${username}`,
    fix: isKnown
      ? `give the device the password that is kept for ${username}, or set another on the credential`
      : `add a credential for ${username} to ${lists.join(' or ')}`,
    stranger: true,
    failedUser: username,
  });
}

const backedOff = (username: string): Refusal =>
  refuse(403, 32_202, {
    why: `user ${username} sent wrong credentials too often from this source and is not listened to for a while`,
    fix: `correct the password of ${username} on the device; it is heard again within a minute`,
    stranger: true,
    silent: true,
  });
