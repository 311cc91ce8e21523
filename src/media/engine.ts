// The port behind which media runs: sockets, clocks and codecs are an engine's own affair.

export type PayloadType = 0 | 8; // PCMU, PCMA: RFC 3551 §6

/** The suites of RFC 4568 that we speak; both with AES-128 in counter mode. */
export type SrtpSuite = 'AES_CM_128_HMAC_SHA1_80' | 'AES_CM_128_HMAC_SHA1_32';

/** SRTP keys by SDES (RFC 4568): 16 bytes of master key and 14 of master salt, in one. */
export interface SrtpParameters {
  readonly suite: SrtpSuite;
  /** Ours, that we send with: 30 bytes. */
  readonly localKey: Uint8Array;
  /** The peer's, that we receive with: 30 bytes. */
  readonly remoteKey: Uint8Array;
}

export interface PeerMedia {
  /** IPv4 or IPv6 address; nothing is sent to `0.0.0.0` and `::` (hold, RFC 3264 §8.4), nor to another family. */
  readonly address: string;
  readonly port: number;
  /** What we send; both are understood when received. */
  readonly payloadType: PayloadType;
  /** Payload type of telephone-event (RFC 4733), where the peer offered it. */
  readonly dtmfPayloadType?: number;
  /** Address its signalling comes from: behind NAT, the media's true source too. */
  readonly signalledFrom?: string;
  /** Where its RTCP goes (RFC 3605); by default one port above its RTP. */
  readonly rtcpPort?: number;
  /** What we may do by offer and answer; by default `sendrecv`. What may not be sent is made, and not sent. */
  readonly direction?: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
  /** With it, only SRTP is sent and understood. Another key starts a new context, with its roll-over counter at 0. */
  readonly srtp?: SrtpParameters;
}

/** What can be sent to the peer. Samples are 8 kHz, mono, 16 bit. */
export type Prompt =
  | { readonly kind: 'speech'; readonly text: string; readonly voice?: string; readonly language?: string }
  | { readonly kind: 'tone'; readonly frequenciesHz: readonly number[]; readonly durationMs: number }
  | { readonly kind: 'silence'; readonly durationMs: number }
  /** A country's ringing tone, until stopped; by Twilio's `ringTone` values, `us` where it is none of them. */
  | { readonly kind: 'ringback'; readonly country?: string }
  /**
   * An MP3 file, or a WAV file of PCM (8 or 16 bit), µ-law or A-law; mono or stereo, 8 to 48 kHz.
   */
  | { readonly kind: 'audio'; readonly file: Uint8Array };

/** Counted since the session was opened. */
export interface MediaStatistics {
  readonly packetsSent: number;
  readonly packetsReceived: number;
  /**
   * Packets that came to our port and were not the peer's: strangers', malformed, late or duplicate. Once the peer's
   * source is settled the system drops strangers' before they can be counted.
   */
  readonly packetsRefused: number;
  /** Of the peer's packets, by their sequence numbers (RFC 3550 A.3). */
  readonly lost: number;
  /** Of the peer's packets' arrival (RFC 3550 A.8). */
  readonly jitterMs: number;
  /** From the peer's RTCP; undefined until it has reported on us. */
  readonly roundTripMs?: number;
}

export interface RecordingOptions {
  /** Absolute path of the WAV file to write; one that exists is written over. */
  readonly file: string;
  /** 2: what this session hears is the left channel, what it sends the right one. 1: both mixed, or `track` alone. */
  readonly channels: 1 | 2;
  /** From this session's point of view; default `both`. With two channels, the other one is silent. */
  readonly track?: 'both' | 'inbound' | 'outbound';
  readonly maxLengthMs?: number;
  /** Ends after so much silence on what the session hears. */
  readonly silenceTimeoutMs?: number;
  /** Any of these keys ends it. */
  readonly finishOnKeys?: string;
  /** Leaves silence out at the beginning and the end; of a recording of silence nothing is left. */
  readonly trim?: boolean;
  /** Plays a short 1 kHz tone to the peer first, which is not recorded. */
  readonly beep?: boolean;
}

