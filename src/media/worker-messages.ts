// What the engine and a media worker say to each other. Sessions, prompts and recordings are numbered by the engine.
import type { MediaStatistics, PeerMedia, RecordingOptions, RecordingResult } from './engine.ts';
import type { PortRange } from './port-pool.ts';
import type { Playable } from './prompt-source.ts';

/** What a worker is started with. */
export interface MediaWorkerData {
  /** One, or one of IPv4 and one of IPv6. */
  readonly addresses: readonly string[];
  readonly ports: PortRange;
  /** For how long nothing may come of a peer until it is told that it is lost; 0: for ever. */
  readonly lostAfterMs: number;
}

/** What the worker holds; all zero when nothing is open. `sockets` is the event loop's own count: two a session and address. */
export interface WorkerCounts {
  readonly sessions: number;
  readonly sockets: number;
}

/** Told to one session; `ask` is answered by a message with the same number. */
export type SessionRequest =
  | { readonly type: 'open'; readonly ask: number; readonly captureSamples: number }
  | { readonly type: 'connect'; readonly peer: PeerMedia }
  | { readonly type: 'play'; readonly number: number; readonly playable: Playable }
  | { readonly type: 'press'; readonly number: number; readonly digits: string }
  | { readonly type: 'stop' }
  | { readonly type: 'echo' }
  | { readonly type: 'mute' }
  | { readonly type: 'bridge'; readonly other: number }
  | { readonly type: 'unbridge' }
  /** Answered when the recording's file is complete. */
  | {
      readonly type: 'record';
      readonly ask: number;
      readonly recording: number;
      readonly options: RecordingOptions;
    }
  | {
      readonly type: 'recording';
      readonly recording: number;
      readonly change: 'stop' | 'skip' | 'silence' | 'resume';
    }
  | { readonly type: 'captured'; readonly ask: number }
  | { readonly type: 'statistics'; readonly ask: number }
  | { readonly type: 'close' };

export type ToMediaWorker =
  | (SessionRequest & { readonly session: number })
  | { readonly type: 'counts'; readonly ask: number };

/** A worker's answers by kind of question; `undefined` for the port: none is free. */
export interface Answers {
  readonly open: number | undefined;
  readonly record: RecordingResult;
  readonly captured: Int16Array;
  readonly statistics: MediaStatistics;
  readonly counts: WorkerCounts;
}

export type FromMediaWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'answer'; readonly ask: number; readonly value: Answers[keyof Answers] }
  | { readonly type: 'finished'; readonly session: number; readonly number: number }
  | { readonly type: 'digit'; readonly session: number; readonly digit: string }
  | { readonly type: 'lost'; readonly session: number };
