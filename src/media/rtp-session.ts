// One peer's media, both ways: frames out at the pacer's beat, packets in as they come. No sockets, no clock.
import { isIP } from 'node:net';
import { normaliseAddress } from '../lib/networks.ts';
import type { Random } from '../lib/random.ts';
import { DigitSource } from './digit-source.ts';
import type { MediaStatistics, PayloadType, PeerMedia, SrtpParameters } from './engine.ts';
import { decode, encode, SILENCE, transcode } from './g711.ts';
import { IncomingStream } from './incoming-stream.ts';
import { FRAME_SAMPLES, OutgoingStream } from './outgoing-stream.ts';
import { type Playable, PromptSource } from './prompt-source.ts';
import type { Recorder } from './recorder.ts';
import { RelayClock } from './relay-clock.ts';
import { RtcpSession } from './rtcp-session.ts';
import { emptyPacket, HEADER_BYTES, MAX_PACKET_BYTES, type RtpPacket } from './rtp.ts';
import { SampleQueue } from './sample-queue.ts';
import { DigitReceiver, EVENT_BYTES } from './telephone-event.ts';

/** A bridge that has been quiet for so long is filled with silence: it keeps a NAT open. */
const QUIET_FRAMES = 10;

// One thread runs one session at a time, so all of them share what lives for one packet only.
const frame = new Int16Array(FRAME_SAMPLES);
const heard = new Int16Array(MAX_PACKET_BYTES);
const sent = new Int16Array(MAX_PACKET_BYTES);
const arrived = emptyPacket();
const sentRange = { start: HEADER_BYTES, end: HEADER_BYTES };
const relayTarget = { out: new Uint8Array(0) as Uint8Array, at: HEADER_BYTES };

interface Source {
  readonly address: string;
  readonly port: number;
}

export interface RtpSessionOptions {
  readonly random: Random;
  readonly captureSamples: number;
  readonly ipv6: boolean;
  /** Wall clock, in milliseconds since the epoch. */
  now(): number;
  /** The datagram is reused for the next frame. */
  send(datagram: Buffer, port: number, address: string): void;
  sendRtcp(datagram: Buffer, port: number, address: string): void;
  /** Nothing but this source can be the peer from now on; undefined: it is open again. */
  settled(source: Source | undefined): void;
  /** The prompt with this number was sent to its end. */
  finished(play: number): void;
  /** The peer pressed this key. */
  digit(digit: string): void;
}

interface Playing {
  /** Undefined for keys that came over a bridge: nobody waits for their end. */
  readonly number: number | undefined;
  readonly source: PromptSource | DigitSource;
}

export class RtpSession {
  readonly #options: RtpSessionOptions;
  readonly #outgoing: OutgoingStream;
  readonly #incoming = new IncomingStream();
  readonly #rtcp: RtcpSession;
  readonly #digits = new DigitReceiver();
  readonly #relayClock = new RelayClock();
  readonly #recorders = new Set<Recorder>();
  readonly #capture: Int16Array;
  readonly #echoed = new SampleQueue(FRAME_SAMPLES);
  #capturedSamples = 0;
  #peer: PeerMedia | undefined;
  #keys: SrtpParameters | undefined;
  #otherwise: 'silence' | 'echo' | 'nothing' = 'silence';
  #playing: Playing | undefined;
  #bridged: RtpSession | undefined;
  /** The beat's number now, and when the bridge last sent something. */
  #frame = 0;
  #relayedAt = Number.NEGATIVE_INFINITY;
  #eventTimestamp = 0;
  #settled = false;
  #reachable: { readonly source: Source; readonly valid: boolean } | undefined;

