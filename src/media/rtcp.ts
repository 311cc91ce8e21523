// RTCP packets (RFC 3550 §6): sender and receiver reports with SDES, BYE; written, and read as far as we need them.
import type { ReceptionReport } from './reception.ts';

const [SR, RR, SDES, BYE] = [200, 201, 202, 203];
const CNAME = 1;
const BLOCK_BYTES = 24;
/** Seconds from 1900, NTP's epoch, to 1970. */
const NTP_OFFSET_S = 2_208_988_800;
const MAX_PACKETS = 16;

/** The middle 32 bits of an NTP timestamp: units of 1/65536 s. */
export const shortNtp = (nowMs: number): number =>
  Math.round((nowMs / 1000 + NTP_OFFSET_S) * 65_536) % 2 ** 32;

export interface SenderCounts {
  readonly rtpTimestamp: number;
  readonly packets: number;
  readonly octets: number;
}

export interface Report {
  readonly ssrc: number;
  /** Wall clock, in milliseconds since the epoch. */
  readonly nowMs: number;
  readonly cname: string;
  /** Undefined where nothing was sent since the last report: then it is a receiver's (RFC 3550 §6.4). */
  readonly sender: SenderCounts | undefined;
  readonly reception: ReceptionReport | undefined;
  /** Short NTP of the peer's last sender report, and how long ago it came. */
  readonly lastReport: { readonly ntp: number; readonly ageMs: number } | undefined;
  /** With a BYE at the end. */
  readonly bye: boolean;
}

/** A compound packet. */
export function writeReport(report: Report): Buffer {
  const parts = [reportPacket(report), sdesPacket(report)];
  if (report.bye) parts.push(header(BYE, 1, 8, report.ssrc));
  return Buffer.concat(parts);
}

function reportPacket(report: Report): Buffer {
  const { sender, reception, ssrc } = report;
  const blockAt = sender ? 28 : 8;
  const packet = header(sender ? SR : RR, reception ? 1 : 0, blockAt + (reception ? BLOCK_BYTES : 0), ssrc);
  if (sender) {
    const seconds = report.nowMs / 1000 + NTP_OFFSET_S;
    packet.writeUInt32BE(Math.floor(seconds) % 2 ** 32, 8);
    packet.writeUInt32BE(Math.floor((seconds % 1) * 2 ** 32), 12);
    packet.writeUInt32BE(sender.rtpTimestamp >>> 0, 16);
    packet.writeUInt32BE(sender.packets >>> 0, 20);
    packet.writeUInt32BE(sender.octets >>> 0, 24);
  }
  if (reception) writeBlock(packet, blockAt, reception, report.lastReport);
  return packet;
}

function writeBlock(packet: Buffer, at: number, block: ReceptionReport, last: Report['lastReport']): void {
  packet.writeUInt32BE(block.ssrc, at);
  packet[at + 4] = block.fractionLost;
  packet.writeUIntBE(Math.min(block.lost, 0x7fffff), at + 5, 3);
  packet.writeUInt32BE(block.highestSequence >>> 0, at + 8);
  packet.writeUInt32BE(block.jitter >>> 0, at + 12);
  packet.writeUInt32BE(last?.ntp ?? 0, at + 16);
  packet.writeUInt32BE(last ? Math.round(last.ageMs * 65.536) % 2 ** 32 : 0, at + 20);
}

function sdesPacket({ ssrc, cname }: Report): Buffer {
  const name = Buffer.from(cname);
  // The list of items ends with a zero, and the chunk at a multiple of four (RFC 3550 §6.5).
  const bytes = Math.ceil((8 + 2 + name.length + 1) / 4) * 4;
  const packet = header(SDES, 1, bytes, ssrc);
  packet[8] = CNAME;
  packet[9] = name.length;
  name.copy(packet, 10);
  return packet;
}

function header(type: number, count: number, bytes: number, ssrc: number): Buffer {
  const packet = Buffer.alloc(bytes);
  packet[0] = 0x80 | count;
  packet[1] = type;
  packet.writeUInt16BE(bytes / 4 - 1, 2);
  packet.writeUInt32BE(ssrc, 4);
  return packet;
}

/** What a compound packet says to us. */
export interface RtcpNews {
  /** Of the first packet. */
  readonly ssrc: number;
  /** Short NTP of a sender report. */
  readonly senderNtp?: number;
  /** The block about the source asked for: when our last report reached the peer, and how long it kept it. */
  readonly about?: { readonly lastReport: number; readonly delay: number; readonly fractionLost: number };
  readonly bye: boolean;
}

/** Undefined where it is no compound packet (RFC 3550 A.2). */
export function readRtcp(datagram: Buffer, ownSsrc: number): RtcpNews | undefined {
  const type = datagram[1];
  if (datagram.length < 8 || (type !== SR && type !== RR)) return undefined;
  const news: { -readonly [K in keyof RtcpNews]: RtcpNews[K] } = {
    ssrc: datagram.readUInt32BE(4),
    bye: false,
  };
  let packets = 0;
  for (let at = 0; at < datagram.length; packets++) {
    const first = datagram[at] as number;
    if (at + 4 > datagram.length || first >> 6 !== 2 || packets === MAX_PACKETS) return undefined;
    const end = at + (datagram.readUInt16BE(at + 2) + 1) * 4;
    if (end > datagram.length) return undefined;
    readPacket(datagram.subarray(at, end), ownSsrc, news);
    at = end;
  }
  return news;
}

function readPacket(
  packet: Buffer,
  ownSsrc: number,
  news: { -readonly [K in keyof RtcpNews]: RtcpNews[K] },
): void {
  const type = packet[1];
  if (type === BYE) news.bye = true;
  if (type !== SR && type !== RR) return;
  if (type === SR && packet.length >= 28) news.senderNtp = packet.readUInt32BE(10);
  const blocks = (packet[0] as number) & 0x1f;
  const firstAt = type === SR ? 28 : 8;
  for (
    let at = firstAt;
    at < firstAt + blocks * BLOCK_BYTES && at + BLOCK_BYTES <= packet.length;
    at += BLOCK_BYTES
  ) {
    if (packet.readUInt32BE(at) !== ownSsrc) continue;
    news.about = {
      fractionLost: packet[at + 4] as number,
      lastReport: packet.readUInt32BE(at + 16),
      delay: packet.readUInt32BE(at + 20),
    };
  }
}