export interface RecordingResult {
  /** Of what the file holds. */
  readonly durationMs: number;
  /** Of the file. */
  readonly bytes: number;
  /** `failed`: the disk was full or too slow, or the worker died; what was written until then is kept. */
  readonly endedBy: 'stopped' | 'silence' | 'max-length' | 'key' | 'closed' | 'failed';
  /** The key that ended it. */
  readonly digits?: string;
  /** Whether anything but silence was heard from the peer. */
  readonly heardSpeech: boolean;
  /** Why it failed. */
  readonly error?: string;
}

export interface MediaRecording {
  /** Ends it, if nothing has; resolves like `done`. */
  stop(): Promise<RecordingResult>;
  /** `skip`: the time until `resume` is left out. `silence`: it is there, silent. */
  pause(how: 'skip' | 'silence'): void;
  resume(): void;
  /** Resolves when the file is complete; never rejects. */
  readonly done: Promise<RecordingResult>;
}

export interface MediaSession {
  readonly local: {
    readonly address: string;
    /** Of the other kind, IPv4 or IPv6, at the same port; where the engine has both. */
    readonly otherAddress?: string;
    readonly port: number;
  };
  /** Sends to this peer from now on, silence where nothing plays; a second call re-points the session. */
  connect(peer: PeerMedia): void;
  /**
   * Stops whatever plays and plays this; before `connect` it waits. On a bridged session the peer hears this in place
   * of the other leg. Resolves when the last of it was sent. Rejects with MediaError when the prompt cannot be made.
   */
  play(prompt: Prompt): Promise<'finished' | 'stopped'>;
  stopPlaying(): void;
  /**
   * Presses keys: `0-9`, `*`, `#`, `A-D`; `w` waits 0.5 s and `W` 1 s. As telephone-events (RFC 4733) where the peer
   * takes them, else as tones. Stops whatever plays, and is stopped like it. Rejects with MediaError `bad-digits`.
   */
  sendDigits(digits: string): Promise<'finished' | 'stopped'>;
  /** Called once for each key that the peer presses (RFC 4733), as it begins. A second handler takes the first's place. */
  onDigit(handler: (digit: string) => void): void;
  /**
   * Called when nothing has come of the peer, RTP or RTCP, for as long as the engine was told, give or take the five
   * seconds between two reports; not while it is held. A second handler takes the first's place.
   */
  onLost(handler: () => void): void;
  /** Sends back what it hears instead of silence. */
  echo(): void;
  /** Stops sending, until `echo`, `bridge` or a prompt, without closing: for a carrier that drops its media. */
  mute(): void;
  /**
   * Sends what one hears to the other's peer and the reverse, digits included; ends earlier bridges of either end. Where
   * nothing is heard, the other's peer is sent a packet of silence every 15 s, and some in the first second.
   * @throws {MediaError} `not-bridgeable` where the other is of another family, another engine, or closed.
   */
  bridge(other: MediaSession): void;
  /** Ends the bridge on both sides; does nothing where there is none. Closing either side does the same. */
  unbridge(): void;
  /** Writes what is heard and sent to a file, from now on; several at once are several files. */
  record(options: RecordingOptions): MediaRecording;
  /** What was heard since `connect`, oldest first, lost packets left out; empty unless opened with `captureMs`. */
  captured(): Promise<Int16Array>;
  statistics(): Promise<MediaStatistics>;
  /** Frees the ports; a prompt that plays ends as stopped, a recording as closed. A second call does nothing. */
  close(): void;
}

export interface MediaOptions {
  /** Sessions that may be bridged share a family, and so a worker: sockets cannot cross threads. */
  readonly family: string;
  /** Keeps the first so many milliseconds of what is heard, for `captured`; at most ten minutes. Default 0. */
  readonly captureMs?: number;
}

export interface MediaEngine {
  /** Rejects with MediaError `ports-exhausted` when no RTP port is free, `engine-failed` after `close`. */
  open(options: MediaOptions): Promise<MediaSession>;
  /** Sessions that are open. */
  readonly sessions: number;
  /** Closes every session; resolves when the files of their recordings are complete, or after five seconds. */
  close(): Promise<void>;
}

export type MediaErrorCode =
  | 'ports-exhausted'
  | 'speech-failed'
  | 'bad-audio'
  | 'bad-digits'
  | 'not-bridgeable'
  | 'engine-failed';

export class MediaError extends Error {
  readonly code: MediaErrorCode;

  constructor(code: MediaErrorCode, message: string) {
    super(message);
    this.name = 'MediaError';
    this.code = code;
  }
}
