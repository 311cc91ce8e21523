// What the benchmark's parts say to each other: the engine's process, the peers' process, and who measures.
import type { SrtpParameters } from '../../src/media/index.ts';

/** How the engine's sessions stand: each with a peer of its own, or two by two, with SRTP on the near leg, or on both. */
export type Setting = 'live' | 'bridged' | 'bridged-srtp' | 'bridged-srtp-both';

export const isSecure = (setting: Setting, side: Target['side']): boolean =>
  setting === 'bridged-srtp-both' || (setting === 'bridged-srtp' && side === 'near');

/** Not the same on both sides: rtpengine would pass on packets as they are, with one side's key given to the other. */
export const SUITES = { near: 'AES_CM_128_HMAC_SHA1_80', far: 'AES_CM_128_HMAC_SHA1_32' } as const;

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
