// Whose packets are the peer's: one source and one SSRC, settled by the first packet from where it said.
import { isIP } from 'node:net';

/** How long a peer behind NAT may come from another port than it said. */
export const LATCH_MS = 5000;

/** After so many packets behind, a lower sequence number is a sender that started anew (RFC 3550 A.1). */
const MAX_MISORDER = 100;

/** Where packets come from. */
export interface Source {
  readonly address: string;
  readonly port: number;
}

/** Whether anything can be sent there. Node throws where a port is none, which would take every session of a thread along. */
export function isReachable({ address, port }: Source, families: readonly number[]): boolean {
  if (address === '0.0.0.0' || address === '::') return false;
  return port > 0 && port <= 65_535 && families.includes(isIP(address));
}

export interface ArrivedPacket {
  readonly ssrc: number;
  readonly sequence: number;
}

export class Latch {
  readonly #expected: Source;
  readonly #signalledFrom: string | undefined;
  readonly #openUntilMs: number;
  #source: Source | undefined;
  /** The source's, once more: what every packet is compared with lies in one place. */
  #address = '';
  #port = -1;
  #ssrc = 0; // signed: a larger number would be an object of its own
  #sequence = 0;

  /** @param peer Addresses in canonical form, as sockets report them. */
  constructor(peer: Source & { readonly signalledFrom?: string }, nowMs: number) {
    this.#expected = peer;
    this.#signalledFrom = peer.signalledFrom;
    this.#openUntilMs = nowMs + LATCH_MS;
  }

  /** Where to send: where the peer's packets come from, before the first one where it said (symmetric RTP, RFC 4961). */
  get destination(): Source {
    return this.#source ?? this.#expected;
  }

  /** What `accepts` would say, without settling anything by it. */
  considers(packet: ArrivedPacket, from: Source, nowMs: number): boolean {
    if (this.#isCurrent(packet, from)) return this.#isAhead(packet.sequence);
    return this.#mayLatch(from, nowMs);
  }

  /** The source, once nothing but another latch can change it. */
  settled(nowMs: number): Source | undefined {
    const final = this.#source && (nowMs > this.#openUntilMs || same(this.#source, this.#expected));
    return final ? this.#source : undefined;
  }

  /** False for a stranger's packet, another SSRC's, and a duplicate or late one. */
  accepts(packet: ArrivedPacket, from: Source, nowMs: number): boolean {
    if (this.#isCurrent(packet, from)) return this.#advances(packet.sequence);
    if (!this.#mayLatch(from, nowMs)) return false;
    this.#source = { address: from.address, port: from.port };
    this.#address = from.address;
    this.#port = from.port;
    this.#ssrc = packet.ssrc | 0;
    this.#sequence = packet.sequence;
    return true;
  }

  #isCurrent(packet: ArrivedPacket, from: Source): boolean {
    return from.port === this.#port && (packet.ssrc | 0) === this.#ssrc && from.address === this.#address;
  }

  /**
   * The very source the peer named comes before one that only shares its address: that may be the peer before,
   * still sending, where several live on one host.
   */
  #mayLatch(from: Source, nowMs: number): boolean {
    const open = nowMs <= this.#openUntilMs;
    if (same(from, this.#expected)) return !this.#source || (open && !same(this.#source, this.#expected));
    // Port 0 is forged: nobody could be answered there.
    if (this.#source || !open || from.port === 0) return false;
    return from.address === this.#expected.address || from.address === this.#signalledFrom;
  }

  #advances(sequence: number): boolean {
    if (!this.#isAhead(sequence)) return false;
    this.#sequence = sequence;
    return true;
  }

  #isAhead(sequence: number): boolean {
    const ahead = (sequence - this.#sequence) & 0xffff;
    return ahead !== 0 && ahead < 0x10000 - MAX_MISORDER;
  }
}

const same = (a: Source, b: Source): boolean => a.port === b.port && a.address === b.address;
