// SRTP keys in SDP (RFC 4568): `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:` and 30 bytes in base64.

export const SRTP_SUITES = ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'] as const;
export type SrtpSuite = (typeof SRTP_SUITES)[number];

/** One side's key for one suite: 16 bytes of master key and 14 of master salt. */
export interface SrtpKey {
  readonly suite: SrtpSuite;
  readonly key: Uint8Array;
}

/** As it stands in a description; an answer repeats the tag it takes. */
export interface CryptoAttribute extends SrtpKey {
  readonly tag: number;
}

export const KEY_BYTES = 30;

/**
 * Keys to offer, or to answer with, one for each suite.
 * @param random So many bytes, as `randomBytes` of `node:crypto` draws them: strong, for they are secrets.
 */
export const makeSrtpKeys = (
  random: (bytes: number) => Uint8Array,
  suites: readonly SrtpSuite[] = SRTP_SUITES,
): SrtpKey[] => suites.map((suite) => ({ suite, key: Uint8Array.from(random(KEY_BYTES)) }));

export const writeCrypto = ({ tag, suite, key }: CryptoAttribute): string =>
  `a=crypto:${tag} ${suite} inline:${Buffer.from(key).toString('base64')}`;

/** A lifetime is read and not counted: 2^48 packets are more than any call has. No MKI: its bytes are in no packet of ours. */
const KEY_PARAMETERS = /^inline:([A-Za-z0-9+/]{40})(?:\|(?:2\^\d{1,2}|\d{1,15}))?$/;

/** One attribute's parts; undefined for a suite, key or session parameter that we do not speak (RFC 4568 §6.3, §7.1.1). */
export function readCrypto(parts: {
  readonly id?: unknown;
  readonly suite?: unknown;
  readonly config?: unknown;
  readonly sessionConfig?: unknown;
}): CryptoAttribute | undefined {
  const suite = SRTP_SUITES.find((each) => each === parts.suite);
  const tag = Number(parts.id);
  const inline = KEY_PARAMETERS.exec(String(parts.config))?.[1];
  if (!suite || inline === undefined || parts.sessionConfig) return undefined;
  if (!Number.isInteger(tag) || tag < 0 || tag > 999_999_999) return undefined;
  return { tag, suite, key: new Uint8Array(Buffer.from(inline, 'base64')) };
}
