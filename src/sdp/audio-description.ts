// Reads the one audio stream of a session description; sdp-transform splits the lines, nothing it says is trusted.
import { isIP } from 'node:net';
import { type MediaDescription, parse, type SessionDescription } from 'sdp-transform';
import { type CryptoAttribute, readCrypto } from './crypto-attribute.ts';
import { SdpError } from './sdp-error.ts';

/** Payload types are the static ones of RFC 3551 §6. */
export type AudioCodec =
  | { readonly name: 'PCMU'; readonly payloadType: 0 }
  | { readonly name: 'PCMA'; readonly payloadType: 8 };

export const DIRECTIONS = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;
/** As the describing side says it. */
export type Direction = (typeof DIRECTIONS)[number];

/** An m-line as it was written; an answer needs one for each of the offer's (RFC 3264 §6). */
export interface MediaLine {
  readonly type: string;
  readonly protocol: string;
  readonly formats: string;
}

export interface AudioDescription {
  /** IPv4 or IPv6 address. `0.0.0.0` and `::` put the stream on hold (RFC 3264 §8.4). */
  readonly address: string;
  readonly port: number;
  /** The codecs that we speak, in the description's order; at least one. */
  readonly codecs: readonly [AudioCodec, ...AudioCodec[]];
  /** Payload type of telephone-event at 8 kHz (RFC 4733). */
  readonly telephoneEvent?: number;
  readonly direction: Direction;
  readonly ptimeMs?: number;
  readonly profile: 'RTP/AVP' | 'RTP/SAVP';
  /** The keys of RTP/SAVP that we can use, in the description's order; none with RTP/AVP. */
  readonly crypto?: readonly CryptoAttribute[];
  /** Where its RTCP is wanted, if not one port above its RTP (RFC 3605). */
  readonly rtcpPort?: number;
  /** Every m-line of the description, and which of them this is. */
  readonly mediaLines: readonly MediaLine[];
  readonly index: number;
}

const MAX_CHARACTERS = 16_384;
const MAX_MEDIA_LINES = 16;
const CODECS: readonly AudioCodec[] = [
  { name: 'PCMU', payloadType: 0 },
  { name: 'PCMA', payloadType: 8 },
];
/** Only these reach sdp-transform: some of its other patterns take quadratic time on hostile lines. */
const LINES_READ = /^(?:[vcm]=|a=(?:rtpmap:|ptime:|crypto:|rtcp:\d|sendrecv$|sendonly$|recvonly$|inactive$))/;
const CONTROL_CHARACTER = /[^\P{Cc}\t\r\n]/u;

/** Whether a stream may, or must, be SRTP with keys by SDES. */
export type SrtpUse = 'none' | 'allowed' | 'required';

/**
 * The first audio stream that is not rejected by port 0.
 * @param srtp Default `none`: RTP/SAVP is an unsupported profile.
 * @throws {SdpError} and nothing else, whatever the text.
 */
export function readAudio(sdp: string, srtp: SrtpUse = 'none'): AudioDescription {
  const session = parseSession(sdp);
  const index = session.media.findIndex((media) => media.type === 'audio' && media.port !== 0);
  const audio = session.media[index];
  if (!audio) throw new SdpError('no-audio', 'no audio stream is offered');
  const security = securityOf(audio, srtp);
  const formats = String(audio.payloads ?? '').split(' ');
  const codecs = formats.flatMap((format) => codecsOf(audio, format));
  const [first, ...others] = new Set(codecs);
  if (!first) throw new SdpError('no-common-codec', 'neither PCMU nor PCMA is offered');
  const telephoneEvent = telephoneEventOf(audio, formats);
  const ptime = Number(audio.ptime);
  return {
    address: addressOf(session, audio),
    port: audio.port,
    codecs: [first, ...others],
    ...(telephoneEvent !== undefined && { telephoneEvent }),
    direction: audio.direction ?? session.direction ?? 'sendrecv',
    ...(ptime > 0 && { ptimeMs: ptime }),
    ...rtcpPortOf(audio),
    ...security,
    mediaLines: session.media.map(mediaLine),
    index,
  };
}

