// A recording in the worker: a recorder on the session's beat, a file behind it, and the result.
import type { RecordingOptions, RecordingResult } from './engine.ts';
import { Recorder, type RecorderEnd } from './recorder.ts';
import { SAMPLES_PER_SECOND } from './tone.ts';
import { WavWriter } from './wav-writer.ts';

export class FileRecording {
  readonly recorder: Recorder;
  readonly #options: RecordingOptions;
  readonly #writer: WavWriter;
  readonly #over: (recording: FileRecording) => void;
  readonly #result = Promise.withResolvers<RecordingResult>();

  /**
   * @param frame The beat's number now.
   * @param over Called once, when nothing more is to be recorded; the file may not be complete yet.
   */
  constructor(options: RecordingOptions, frame: number, over: (recording: FileRecording) => void) {
    this.#options = options;
    this.#over = over;
    const { file, channels } = options;
    this.#writer = new WavWriter({ file, channels, failed: () => this.recorder.end('stopped') });
    this.recorder = new Recorder(options, frame, {
      write: (chunk) => this.#writer.write(chunk),
      ended: (end) => this.#end(end),
    });
  }

  /** Resolves when the file is complete; never rejects. */
  get result(): Promise<RecordingResult> {
    return this.#result.promise;
  }

  #end(end: RecorderEnd): void {
    this.#over(this);
    void this.#writer.end(end.keepBytes).then(({ bytes, dataBytes, error }) => {
      const seconds = dataBytes / 2 / this.#options.channels / SAMPLES_PER_SECOND;
      this.#result.resolve({
        durationMs: Math.round(seconds * 1000),
        bytes,
        endedBy: error === undefined ? end.by : 'failed',
        heardSpeech: end.heardSpeech,
        ...(end.key !== undefined && { digits: end.key }),
        ...(error !== undefined && { error }),
      });
    });
  }
}
