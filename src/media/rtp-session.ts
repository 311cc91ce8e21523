// One peer's media, both ways: frames out at the pacer's beat, packets in as they come. No sockets, no clock.
import { normaliseAddress } from '../lib/networks.ts';
import type { Random } from '../lib/random.ts';
import type { Beat } from './beat.ts';
import { DigitSource } from './digit-source.ts';
import type { MediaStatistics, PayloadType, PeerMedia, SrtpParameters } from './engine.ts';
import { decode, encode, SILENCE, transcode } from './g711.ts';
import { IncomingStream } from './incoming-stream.ts';
import { KeepAlive } from './keep-alive.ts';
import { isReachable, type Source } from './latch.ts';
import { FRAME_SAMPLES, OutgoingStream } from './outgoing-stream.ts';
import { Presence } from './presence.ts';
import { type Playable, PromptSource } from './prompt-source.ts';
import type { Recorder } from './recorder.ts';
import { RelayClock } from './relay-clock.ts';
import { RtcpSession } from './rtcp-session.ts';
import { emptyPacket, HEADER_BYTES, MAX_PACKET_BYTES, type RtpPacket } from './rtp.ts';
import { SampleQueue } from './sample-queue.ts';
import type { PeerSockets } from './session-sockets.ts';
import { sameKeys } from './srtp-keys.ts';
import { DigitReceiver, EVENT_BYTES } from './telephone-event.ts';

// One thread runs one session at a time, so all of them share what lives for one packet only.
const frame = new Int16Array(FRAME_SAMPLES);
const heard = new Int16Array(MAX_PACKET_BYTES);
const sent = new Int16Array(MAX_PACKET_BYTES);
const arrived = emptyPacket();
const made = { ...emptyPacket(), start: HEADER_BYTES, end: HEADER_BYTES + FRAME_SAMPLES };

export interface RtpSessionOptions {
  readonly random: Random;
  readonly captureSamples: number;
  /** Kinds of address that can be sent to: 4, 6 or both. */
  readonly families: readonly number[];
  /** For how long nothing may come of the peer; 0: for ever. */
  readonly lostAfterMs: number;
  /** Wall clock, in milliseconds since the epoch. */
  now(): number;
  readonly sockets: PeerSockets;
  /** The frames of the thread: the session's `tick` is called by it until `close`. */
  readonly beat: Beat;
  /** The prompt with this number was sent to its end. */
  finished(play: number): void;
  /** The peer pressed this key. */
  digit(digit: string): void;
  /** Nothing has come of the peer for `lostAfterMs`. */
  lost(): void;
}

interface Playing {
  /** Undefined for keys that came over a bridge: nobody waits for their end. */
  readonly number: number | undefined;
  readonly source: PromptSource | DigitSource;
}

export class RtpSession {
  // What every relayed packet needs comes first, so that it lies together: fetching it costs more than the work itself.
  readonly #incoming = new IncomingStream();
  readonly #outgoing: OutgoingStream;
  readonly #relayClock = new RelayClock();
  readonly #keepAlive = new KeepAlive();
  readonly #sockets: PeerSockets;
  #bridged: RtpSession | undefined;
  #playing: Playing | undefined;
  #otherwise: 'silence' | 'echo' | 'nothing' = 'silence';
  #settled = false;
  /** Where the peer is, whether that can be sent to, and whether sound may be. */
  #destination: Source | undefined;
  #reachable = false;
  #maySend = false;
  #isRecorded = false;
  #payloadType: PayloadType = 0;
  #dtmfPayloadType: number | undefined;
  /** Samples that `#capture` has room for. */
  #captureRoom: number;
  readonly #beat: Beat;
  readonly #options: RtpSessionOptions;
  readonly #rtcp: RtcpSession;
  readonly #digits = new DigitReceiver();
  readonly #presence: Presence;
  readonly #recorders = new Set<Recorder>();
  readonly #capture: Int16Array;
  /** While it echoes. */
  #echoed: SampleQueue | undefined;
  #peer: PeerMedia | undefined;
  #keys: SrtpParameters | undefined;
  #eventTimestamp = 0;