  constructor(options: RtpSessionOptions) {
    this.#options = options;
    this.#outgoing = new OutgoingStream(options.random);
    this.#rtcp = new RtcpSession({
      random: options.random,
      ssrc: this.#outgoing.ssrc,
      now: options.now,
    });
    this.#capture = new Int16Array(options.captureSamples);
  }

  connect(peer: PeerMedia, nowMs: number): void {
    this.#peer = { ...peer, address: normaliseAddress(peer.address) };
    this.#secure(peer.srtp);
    this.#incoming.connect(peer, nowMs);
    this.#outgoing.interrupted();
    this.#settled = false;
    this.#options.settled(undefined);
  }

  play(number: number, playable: Playable): void {
    this.#playing = { number, source: new PromptSource(playable) };
  }

  press(number: number, digits: string): void {
    this.#playing = { number, source: new DigitSource(digits) };
  }

  stopPlaying(): void {
    this.#playing = undefined;
    this.#relayClock.reset();
  }

  echo(): void {
    this.#echoed.clear();
    this.#otherwise = 'echo';
  }

  mute(): void {
    this.#playing = undefined;
    this.#otherwise = 'nothing';
  }

  bridge(other: RtpSession): void {
    this.unbridge();
    other.unbridge();
    for (const [one, another] of [
      [this, other],
      [other, this],
    ] as const) {
      one.#bridged = another;
      one.#otherwise = 'silence';
      one.#relayClock.reset();
    }
  }

  unbridge(): void {
    const other = this.#bridged;
    this.#bridged = undefined;
    if (other) other.#bridged = undefined;
  }

  record(recorder: Recorder): void {
    this.#recorders.add(recorder);
  }

  stopRecording(recorder: Recorder): void {
    this.#recorders.delete(recorder);
  }

  /** @param frameNumber Frames that were skipped in between leave a gap in the timestamps. */
  tick(frameNumber: number): void {
    this.#frame = frameNumber;
    const peer = this.#peer;
    const destination = this.#incoming.destination;
    if (peer && destination) {
      const open = this.#maySendTo(destination);
      if (!this.#sendFrame(peer, destination, open)) this.#outgoing.interrupted();
      if (this.#rtcp.due(frameNumber) && this.#isReachable(destination)) this.#report(peer, destination);
      this.#reportEnd();
    }
    if (this.#recorders.size > 0) for (const recorder of this.#recorders) recorder.tick(frameNumber);
  }

  receive(datagram: Buffer, from: Source, nowMs: number): void {
    if (!this.#incoming.receive(datagram, arrived, from, nowMs)) return;
    if (!this.#settled) this.#settle(nowMs);
    if (arrived.payloadType === 0 || arrived.payloadType === 8) {
      this.#hear(arrived.payloadType, datagram);
      this.#bridged?.relay(datagram, arrived);
    } else if (arrived.end - arrived.start >= EVENT_BYTES) {
      this.#takeEvent(datagram);
      this.#bridged?.relay(datagram, arrived);
    }
  }

  receiveRtcp(datagram: Buffer, from: Source): void {
    if (from.address === this.#incoming.destination?.address) this.#rtcp.receive(datagram);
  }

  /** Sends another session's packet, plain and as it was read, to this one's peer. */
  relay(datagram: Buffer, packet: RtpPacket): void {
    const peer = this.#peer;
    const destination = this.#incoming.destination;
    if (this.#playing || this.#otherwise === 'nothing' || !peer || !destination) return;
    if (!this.#maySendTo(destination)) return;
    const audio = packet.payloadType === 0 || packet.payloadType === 8;
    const type = audio ? peer.payloadType : peer.dtmfPayloadType;
    if (type === undefined) return;
    const out = this.#outgoing;
    if (audio && packet.payloadType !== type) {
      relayTarget.out = out.datagram;
      transcode(packet.payloadType as PayloadType, datagram, packet, relayTarget);
    } else datagram.copy(out.datagram, HEADER_BYTES, packet.start, packet.end);
    const timestamp = this.#relayClock.map(packet, out.timestampAt(this.#frame), !audio);
    const marked = this.#relayClock.restarted || (!audio && ((datagram[1] as number) & 0x80) !== 0);
    this.#relayedAt = this.#frame;
    const bytes = packet.end - packet.start;
    if (audio) this.#recordSent(peer.payloadType, timestamp, bytes);
    this.#options.send(out.finish(type, timestamp, bytes, marked), destination.port, destination.address);
  }

  captured(): Int16Array {
    return this.#capture.slice(0, this.#capturedSamples);
  }

  statistics(): MediaStatistics {
    const { received, refused, reception } = this.#incoming;
    const { roundTripMs } = this.#rtcp;
    return {
      packetsSent: this.#outgoing.packets,
      packetsReceived: received,
      packetsRefused: refused,
      lost: reception.lost,
      jitterMs: reception.jitterMs,
      ...(roundTripMs !== undefined && { roundTripMs }),
    };
  }

  /** Says BYE; nothing is sent after it. */
  close(): void {
    this.unbridge();
    const destination = this.#incoming.destination;
    if (this.#peer && destination && this.#outgoing.packets > 0 && this.#isReachable(destination))
      this.#report(this.#peer, destination, true);
    this.#peer = undefined;
  }

  /** The same keys go on where they were; others start a new context. */
  #secure(keys: SrtpParameters | undefined): void {
    if (sameKeys(keys, this.#keys)) return;
    this.#keys = keys;
    this.#outgoing.secure(keys);
    this.#incoming.secure(keys);
    this.#rtcp.secure(keys);
  }

  #settle(nowMs: number): void {
    const source = this.#incoming.settled(nowMs);
    if (!source) return;
    this.#settled = true;
    this.#options.settled(source);
  }

  /** Sends this beat's packet; false where the wire is silent. */
  #sendFrame(peer: PeerMedia, destination: Source, open: boolean): boolean {
    const source = this.#playing?.source;
    if (source instanceof DigitSource && peer.dtmfPayloadType !== undefined) {
      if (source.startsPress) this.#eventTimestamp = this.#outgoing.timestampAt(this.#frame);
      const marked = source.startsPress;
      if (source.readEvent(this.#outgoing.datagram, HEADER_BYTES)) {
        if (open) this.#sendPacket(destination, peer.dtmfPayloadType, EVENT_BYTES, marked);
        return open;
      }
      this.#outgoing.datagram.fill(SILENCE[peer.payloadType], HEADER_BYTES, HEADER_BYTES + FRAME_SAMPLES);
    } else if (!this.#fill(peer.payloadType)) return this.#relays;
    if (!open) return false;
    this.#recordSent(peer.payloadType, this.#outgoing.timestampAt(this.#frame), FRAME_SAMPLES);
    this.#sendPacket(destination, peer.payloadType, FRAME_SAMPLES, false);
    return true;
  }

  /** Sends what the outgoing datagram holds. */
  #sendPacket({ port, address }: Source, type: number, bytes: number, marked: boolean): void {
    const out = this.#outgoing;
    const event = bytes === EVENT_BYTES;
    const timestamp = event ? this.#eventTimestamp : out.timestampAt(this.#frame);
    this.#options.send(out.finish(type, timestamp, bytes, marked), port, address);
  }

  /** Whether the other leg's packets are this one's sound just now. */
  get #relays(): boolean {
    return this.#bridged !== undefined && this.#frame - this.#relayedAt < QUIET_FRAMES;
  }

  #maySendTo(destination: Source): boolean {
    const direction = this.#peer?.direction;
    return direction !== 'recvonly' && direction !== 'inactive' && this.#isReachable(destination);
  }

  /** Node throws where a port is none, which would take every session of this thread along. */
  #isReachable(source: Source): boolean {
    if (this.#reachable?.source !== source) {
      const { address, port } = source;
      const family = this.#options.ipv6 ? 6 : 4;
      const valid =
        port > 0 && port <= 65_535 && address !== '0.0.0.0' && address !== '::' && isIP(address) === family;
      this.#reachable = { source, valid };
    }
    return this.#reachable.valid;
  }

  /** Puts the next frame's payload into the datagram; false when nothing is to be sent. */
  #fill(law: PayloadType): boolean {
    const source = this.#playing?.source;
    const out = this.#outgoing.datagram;
    if (source instanceof DigitSource) source.readTone(frame);
    else if (source) source.read(frame);
    else if (this.#otherwise === 'nothing' || this.#relays) return false;
    else if (this.#otherwise === 'silence' || !this.#echoed.take(frame)) {
      this.#relayClock.reset();
      out.fill(SILENCE[law], HEADER_BYTES, HEADER_BYTES + FRAME_SAMPLES);
      return true;
    }
    encode(law, frame, out, HEADER_BYTES);
    return true;
  }

  #reportEnd(): void {
    if (!this.#playing?.source.finished) return;
    const { number } = this.#playing;
    this.stopPlaying();
    if (number !== undefined) this.#options.finished(number);
  }

  #hear(law: PayloadType, datagram: Buffer): void {
    const room = this.#capture.length - this.#capturedSamples;
    if (room === 0 && this.#otherwise !== 'echo' && this.#recorders.size === 0) return;
    const count = arrived.end - arrived.start;
    decode(law, datagram, arrived, heard);
    if (this.#otherwise === 'echo') this.#echoed.push(heard, count);
    const { ssrc, timestamp } = arrived;
    for (const recorder of this.#recorders) recorder.hear(heard, { timestamp, ssrc, count }, this.#frame);
    const kept = Math.min(room, count);
    this.#capture.set(heard.subarray(0, kept), this.#capturedSamples);
    this.#capturedSamples += kept;
  }

  #takeEvent(datagram: Buffer): void {
    const digit = this.#digits.receive(arrived.timestamp, datagram, arrived.start);
    if (digit === undefined) return;
    this.#options.digit(digit);
    for (const recorder of this.#recorders) recorder.key(digit);
    this.#bridged?.soundKey(digit);
  }

  /** A key that was pressed on the other side of the bridge, for a peer that takes no events. */
  soundKey(digit: string): void {
    if (!this.#peer || this.#peer.dtmfPayloadType !== undefined) return;
    const source = this.#playing?.source;
    if (!source) this.#playing = { number: undefined, source: new DigitSource(digit) };
    else if (source instanceof DigitSource && this.#playing?.number === undefined) source.add(digit);
  }

  /** To be called while the payload in the outgoing datagram is plain. */
  #recordSent(law: PayloadType, timestamp: number, count: number): void {
    if (this.#recorders.size === 0) return;
    sentRange.end = HEADER_BYTES + count;
    decode(law, this.#outgoing.datagram, sentRange, sent);
    const { ssrc } = this.#outgoing;
    for (const recorder of this.#recorders) recorder.send(sent, { timestamp, ssrc, count }, this.#frame);
  }

  #report(peer: PeerMedia, destination: Source, bye = false): void {
    const { packets, octets } = this.#outgoing;
    const counts = { rtpTimestamp: this.#outgoing.timestampAt(this.#frame), packets, octets };
    const port = peer.rtcpPort ?? destination.port + 1;
    if (port > 65_535) return;
    const packet = this.#rtcp.write(counts, this.#incoming.reception, bye);
    this.#options.sendRtcp(packet, port, destination.address);
  }
}

function sameKeys(one: SrtpParameters | undefined, other: SrtpParameters | undefined): boolean {
  if (!one || !other) return one === other;
  return (
    one.suite === other.suite &&
    Buffer.compare(one.localKey, other.localKey) === 0 &&
    Buffer.compare(one.remoteKey, other.remoteKey) === 0
  );
}
