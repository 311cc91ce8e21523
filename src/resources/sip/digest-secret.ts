// What is kept of a SIP password: the digests that answer a challenge, for the one realm this exchange has.
import { hash } from 'node:crypto';

/** Realm of every challenge: digests are bound to it, so it can never change (RFC 8760 §2). */
export const DIGEST_REALM = 'sip.twilio.com';

export type DigestAlgorithm = 'md5' | 'sha256';

const ALGORITHMS: readonly DigestAlgorithm[] = ['md5', 'sha256'];

/** The H(A1) of each algorithm, separated by spaces (RFC 7616 §3.4.2). */
export const digestSecret = (username: string, password: string): string =>
  ALGORITHMS.map((algorithm) => hash(algorithm, `${username}:${DIGEST_REALM}:${password}`)).join(' ');

/** H(A1) in hex, out of what `digestSecret` gave. */
export const digestOf = (secret: string, algorithm: DigestAlgorithm): string =>
  secret.split(' ')[ALGORITHMS.indexOf(algorithm)] ?? '';
