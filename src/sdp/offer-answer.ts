// Offers and answers for one audio stream (RFC 3264): G.711 both laws, telephone-event, 20 ms, SRTP by SDES.
import { isIPv6 } from 'node:net';
import type { AudioCodec, AudioDescription, Direction } from './audio-description.ts';
import { type CryptoAttribute, type SrtpKey, type SrtpSuite, writeCrypto } from './crypto-attribute.ts';
import { SdpError } from './sdp-error.ts';

/** Our side of the stream, and the identity of the description (RFC 8866 §5.2). */
export interface LocalMedia {
  readonly address: string;
  readonly port: number;
  readonly sessionId: string;
  /** Grows by one with every description of the same session that differs from the one before. */
  readonly version: number;
  /** Our keys by suite, first the one we like best: an offer has RTP/SAVP with all of them, an answer takes one. */
  readonly srtp?: readonly SrtpKey[];
  /** What we want to do; `sendrecv` by default. An answer does no more than the offer lets it. */
  readonly direction?: Direction;
  /** Payload type offered first; 0 by default. */
  readonly preferred?: 0 | 8;
}

/** Where and how the peer wants its media. */
export interface AgreedMedia {
  readonly address: string;
  readonly port: number;
  readonly payloadType: 0 | 8;
  readonly dtmfPayloadType?: number;
  readonly rtcpPort?: number;
  /** What we may do; absent where it is `sendrecv`. */
  readonly direction?: Exclude<Direction, 'sendrecv'>;
  readonly srtp?: {
    readonly suite: SrtpSuite;
    readonly localKey: Uint8Array;
    readonly remoteKey: Uint8Array;
  };
}

const OFFERED_TELEPHONE_EVENT = 101;
const CODECS: readonly AudioCodec[] = [
  { name: 'PCMU', payloadType: 0 },
  { name: 'PCMA', payloadType: 8 },
];
/** Keys are numbered in the order of `LocalMedia.srtp`. */
const FIRST_TAG = 1;

export function writeOffer(local: LocalMedia): string {
  const codecs = CODECS.toSorted(
    (a, b) => Number(b.payloadType === local.preferred) - Number(a.payloadType === local.preferred),
  );
  return write(
    local,
    audioLines(local, {
      codecs,
      telephoneEvent: OFFERED_TELEPHONE_EVENT,
      direction: local.direction ?? 'sendrecv',
      crypto: (local.srtp ?? []).map((key, at) => ({ ...key, tag: at + FIRST_TAG })),
    }),
  );
}

/**
 * What an answer to our offer settles: its first codec, and one key of those that we offered.
 * @param local What the offer was written from; only its keys and direction are looked at.
 * @throws {SdpError} `no-common-crypto` where the answer's key is for none of ours, `srtp-required` where SRTP was
 * offered and the answer has none.
 */
export function acceptAnswer(
  answer: AudioDescription,
  local: Pick<LocalMedia, 'srtp' | 'direction'> = {},
): AgreedMedia {
  const wanted = local.srtp ?? [];
  if (answer.profile === 'RTP/AVP') {
    if (wanted.length > 0) throw new SdpError('srtp-required', 'SRTP was offered, and RTP is answered');
    return agreed(answer, local.direction);
  }
  const [crypto, ...others] = answer.crypto ?? [];
  const ours = crypto && wanted[crypto.tag - FIRST_TAG];
  // One tag, its own suite: RFC 4568 §5.1.3.
  if (!ours || others.length > 0 || ours.suite !== crypto.suite)
    throw new SdpError('no-common-crypto', 'the answer’s key is for none that was offered');
  return agreed(answer, local.direction, { ours, theirs: crypto });
}

/**
 * Takes the offer's first codec that we speak and its first key for a suite of ours; rejects its other streams by
 * port 0.
 * @throws {SdpError} `no-common-crypto` where SRTP is offered and we have no key for its suites.
 */
