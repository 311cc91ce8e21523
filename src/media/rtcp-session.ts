// One peer's RTCP: when to report, what to say, and the round trip that its reports tell.
import type { Random } from '../lib/random.ts';
import type { SrtpParameters } from './engine.ts';
import { FRAME_MS } from './pacer.ts';
import type { Reception } from './reception.ts';
import { readRtcp, type SenderCounts, shortNtp, writeReport } from './rtcp.ts';
import { SrtcpReceiver, SrtcpSender } from './srtcp.ts';

/** Of two members, each reports every 5 s on the average (RFC 3550 §6.2), the first time after half of that. */
const INTERVAL_MS = 5000;
/** Makes up for timer reconsideration (RFC 3550 §6.3.1). */
const COMPENSATION = Math.E - 1.5;

export interface RtcpSessionOptions {
  readonly random: Random;
  readonly ssrc: number;
  /** Wall clock, in milliseconds since the epoch. */
  now(): number;
}

export class RtcpSession {
  readonly #options: RtcpSessionOptions;
  readonly #cname: string;
  #nextFrame = Number.NaN;
  #sentPackets = 0;
  #peerReport: { readonly ntp: number; readonly atMs: number } | undefined;
  #roundTripMs: number | undefined;
  #received = 0;
  #sender: SrtcpSender | undefined;
  #receiver: SrtcpReceiver | undefined;

  constructor(options: RtcpSessionOptions) {
    this.#options = options;
    this.#cname = options.random.hex(8); // RFC 7022 §4.2: short-term, random
  }

  /** Datagrams of the peer. */
  get received(): number {
    return this.#received;
  }

  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  secure(keys: SrtpParameters | undefined): void {
    this.#sender = keys && new SrtcpSender(keys.localKey);
    this.#receiver = keys && new SrtcpReceiver(keys.remoteKey);
  }

  /** The frame in which the next report is due; NaN before `due` was asked. */
  get nextFrame(): number {
    return this.#nextFrame;
  }

  /** Whether a report is due in this frame; then the next one is set. */
  due(frame: number): boolean {
    const first = Number.isNaN(this.#nextFrame);
    if (!first && frame < this.#nextFrame) return false;
    const spread = 0.5 + this.#options.random.fraction();
    const delayMs = (INTERVAL_MS * spread * (first ? 0.5 : 1)) / COMPENSATION;
    this.#nextFrame = frame + Math.round(delayMs / FRAME_MS);
    return !first;
  }

  /** The report to send now; `bye` ends the stream. */
  write(counts: SenderCounts, reception: Reception, bye = false): Buffer {
    const nowMs = this.#options.now();
    const peerReport = this.#peerReport;
    const packet = writeReport({
      ssrc: this.#options.ssrc,
      nowMs,
      cname: this.#cname,
      sender: counts.packets > this.#sentPackets ? counts : undefined,
      reception: reception.report(),
      lastReport: peerReport && { ntp: peerReport.ntp, ageMs: nowMs - peerReport.atMs },
      bye,
    });
    this.#sentPackets = counts.packets;
    return this.#sender?.protect(packet) ?? packet;
  }

  /** False where the datagram is not this peer's: no RTCP, or not authentic. */
  receive(datagram: Buffer): boolean {
    const plain = this.#receiver ? this.#receiver.unprotect(datagram) : datagram;
    const news = plain && readRtcp(plain, this.#options.ssrc);
    if (!news) return false;
    this.#received++;
    const nowMs = this.#options.now();
    if (news.senderNtp !== undefined) this.#peerReport = { ntp: news.senderNtp, atMs: nowMs };
    if (news.about && news.about.lastReport !== 0) {
      const trip = (shortNtp(nowMs) - news.about.lastReport - news.about.delay) | 0;
      // A clock that was set in between gives nonsense.
      if (trip >= -66 && trip < 60 * 65_536) this.#roundTripMs = Math.max(0, trip / 65.536);
    }
    return true;
  }
}