/** Profile and keys. Keys in RTP/AVP are best effort, which SDP has no word for (RFC 4568 §1): they are passed over. */
function securityOf(audio: MediaDescription, srtp: SrtpUse): Pick<AudioDescription, 'profile' | 'crypto'> {
  if (audio.protocol === 'RTP/AVP') {
    if (srtp === 'required') throw new SdpError('srtp-required', 'the profile is RTP/AVP, not RTP/SAVP');
    return { profile: 'RTP/AVP' };
  }
  if (audio.protocol !== 'RTP/SAVP' || srtp === 'none')
    throw new SdpError('unsupported-profile', `the profile is ${audio.protocol}`);
  const crypto = (audio.crypto ?? []).map(readCrypto).filter((each) => each !== undefined);
  if (crypto.length === 0) throw new SdpError('no-common-crypto', 'no SRTP key that we can use');
  return { profile: 'RTP/SAVP', crypto };
}

const rtcpPortOf = ({ rtcp }: MediaDescription): Pick<AudioDescription, 'rtcpPort'> =>
  rtcp && isPort(rtcp.port) && rtcp.port > 0 ? { rtcpPort: rtcp.port } : {};

function parseSession(sdp: string): SessionDescription {
  if (sdp.length > MAX_CHARACTERS)
    throw new SdpError('malformed', `longer than ${MAX_CHARACTERS} characters`);
  if (CONTROL_CHARACTER.test(sdp)) throw new SdpError('malformed', 'contains a control character');
  const lines = sdp.split(/\r\n|\r|\n/);
  if (lines[0] !== 'v=0') throw new SdpError('malformed', 'does not start with v=0');
  const session = parseLines(lines.filter((line) => LINES_READ.test(line)).join('\r\n'));
  if (session.media.length > MAX_MEDIA_LINES)
    throw new SdpError('malformed', `more than ${MAX_MEDIA_LINES} m-lines`);
  if (session.media.some((media) => !media.type || !media.protocol || !isPort(media.port))) {
    throw new SdpError('malformed', 'an m-line does not parse');
  }
  return session;
}

/** The boundary to sdp-transform. */
function parseLines(text: string): SessionDescription {
  try {
    return parse(text);
  } catch (error) {
    throw new SdpError('malformed', `does not parse: ${String(error)}`);
  }
}

/** None or one: a static payload type, unless an rtpmap gives it another meaning. */
function codecsOf(audio: MediaDescription, format: string): AudioCodec[] {
  const codec = CODECS.find((each) => String(each.payloadType) === format);
  if (!codec) return [];
  const mapped = audio.rtp.find((each) => each.payload === codec.payloadType);
  const same = !mapped || (String(mapped.codec).toUpperCase() === codec.name && mapped.rate === 8000);
  return same ? [codec] : [];
}

function telephoneEventOf(audio: MediaDescription, formats: readonly string[]): number | undefined {
  return audio.rtp.find(
    ({ payload, codec, rate }) =>
      String(codec).toLowerCase() === 'telephone-event' &&
      rate === 8000 &&
      payload >= 96 &&
      payload <= 127 &&
      formats.includes(String(payload)),
  )?.payload;
}

function addressOf(session: SessionDescription, audio: MediaDescription): string {
  const connection = audio.connection ?? session.connection;
  if (!connection) throw new SdpError('malformed', 'has no c-line');
  const address = String(connection.ip);
  if (isIP(address) === 0 || isIP(address) !== Number(connection.version) || address.includes('%')) {
    throw new SdpError('unsupported-address', `"${address}" is not an IP${connection.version} address`);
  }
  return address;
}

const isPort = (port: unknown): boolean => Number.isInteger(port) && Number(port) <= 65_535;

const mediaLine = ({ type, protocol, payloads }: MediaDescription): MediaLine => ({
  type: String(type),
  protocol,
  formats: String(payloads ?? ''),
});
