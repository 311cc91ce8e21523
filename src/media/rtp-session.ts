// One peer's stream, both ways: frames out at the pacer's beat, packets in as they come. No sockets, no clock.
import { isIP } from 'node:net';
import { normaliseAddress } from '../lib/networks.ts';
import type { Random } from '../lib/random.ts';
import type { MediaStatistics, PayloadType, PeerMedia } from './engine.ts';
import { decode, encode, SILENCE } from './g711.ts';
import { Latch } from './latch.ts';
import { type Playable, PromptSource } from './prompt-source.ts';
import { emptyPacket, HEADER_BYTES, MAX_PACKET_BYTES, readRtp, writeHeader } from './rtp.ts';
import { SampleQueue } from './sample-queue.ts';

const FRAME_SAMPLES = 160; // 20 ms at 8 kHz: RFC 3551 §4.2

// One thread runs one session at a time, so all of them share what lives for one packet only.
const frame = new Int16Array(FRAME_SAMPLES);
const heard = new Int16Array(MAX_PACKET_BYTES);
const arrived = emptyPacket();

export interface RtpSessionOptions {
  readonly random: Random;
  readonly captureSamples: number;
  readonly ipv6: boolean;
  /** The datagram is reused for the next frame. */
  send(datagram: Buffer, port: number, address: string): void;
  /** The prompt with this number was sent to its end. */
  finished(play: number): void;
}

export class RtpSession {
  readonly #options: RtpSessionOptions;
  readonly #datagram = Buffer.alloc(HEADER_BYTES + FRAME_SAMPLES);
  readonly #ssrc: number;
  readonly #timestampBase: number;
  readonly #capture: Int16Array;
  readonly #echoed = new SampleQueue(FRAME_SAMPLES);
  #capturedSamples = 0;
  #sequence: number;
  /** Next packet starts a talkspurt (RFC 3551 §4.1). */
  #marker = true;
  #peer: PeerMedia | undefined;
  #latch: Latch | undefined;
  #otherwise: 'silence' | 'echo' | 'nothing' = 'silence';
  #prompt: { readonly number: number; readonly source: PromptSource } | undefined;
  #sent = 0;
  #received = 0;
  #refused = 0;

  constructor(options: RtpSessionOptions) {
    this.#options = options;
    const drawn = (below: number) => Math.floor(options.random.fraction() * below);
    this.#ssrc = drawn(2 ** 32);
    this.#timestampBase = drawn(2 ** 32);
    // The lower half only: an SRTP receiver cannot tell an early roll-over from loss (RFC 3711 §3.3.1).
    this.#sequence = drawn(2 ** 15);
    this.#capture = new Int16Array(options.captureSamples);
  }

  connect(peer: PeerMedia, nowMs: number): void {
    const { signalledFrom, ...rest } = peer;
    const canonical = { ...rest, address: normaliseAddress(peer.address) };
    this.#peer = canonical;
    this.#latch = new Latch(
      signalledFrom === undefined
        ? canonical
        : { ...canonical, signalledFrom: normaliseAddress(signalledFrom) },
      nowMs,
    );
    this.#marker = true;
  }

  play(number: number, playable: Playable): void {
    this.#prompt = { number, source: new PromptSource(playable) };
  }

  stopPlaying(): void {
    this.#prompt = undefined;
  }

  echo(): void {
    this.#echoed.clear();
    this.#otherwise = 'echo';
  }

  mute(): void {
    this.#prompt = undefined;
    this.#otherwise = 'nothing';
  }

  /** Sends the frame with this number; frames that were skipped in between leave a gap in the timestamps. */
  tick(frameNumber: number): void {
    if (!this.#peer || !this.#latch) return;
    const { address, port } = this.#latch.destination;
    if (this.#fill(this.#peer.payloadType) && this.#sendsTo(address, port)) {
      writeHeader(
        {
          marker: this.#marker,
          payloadType: this.#peer.payloadType,
          sequence: this.#sequence,
          timestamp: this.#timestampBase + frameNumber * FRAME_SAMPLES,
          ssrc: this.#ssrc,
        },
        this.#datagram,
      );
      this.#options.send(this.#datagram, port, address);
      this.#marker = false;
      this.#sequence++;
      this.#sent++;
    } else {
      this.#marker = true;
    }
    this.#reportEnd();
  }

  receive(datagram: Buffer, from: { readonly address: string; readonly port: number }, nowMs: number): void {
    if (
      !readRtp(datagram, arrived) ||
      !this.#understands(arrived.payloadType) ||
      !this.#latch?.accepts(arrived, from, nowMs)
    ) {
      this.#refused++;
      return;
    }
    this.#received++;
    if (arrived.payloadType === 0 || arrived.payloadType === 8) this.#hear(arrived.payloadType, datagram);
  }

  captured(): Int16Array {
    return this.#capture.slice(0, this.#capturedSamples);
  }

  statistics(): MediaStatistics {
    return { packetsSent: this.#sent, packetsReceived: this.#received, packetsRefused: this.#refused };
  }

  /** Node throws where a port is none, which would take every session of this thread along. */
  #sendsTo(address: string, port: number): boolean {
    const family = this.#options.ipv6 ? 6 : 4;
    return (
      port > 0 && port <= 65_535 && address !== '0.0.0.0' && address !== '::' && isIP(address) === family
    );
  }

  #understands(payloadType: number): boolean {
    return payloadType === 0 || payloadType === 8 || payloadType === this.#peer?.dtmfPayloadType;
  }

  /** Puts the next frame's payload into the datagram; false when nothing is to be sent. */
  #fill(law: PayloadType): boolean {
    if (this.#prompt) this.#prompt.source.read(frame);
    else if (this.#otherwise === 'nothing') return false;
    else if (this.#otherwise === 'silence' || !this.#echoed.take(frame)) {
      this.#datagram.fill(SILENCE[law], HEADER_BYTES);
      return true;
    }
    encode(law, frame, this.#datagram, HEADER_BYTES);
    return true;
  }

  #reportEnd(): void {
    if (!this.#prompt?.source.finished) return;
    const { number } = this.#prompt;
    this.#prompt = undefined;
    this.#options.finished(number);
  }

  #hear(law: PayloadType, datagram: Buffer): void {
    const room = this.#capture.length - this.#capturedSamples;
    if (room === 0 && this.#otherwise !== 'echo') return;
    const count = arrived.end - arrived.start;
    decode(law, datagram, arrived, heard);
    if (this.#otherwise === 'echo') this.#echoed.push(heard, count);
    const kept = Math.min(room, count);
    this.#capture.set(heard.subarray(0, kept), this.#capturedSamples);
    this.#capturedSamples += kept;
  }
}
