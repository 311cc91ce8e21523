// The port behind which media runs: sockets, clocks and codecs are an engine's own affair.

export type PayloadType = 0 | 8; // PCMU, PCMA: RFC 3551 §6

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
}

/** What can be sent to the peer. Samples are 8 kHz, mono, 16 bit. */
export type Prompt =
  | { readonly kind: 'speech'; readonly text: string; readonly voice?: string; readonly language?: string }
  | { readonly kind: 'tone'; readonly frequenciesHz: readonly number[]; readonly durationMs: number }
  | { readonly kind: 'silence'; readonly durationMs: number }
  /** A WAV file of 16-bit PCM, mono, 8 or 16 kHz. */
  | { readonly kind: 'audio'; readonly file: Uint8Array };

/** Counted since the session was opened. */
export interface MediaStatistics {
  readonly packetsSent: number;
  readonly packetsReceived: number;
  /** Packets that came to our port and were not the peer's: strangers', malformed, late or duplicate. */
  readonly packetsRefused: number;
}

export interface MediaSession {
  readonly local: { readonly address: string; readonly port: number };
  /** Sends to this peer from now on, silence where nothing plays; a second call re-points the session. */
  connect(peer: PeerMedia): void;
  /**
   * Stops whatever plays and plays this; before `connect` it waits. Resolves when the last of it was sent.
   * Rejects with MediaError when the prompt cannot be made.
   */
  play(prompt: Prompt): Promise<'finished' | 'stopped'>;
  stopPlaying(): void;
  /** Sends back what it hears instead of silence. */
  echo(): void;
  /** Stops sending, until `echo` or a prompt, without closing: for a carrier that drops its media. */
  mute(): void;
  /** What was heard since `connect`, oldest first, lost packets left out; empty unless opened with `captureMs`. */
  captured(): Promise<Int16Array>;
  statistics(): Promise<MediaStatistics>;
  /** Frees the ports; a prompt that plays ends as stopped. A second call does nothing. */
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
  close(): Promise<void>;
}

export class MediaError extends Error {
  readonly code: 'ports-exhausted' | 'speech-failed' | 'bad-audio' | 'engine-failed';

  constructor(code: MediaError['code'], message: string) {
    super(message);
    this.name = 'MediaError';
    this.code = code;
  }
}
