// The RTP header (RFC 3550 §5.1), read into and written from values that are reused.
//
//   0                   1                   2                   3
//   |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//   |                           timestamp                           |
//   |                             SSRC                              |
//   |   CSRC × CC   | extension, where X: profile, words, words×4   |

export const HEADER_BYTES = 12;

/** What fits an Ethernet frame; nothing longer is speech. */
export const MAX_PACKET_BYTES = 1472;

export interface RtpPacket {
  payloadType: number;
  sequence: number;
  timestamp: number;
  ssrc: number;
  /** The payload is `datagram[start, end)`. */
  start: number;
  end: number;
}

export const emptyPacket = (): RtpPacket => ({
  payloadType: 0,
  sequence: 0,
  timestamp: 0,
  ssrc: 0,
  start: 0,
  end: 0,
});

/** Reads `datagram` into `packet`; false, with `packet` undefined in value, where it is no RTP packet with a payload. */
export const readRtp = (datagram: Buffer, packet: RtpPacket): boolean =>
  readHeader(datagram, packet) && removePadding(datagram, packet);

/** Like `readRtp`, but what follows the header is not looked at: it may be encrypted. `end` is the datagram's. */
export function readHeader(datagram: Buffer, packet: RtpPacket): boolean {
  if (datagram.length < HEADER_BYTES || datagram.length > MAX_PACKET_BYTES) return false;
  const first = datagram[0] as number;
  if (first >> 6 !== 2) return false;
  packet.start = HEADER_BYTES + (first & 0x0f) * 4;
  if (first & 0x10) {
    if (packet.start + 4 > datagram.length) return false;
    packet.start += 4 + readUint16(datagram, packet.start + 2) * 4;
  }
  packet.end = datagram.length;
  if (packet.start >= packet.end) return false;
  packet.payloadType = (datagram[1] as number) & 0x7f;
  packet.sequence = readUint16(datagram, 2);
  packet.timestamp = readUint32(datagram, 4);
  packet.ssrc = readUint32(datagram, 8);
  return true;
}

/** Buffer's own readers check every call; these are for places that a length check was made for. */
export const readUint16 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 8) | (bytes[at + 1] as number);

export const readUint32 = (bytes: Uint8Array, at: number): number =>
  ((readUint16(bytes, at) << 16) | readUint16(bytes, at + 2)) >>> 0;

/** Takes padding off the end of the payload, where the header says that there is some; false where it cannot be. */
export function removePadding(datagram: Buffer, packet: RtpPacket): boolean {
  if (((datagram[0] as number) & 0x20) === 0) return true;
  const padding = datagram[packet.end - 1] as number;
  packet.end -= padding;
  return padding > 0 && packet.start < packet.end;
}

export interface RtpHeader {
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
}

/** Writes the twelve bytes; sequence and timestamp are taken modulo their width. */
export function writeHeader(
  { marker, payloadType, sequence, timestamp, ssrc }: RtpHeader,
  datagram: Uint8Array,
): void {
  datagram[0] = 0x80;
  datagram[1] = (marker ? 0x80 : 0) | payloadType;
  datagram[2] = sequence >> 8;
  datagram[3] = sequence;
  datagram[4] = timestamp >>> 24;
  datagram[5] = timestamp >>> 16;
  datagram[6] = timestamp >>> 8;
  datagram[7] = timestamp;
  datagram[8] = ssrc >>> 24;
  datagram[9] = ssrc >>> 16;
  datagram[10] = ssrc >>> 8;
  datagram[11] = ssrc;
}
