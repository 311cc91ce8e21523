// A recording as it is made: both directions on one timeline, mixed or side by side, and when it ends. No files.
import type { RecordingOptions, RecordingResult } from './engine.ts';
import { SAMPLES_PER_SECOND } from './tone.ts';
import { HOLD_SAMPLES, TrackBuffer } from './track-buffer.ts';

const FRAME = 160;
const CHUNK_BYTES = 16_384;
/** Root mean square of a frame that is more than a line's noise: about -41 dBFS. */
const SPEECH_RMS = 300;

export type RecordingEnd = Exclude<RecordingResult['endedBy'], 'failed'>;

/** What of RecordingOptions is not about files and beeps. */
export type RecorderOptions = Omit<RecordingOptions, 'file' | 'beep'>;

type Paused = 'skip' | 'silence' | undefined;

export interface RecorderEnd {
  readonly by: RecordingEnd;
  readonly key?: string;
  readonly heardSpeech: boolean;
  /** Bytes of samples that the file is cut to: silence at the end, where it is trimmed. */
  readonly keepBytes: number;
}

const inbound = new Int16Array(FRAME);
const outbound = new Int16Array(FRAME);

export class Recorder {
  readonly #options: RecorderOptions;
  readonly #write: (chunk: Buffer) => void;
  readonly #ended: (end: RecorderEnd) => void;
  readonly #heard = new TrackBuffer();
  readonly #sent = new TrackBuffer();
  readonly #firstFrame: number;
  #chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  #chunkBytes = 0;
  #writtenBytes = 0;
  #speechBytes = 0;
  /** Samples read off, paused ones included. */
  #position = 0;
  #silentFrames = 0;
  #heardSpeech = false;
  #paused: Paused;
  /** Pauses and their ends that reading has not come to, in order. */
  #changes: { readonly position: number; readonly paused: Paused }[] = [];
  #over = false;

  /**
   * @param frame The beat's number now.
   * @param write Takes chunks of 16-bit little-endian samples, and keeps their memory.
   * @param ended Called once.
   */
  constructor(
    options: RecorderOptions,
    frame: number,
    shell: { write(chunk: Buffer): void; ended(end: RecorderEnd): void },
  ) {
    this.#options = options;
    this.#firstFrame = frame;
    this.#write = shell.write;
    this.#ended = shell.ended;
  }

  /** Samples of a packet that was heard, and of one that was sent. */
  hear(samples: Int16Array, packet: { timestamp: number; ssrc: number; count: number }, frame: number): void {
    this.#heard.write(samples, packet, this.#positionAt(frame));
  }

  send(samples: Int16Array, packet: { timestamp: number; ssrc: number; count: number }, frame: number): void {
    this.#sent.write(samples, packet, this.#positionAt(frame));
  }

  key(digit: string): void {
    if (this.#options.finishOnKeys?.includes(digit)) this.end('key', digit);
  }

  /** What is held back for late packets was said before: pauses begin and end with the beat at which they were asked for. */
  pause(how: 'skip' | 'silence', frame: number): void {
    this.#changes.push({ position: this.#positionAt(frame), paused: how });
  }

  resume(frame: number): void {
    this.#changes.push({ position: this.#positionAt(frame), paused: undefined });
  }

  /** Every frame; those that were skipped in between are made up for. */
  tick(frame: number): void {
    this.#readUpTo(this.#positionAt(frame) - HOLD_SAMPLES);
  }

  /** @param frame The beat's number now, so that what is held back for late packets is not lost. */
  finish(by: 'stopped' | 'closed', frame: number): void {
    this.#readUpTo(this.#positionAt(frame));
    this.end(by);
  }

  end(by: RecordingEnd, key?: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#flush();
    this.#ended({
      by,
      ...(key !== undefined && { key }),
      heardSpeech: this.#heardSpeech,
      keepBytes: this.#options.trim ? this.#speechBytes : this.#writtenBytes,
    });
  }

  #positionAt(frame: number): number {
    return (frame - this.#firstFrame) * FRAME;
  }

  #readUpTo(position: number): void {
    while (!this.#over && this.#position + FRAME <= position) this.#readFrame();
  }

  #readFrame(): void {
    this.#applyChanges();
    this.#heard.read(inbound);
    this.#sent.read(outbound);
    this.#position += FRAME;
    if (this.#paused === 'skip') return;
    if (this.#paused === 'silence') {
      inbound.fill(0);
      outbound.fill(0);
    }
    const speech = isSpeech(inbound);
    this.#heardSpeech ||= speech;
    this.#append(speech);
    this.#checkLimits(speech);
  }

  #applyChanges(): void {
    for (let [next] = this.#changes; next && next.position <= this.#position; [next] = this.#changes) {
      this.#changes.shift();
      this.#paused = next.paused;
      if (!next.paused) this.#silentFrames = 0;
    }
  }

  #append(speech: boolean): void {
    const { track = 'both', trim } = this.#options;
    const sounds = (track !== 'outbound' && speech) || (track !== 'inbound' && isSpeech(outbound));
    if (trim && !sounds && this.#speechBytes === 0) return;
    if (track === 'inbound') outbound.fill(0);
    if (track === 'outbound') inbound.fill(0);
    for (let at = 0; at < FRAME; at++) this.#put(inbound[at] as number, outbound[at] as number);
    if (sounds) this.#speechBytes = this.#writtenBytes;
  }

  #put(heard: number, sent: number): void {
    if (this.#options.channels === 2) {
      this.#sample(heard);
      this.#sample(sent);
    } else this.#sample(Math.max(-32_768, Math.min(32_767, heard + sent)));
  }

  #sample(value: number): void {
    this.#chunk.writeInt16LE(value, this.#chunkBytes);
    this.#chunkBytes += 2;
    this.#writtenBytes += 2;
    if (this.#chunkBytes === CHUNK_BYTES) this.#flush();
  }

  #flush(): void {
    if (this.#chunkBytes === 0) return;
    this.#write(this.#chunk.subarray(0, this.#chunkBytes));
    this.#chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    this.#chunkBytes = 0;
  }

  #checkLimits(speech: boolean): void {
    const { channels, maxLengthMs = Number.POSITIVE_INFINITY, silenceTimeoutMs = 0 } = this.#options;
    this.#silentFrames = speech || this.#paused ? 0 : this.#silentFrames + 1;
    const writtenMs = (this.#writtenBytes / 2 / channels / SAMPLES_PER_SECOND) * 1000;
    if (writtenMs >= maxLengthMs) this.end('max-length');
    else if (silenceTimeoutMs > 0 && this.#silentFrames * 20 >= silenceTimeoutMs) this.end('silence');
  }
}

function isSpeech(samples: Int16Array): boolean {
  let squares = 0;
  for (const sample of samples) squares += sample * sample;
  return squares > SPEECH_RMS * SPEECH_RMS * samples.length;
}
