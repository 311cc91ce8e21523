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
export function readRtp(datagram: Buffer, packet: RtpPacket): boolean {
  if (datagram.length < HEADER_BYTES || datagram.length > MAX_PACKET_BYTES) return false;
  const first = datagram[0] as number;
  if (first >> 6 !== 2) return false;
  packet.start = HEADER_BYTES + (first & 0x0f) * 4;
  if (first & 0x10) {
    if (packet.start + 4 > datagram.length) return false;
    packet.start += 4 + datagram.readUInt16BE(packet.start + 2) * 4;
  }
  const padding = first & 0x20 ? (datagram[datagram.length - 1] as number) : 0;
  if (first & 0x20 && padding === 0) return false;
  packet.end = datagram.length - padding;
  if (packet.start >= packet.end) return false;
  packet.payloadType = (datagram[1] as number) & 0x7f;
  packet.sequence = datagram.readUInt16BE(2);
  packet.timestamp = datagram.readUInt32BE(4);
  packet.ssrc = datagram.readUInt32BE(8);
  return true;
}

export interface RtpHeader {
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
}

/** Writes the twelve bytes; sequence and timestamp are taken modulo their width. */
export function writeHeader(header: RtpHeader, datagram: Buffer): void {
  datagram[0] = 0x80;
  datagram[1] = (header.marker ? 0x80 : 0) | header.payloadType;
  datagram.writeUInt16BE(header.sequence & 0xffff, 2);
  datagram.writeUInt32BE(header.timestamp >>> 0, 4);
  datagram.writeUInt32BE(header.ssrc >>> 0, 8);
}
