// What the benchmark's parts say to each other: the engine's process, the peers' process, and who measures.
import type { SrtpParameters } from '../../src/media/index.ts';

/** How the engine's sessions stand: each with a peer of its own, or two by two, the near leg perhaps with SRTP. */
export type Setting = 'live' | 'bridged' | 'bridged-srtp';

export interface OpenRequest {
  readonly setting: Setting;
  /** Calls: one session each when live, two when bridged. */
  readonly calls: number;
  readonly nearPort: number;
  readonly farPort: number;
}

/** One stream that the peers send, and where. */
export interface Target {
  readonly side: 'near' | 'far';
  readonly port: number;
  /** As the peer sees them. */
  readonly srtp?: SrtpParameters;
}

export interface PeerRequest {
  readonly targets: readonly Target[];
  readonly seconds: number;
}

export interface PeerResult {
  readonly sent: number;
  readonly received: number;
  /** Deviation of the received packets from their own beat, in milliseconds. */
  readonly deviationMs: {
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
}