  constructor(options: RtpSessionOptions) {
    const { random, now } = options;
    this.#options = options;
    this.#sockets = options.sockets;
    this.#beat = options.beat;
    this.#beat.add(this);
    this.#outgoing = new OutgoingStream(random);
    this.#presence = new Presence(options.lostAfterMs);
    this.#rtcp = new RtcpSession({ random, ssrc: this.#outgoing.ssrc, now });
    this.#capture = new Int16Array(options.captureSamples);
    this.#captureRoom = options.captureSamples;
  }

  connect(peer: PeerMedia, nowMs: number): void {
    this.#peer = { ...peer, address: normaliseAddress(peer.address) };
    this.#payloadType = peer.payloadType;
    this.#dtmfPayloadType = peer.dtmfPayloadType;
    this.#secure(peer.srtp);
    this.#incoming.connect(peer, nowMs);
    this.#outgoing.interrupted();
    this.#aim(peer.direction);
    this.#settled = false;
    this.#sockets.settle(undefined);
  }

  play(number: number, playable: Playable): void {
    this.#start({ number, source: new PromptSource(playable) });
  }

  press(number: number, digits: string): void {
    this.#start({ number, source: new DigitSource(digits) });
  }

  #start(playing: Playing): void {
    this.#playing = playing;
    this.#beat.wake(this);
  }

  stopPlaying(): void {
    this.#playing = undefined;
    this.#relayClock.reset();
  }

  echo(): void {
    this.#echoed = new SampleQueue(FRAME_SAMPLES);
    this.#otherwise = 'echo';
  }

  mute(): void {
    this.#playing = undefined;
    this.#otherwise = 'nothing';
  }

  bridge(other: RtpSession): void {
    this.unbridge();
    other.unbridge();
    this.#join(other);
    other.#join(this);
  }

  #join(other: RtpSession): void {
    this.#bridged = other;
    this.#otherwise = 'silence';
    this.#relayClock.reset();
    this.#keepAlive.open();
  }

  unbridge(): void {
    const other = this.#bridged;
    if (!other) return;
    for (const end of [this, other]) {
      end.#bridged = undefined;
      end.#beat.wake(end);
    }
  }

  record(recorder: Recorder): void {
    this.#recorders.add(recorder);
    this.#isRecorded = true;
    this.#beat.wake(this);
  }

  stopRecording(recorder: Recorder): void {
    this.#recorders.delete(recorder);
    this.#isRecorded = this.#recorders.size > 0;
  }

  /** @param frameNumber Frames that were skipped in between leave a gap in the timestamps. */
  tick(frameNumber: number): void {
    const peer = this.#peer;
    const destination = this.#destination;
    if (peer && destination) {
      if (!this.#sendFrame(peer, destination)) this.#outgoing.interrupted();
      if (this.#rtcp.due(frameNumber)) this.#everySeconds(peer, destination);
      this.#reportEnd();
      if (this.#bridged && !this.#playing && !this.#isRecorded) this.#rest();
    }
    if (this.#isRecorded) for (const recorder of this.#recorders) recorder.tick(frameNumber);
  }

  /** As often as RTCP wants it. */
  #everySeconds(peer: PeerMedia, destination: Source): void {
    if (this.#reachable) this.#report(peer, destination);
    const packets = this.#incoming.received + this.#rtcp.received;
    if (this.#presence.isLost(this.#beat.frame, packets, this.#incoming.listens)) this.#options.lost();
  }

  /** Nothing is to be done here: what is sent comes over the bridge. */
  #rest(): void {
    const silenceAt = this.#maySend ? this.#keepAlive.due : Number.POSITIVE_INFINITY;
    this.#beat.rest(this, Math.min(silenceAt, this.#rtcp.nextFrame));
  }

  receive(datagram: Buffer, from: Source, nowMs: number): void {
    if (!this.#incoming.receive(datagram, arrived, from, nowMs)) return;
    if (!this.#settled) this.#settle(nowMs);
    if (arrived.payloadType === 0 || arrived.payloadType === 8) {
      if (this.#listens) this.#hear(arrived.payloadType, datagram);
      this.#bridged?.relay(datagram, arrived);
    } else if (arrived.end - arrived.start >= EVENT_BYTES) {
      this.#takeEvent(datagram);
      this.#bridged?.relay(datagram, arrived);
    }
  }

  receiveRtcp(datagram: Buffer, from: Source): void {
    if (from.address === this.#destination?.address) this.#rtcp.receive(datagram);
  }

  /** Sends another session's packet, plain and as it was read, to this one's peer; both are used up by it. */
  relay(datagram: Buffer, packet: RtpPacket): void {
    const destination = this.#destination;
    if (!this.#maySend || this.#playing || this.#otherwise === 'nothing' || !destination) return;
    const audio = packet.payloadType === 0 || packet.payloadType === 8;
    const type = audio ? this.#payloadType : this.#dtmfPayloadType;
    if (type === undefined) return;
    if (audio && packet.payloadType !== type) transcode(packet.payloadType as PayloadType, datagram, packet);
    packet.payloadType = type;
    if (this.#keepAlive.isQuiet(this.#beat.frame)) this.#relayClock.reset();
    packet.timestamp = this.#relayClock.map(packet, this.#outgoing.timestampAt(this.#beat.frame), !audio);
    const marked = this.#relayClock.restarted || (!audio && ((datagram[1] as number) & 0x80) !== 0);
    this.#keepAlive.sent(this.#beat.frame);
    if (audio && this.#isRecorded) this.#recordSent(datagram, packet);
    this.#sockets.send(this.#outgoing.forward(datagram, packet, marked), destination);
  }

  captured(): Int16Array {
    return this.#capture.slice(0, this.#capture.length - this.#captureRoom);
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
    this.#beat.remove(this);
    this.unbridge();
    const destination = this.#destination;
    if (this.#peer && destination && this.#outgoing.packets > 0 && this.#reachable)
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
    if (this.#incoming.destination !== this.#destination) this.#aim(this.#peer?.direction);
    const source = this.#incoming.settled(nowMs);
    if (!source) return;
    this.#settled = true;
    this.#sockets.settle(source);
  }

  /** Sends this beat's packet; false where the wire is silent. */
  #sendFrame(peer: PeerMedia, destination: Source): boolean {
    const open = this.#maySend;
    const source = this.#playing?.source;
    if (source instanceof DigitSource && peer.dtmfPayloadType !== undefined) {
      if (source.startsPress) this.#eventTimestamp = this.#outgoing.timestampAt(this.#beat.frame);
      const marked = source.startsPress;
      if (source.readEvent(this.#outgoing.datagram, HEADER_BYTES)) {
        if (open) this.#sendPacket(destination, peer.dtmfPayloadType, EVENT_BYTES, marked);
        return open;
      }
      this.#outgoing.datagram.fill(SILENCE[peer.payloadType], HEADER_BYTES, HEADER_BYTES + FRAME_SAMPLES);
    } else if (!this.#fill(peer.payloadType)) return this.#bridged !== undefined;
    if (!open) return false;
    if (this.#isRecorded) {
      made.payloadType = peer.payloadType;
      made.timestamp = this.#outgoing.timestampAt(this.#beat.frame);
      this.#recordSent(this.#outgoing.datagram, made);
    }
    this.#sendPacket(destination, peer.payloadType, FRAME_SAMPLES, false);
    return true;
  }

  /** Sends what the outgoing datagram holds. */
  #sendPacket(to: Source, type: number, bytes: number, marked: boolean): void {
    const out = this.#outgoing;
    const event = bytes === EVENT_BYTES;
    const timestamp = event ? this.#eventTimestamp : out.timestampAt(this.#beat.frame);
    if (this.#keepAlive.isQuiet(this.#beat.frame)) out.interrupted();
    this.#keepAlive.sent(this.#beat.frame);
    this.#sockets.send(out.finish(type, timestamp, bytes, marked), to);
  }

  #aim(direction: PeerMedia['direction']): void {
    const destination = this.#incoming.destination;
    this.#destination = destination;
    this.#reachable = destination !== undefined && isReachable(destination, this.#options.families);
    this.#maySend = this.#reachable && direction !== 'recvonly' && direction !== 'inactive';
    this.#keepAlive.open();
    this.#beat.wake(this);
  }

  /** Puts the next frame's payload into the datagram; false when nothing is to be sent. */
  #fill(law: PayloadType): boolean {
    const source = this.#playing?.source;
    const out = this.#outgoing.datagram;
    if (source instanceof DigitSource) source.readTone(frame);
    else if (source) source.read(frame);
    else if (this.#otherwise === 'nothing' || this.#awaitsRelay) return false;
    else if (this.#otherwise === 'silence' || !this.#echoed?.take(frame)) {
      this.#relayClock.reset();
      out.fill(SILENCE[law], HEADER_BYTES, HEADER_BYTES + FRAME_SAMPLES);
      return true;
    }
    encode(law, frame, out, HEADER_BYTES);
    return true;
  }

  /** Whether this leg's sound is the other's packets, or none. */
  get #awaitsRelay(): boolean {
    return this.#bridged !== undefined && this.#beat.frame < this.#keepAlive.due;
  }

  #reportEnd(): void {
    if (!this.#playing?.source.finished) return;
    const { number } = this.#playing;
    this.stopPlaying();
    if (number !== undefined) this.#options.finished(number);
  }

  /** Whether anybody here wants the sound itself; a relay does not. */
  get #listens(): boolean {
    return this.#captureRoom > 0 || this.#otherwise === 'echo' || this.#isRecorded;
  }

  #hear(law: PayloadType, datagram: Buffer): void {
    const count = arrived.end - arrived.start;
    decode(law, datagram, arrived, heard);
    if (this.#otherwise === 'echo') this.#echoed?.push(heard, count);
    const { ssrc, timestamp } = arrived;
    for (const recorder of this.#recorders)
      recorder.hear(heard, { timestamp, ssrc, count }, this.#beat.frame);
    const kept = Math.min(this.#captureRoom, count);
    this.#capture.set(heard.subarray(0, kept), this.#capture.length - this.#captureRoom);
    this.#captureRoom -= kept;
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
    if (!source) this.#start({ number: undefined, source: new DigitSource(digit) });
    else if (source instanceof DigitSource && this.#playing?.number === undefined) source.add(digit);
  }

  /** What is about to be sent, still plain. */
  #recordSent(datagram: Buffer, packet: RtpPacket): void {
    decode(packet.payloadType as PayloadType, datagram, packet, sent);
    const { ssrc } = this.#outgoing;
    const { timestamp } = packet;
    const count = packet.end - packet.start;
    for (const recorder of this.#recorders) recorder.send(sent, { timestamp, ssrc, count }, this.#beat.frame);
  }

  #report(peer: PeerMedia, destination: Source, bye = false): void {
    const { packets, octets } = this.#outgoing;
    const counts = { rtpTimestamp: this.#outgoing.timestampAt(this.#beat.frame), packets, octets };
    const port = peer.rtcpPort ?? destination.port + 1;
    if (port > 65_535) return;
    const packet = this.#rtcp.write(counts, this.#incoming.reception, bye);
    this.#sockets.sendRtcp(packet, { port, address: destination.address });
  }
}
