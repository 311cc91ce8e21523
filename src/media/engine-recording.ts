// A recording as its owner sees it.
import { isAbsolute } from 'node:path';
import type { MediaRecording, RecordingOptions, RecordingResult } from './engine.ts';

/** @throws {RangeError} saying which option cannot be. */
export function checkRecording({ file, channels, maxLengthMs, silenceTimeoutMs }: RecordingOptions): void {
  if (!isAbsolute(file)) throw new RangeError('the file of a recording needs an absolute path');
  if (channels !== 1 && channels !== 2) throw new RangeError(`a recording of ${String(channels)} channels`);
  for (const ms of [maxLengthMs, silenceTimeoutMs])
    if (ms !== undefined && !(ms >= 0)) throw new RangeError(`a recording's time of ${ms} ms`);
}

export interface EngineRecordingOptions {
  /** Undefined when the session is closed by then. */
  begin(): Promise<RecordingResult> | undefined;
  change(change: 'stop' | 'skip' | 'silence' | 'resume'): void;
  /** The recording begins after this, however it ends. */
  readonly after: Promise<unknown> | undefined;
}

const nothing = (endedBy: RecordingResult['endedBy'], error?: unknown): RecordingResult => ({
  durationMs: 0,
  bytes: 0,
  endedBy,
  heardSpeech: false,
  ...(error !== undefined && { error: String(error) }),
});

export class EngineRecording implements MediaRecording {
  readonly done: Promise<RecordingResult>;
  readonly #options: EngineRecordingOptions;
  #stage: 'waiting' | 'running' | 'stopped' = 'waiting';
  #paused: 'skip' | 'silence' | undefined;

  constructor(options: EngineRecordingOptions) {
    this.#options = options;
    const begin = (): Promise<RecordingResult> => this.#begin();
    const begun = options.after ? options.after.then(begin, begin) : begin();
    this.done = begun.catch((error: unknown) => nothing('failed', error));
  }

  stop(): Promise<RecordingResult> {
    if (this.#stage === 'running') this.#options.change('stop');
    this.#stage = 'stopped';
    return this.done;
  }

  pause(how: 'skip' | 'silence'): void {
    this.#paused = how;
    if (this.#stage === 'running') this.#options.change(how);
  }

  resume(): void {
    this.#paused = undefined;
    if (this.#stage === 'running') this.#options.change('resume');
  }

  async #begin(): Promise<RecordingResult> {
    if (this.#stage === 'stopped') return nothing('stopped');
    const result = this.#options.begin();
    if (!result) return nothing('closed');
    this.#stage = 'running';
    if (this.#paused) this.#options.change(this.#paused);
    return result;
  }
}