export function writeAnswer(
  offer: AudioDescription,
  local: LocalMedia,
): { readonly sdp: string; readonly peer: AgreedMedia } {
  const keys = offer.profile === 'RTP/SAVP' ? chooseKeys(offer, local) : undefined;
  const peer = agreed(offer, local.direction, keys);
  const accepted = audioLines(local, {
    codecs: [offer.codecs[0]],
    telephoneEvent: offer.telephoneEvent,
    direction: peer.direction ?? 'sendrecv',
    crypto: keys ? [{ ...keys.ours, tag: keys.theirs.tag }] : [],
  });
  const media = offer.mediaLines.flatMap((line, index) =>
    index === offer.index ? accepted : [`m=${line.type} 0 ${line.protocol} ${line.formats}`],
  );
  return { sdp: write(local, media), peer };
}

interface Keys {
  readonly ours: SrtpKey;
  readonly theirs: CryptoAttribute;
}

function chooseKeys({ crypto = [] }: AudioDescription, { srtp = [] }: LocalMedia): Keys {
  for (const theirs of crypto) {
    const ours = srtp.find(({ suite }) => suite === theirs.suite);
    if (ours) return { ours, theirs };
  }
  throw new SdpError('no-common-crypto', 'none of the suites offered is ours');
}

function agreed(theirs: AudioDescription, ours: Direction = 'sendrecv', keys?: Keys): AgreedMedia {
  const { address, port, codecs, telephoneEvent, rtcpPort } = theirs;
  const direction = meet(theirs.direction, ours);
  return {
    address,
    port,
    payloadType: codecs[0].payloadType,
    ...(telephoneEvent !== undefined && { dtmfPayloadType: telephoneEvent }),
    ...(rtcpPort !== undefined && { rtcpPort }),
    ...(direction !== 'sendrecv' && { direction }),
    ...(keys && {
      srtp: { suite: keys.ours.suite, localKey: keys.ours.key, remoteKey: keys.theirs.key },
    }),
  };
}

/** What we may do where they want this and we want that (RFC 3264 §6.1): we send where they receive, and the reverse. */
function meet(theirs: Direction, ours: Direction): Direction {
  const sends =
    (theirs === 'sendrecv' || theirs === 'recvonly') && (ours === 'sendrecv' || ours === 'sendonly');
  const receives =
    (theirs === 'sendrecv' || theirs === 'sendonly') && (ours === 'sendrecv' || ours === 'recvonly');
  if (sends) return receives ? 'sendrecv' : 'sendonly';
  return receives ? 'recvonly' : 'inactive';
}

function write({ address, sessionId, version }: LocalMedia, media: readonly string[]): string {
  const origin = `IN ${isIPv6(address) ? 'IP6' : 'IP4'} ${address}`;
  const head = ['v=0', `o=tandem ${sessionId} ${version} ${origin}`, 's=Tandem', `c=${origin}`, 't=0 0'];
  return [...head, ...media, ''].join('\r\n');
}

interface Stream {
  readonly codecs: readonly AudioCodec[];
  readonly telephoneEvent: number | undefined;
  readonly direction: Direction;
  readonly crypto: readonly CryptoAttribute[];
}

function audioLines({ port }: LocalMedia, { codecs, telephoneEvent, direction, crypto }: Stream): string[] {
  const events = telephoneEvent === undefined ? [] : [telephoneEvent];
  const profile = crypto.length > 0 ? 'RTP/SAVP' : 'RTP/AVP';
  return [
    `m=audio ${port} ${profile} ${[...codecs.map((codec) => codec.payloadType), ...events].join(' ')}`,
    ...crypto.map(writeCrypto),
    ...codecs.map(({ name, payloadType }) => `a=rtpmap:${payloadType} ${name}/8000`),
    ...events.flatMap((type) => [`a=rtpmap:${type} telephone-event/8000`, `a=fmtp:${type} 0-16`]),
    'a=ptime:20',
    `a=${direction}`,
  ];
}
