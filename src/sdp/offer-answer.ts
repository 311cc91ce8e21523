// Offers and answers for one audio stream (RFC 3264): G.711 both laws, telephone-event, 20 ms.
import { isIPv6 } from 'node:net';
import type { AudioCodec, AudioDescription, Direction } from './audio-description.ts';

/** Our side of the stream, and the identity of the description (RFC 8866 §5.2). */
export interface LocalMedia {
  readonly address: string;
  readonly port: number;
  readonly sessionId: string;
  /** Grows by one with every description of the same session that differs from the one before. */
  readonly version: number;
}

/** Where and how the peer wants its media. */
export interface AgreedMedia {
  readonly address: string;
  readonly port: number;
  readonly payloadType: 0 | 8;
  readonly dtmfPayloadType?: number;
}

const OFFERED_TELEPHONE_EVENT = 101;
const MIRRORED: Record<Direction, Direction> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

export function writeOffer(local: LocalMedia): string {
  const codecs: AudioCodec[] = [
    { name: 'PCMU', payloadType: 0 },
    { name: 'PCMA', payloadType: 8 },
  ];
  return write(
    local,
    audioLines(local, { codecs, telephoneEvent: OFFERED_TELEPHONE_EVENT, direction: 'sendrecv' }),
  );
}

/** What an answer to our offer settles: its first codec. */
export function acceptAnswer(answer: AudioDescription): AgreedMedia {
  return {
    address: answer.address,
    port: answer.port,
    payloadType: answer.codecs[0].payloadType,
    ...(answer.telephoneEvent !== undefined && { dtmfPayloadType: answer.telephoneEvent }),
  };
}

/** Takes the offer's first codec that we speak and rejects its other streams by port 0. */
export function writeAnswer(
  offer: AudioDescription,
  local: LocalMedia,
): { readonly sdp: string; readonly peer: AgreedMedia } {
  const direction = MIRRORED[offer.direction];
  const accepted = audioLines(local, {
    codecs: [offer.codecs[0]],
    telephoneEvent: offer.telephoneEvent,
    direction,
  });
  const media = offer.mediaLines.flatMap((line, index) =>
    index === offer.index ? accepted : [`m=${line.type} 0 ${line.protocol} ${line.formats}`],
  );
  return { sdp: write(local, media), peer: acceptAnswer(offer) };
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
}

function audioLines({ port }: LocalMedia, { codecs, telephoneEvent, direction }: Stream): string[] {
  const events = telephoneEvent === undefined ? [] : [telephoneEvent];
  return [
    `m=audio ${port} RTP/AVP ${[...codecs.map((codec) => codec.payloadType), ...events].join(' ')}`,
    ...codecs.map(({ name, payloadType }) => `a=rtpmap:${payloadType} ${name}/8000`),
    ...events.flatMap((type) => [`a=rtpmap:${type} telephone-event/8000`, `a=fmtp:${type} 0-16`]),
    'a=ptime:20',
    `a=${direction}`,
  ];
}
