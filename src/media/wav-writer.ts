// Writes a recording to its file while it grows: a bounded queue in front of the disk, sizes filled in at the end.
import { type FileHandle, open } from 'node:fs/promises';
import { SAMPLES_PER_SECOND } from './tone.ts';

export const WAV_HEADER_BYTES = 44;
/** About a minute of dual-channel sound that the disk may be behind. */
const MAX_WAITING_BYTES = 2 * 1024 * 1024;

/** A canonical header of 16-bit PCM at 8 kHz, for so many bytes of samples. */
export function wavHeader(channels: number, dataBytes: number): Buffer {
  const header = Buffer.alloc(WAV_HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + dataBytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(SAMPLES_PER_SECOND, 24);
  header.writeUInt32LE(SAMPLES_PER_SECOND * channels * 2, 28);
  header.writeUInt16LE(channels * 2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(dataBytes, 40);
  return header;
}

/** Channels of a recording's file, by its header; undefined where it is none of ours. The sizes are not looked at. */
export function readRecordingHeader(header: Buffer): 1 | 2 | undefined {
  const channels = header.length === WAV_HEADER_BYTES ? header.readUInt16LE(22) : 0;
  if (channels !== 1 && channels !== 2) return undefined;
  return header.subarray(8, 40).equals(wavHeader(channels, 0).subarray(8, 40)) ? channels : undefined;
}

/** As much of a file as is needed; tests put a full disk in its place. */
export type WavFile = Pick<FileHandle, 'write' | 'truncate' | 'datasync' | 'close'>;

export interface WavWriterOptions {
  readonly file: string;
  readonly channels: number;
  /** Called once, when nothing more can be written. */
  failed(error: Error): void;
  readonly open?: (file: string) => Promise<WavFile>;
}

export interface WrittenWav {
  readonly bytes: number;
  readonly dataBytes: number;
  readonly error?: string;
}

const openFile = (file: string): Promise<WavFile> => open(file, 'w', 0o600);

export class WavWriter {
  readonly #options: WavWriterOptions;
  #file: WavFile | undefined;
  #dataBytes = 0;
  #waitingBytes = 0;
  #error: Error | undefined;
  #last: Promise<void>;

  constructor(options: WavWriterOptions) {
    this.#options = options;
    this.#last = this.#attempt(async () => {
      this.#file = await (options.open ?? openFile)(options.file);
      await this.#put(wavHeader(options.channels, 0), 0);
    });
  }

  /** Takes the chunk's memory. */
  write(chunk: Buffer): void {
    if (this.#error) return;
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES) return this.#fail(new Error('the disk is too slow'));
    this.#then(async () => {
      await this.#put(chunk, WAV_HEADER_BYTES + this.#dataBytes);
      this.#dataBytes += chunk.length;
      this.#waitingBytes -= chunk.length;
    });
  }

  /**
   * Cuts the samples to `keepBytes`, fills in the header and closes the file; never rejects.
   * @returns The file's bytes, those of them that are samples, and what went wrong.
   */
  async end(keepBytes: number): Promise<WrittenWav> {
    await this.#last;
    // What is there is made readable even when the disk was full: the header needs no new block.
    const frame = this.#options.channels * 2;
    const whole = Math.min(keepBytes, this.#dataBytes);
    const dataBytes = whole - (whole % frame);
    await this.#attempt(async () => {
      if (!this.#file) return;
      await this.#file.truncate(WAV_HEADER_BYTES + dataBytes);
      await this.#put(wavHeader(this.#options.channels, dataBytes), 0);
      await this.#file.datasync();
    });
    await this.#attempt(async () => this.#file?.close());
    const error = this.#error;
    const bytes = this.#file ? WAV_HEADER_BYTES + dataBytes : 0;
    return { bytes, dataBytes, ...(error && { error: error.message }) };
  }

  #then(task: () => Promise<void>): void {
    this.#last = this.#last.then(() => (this.#error ? undefined : this.#attempt(task)));
  }

  async #attempt(task: () => Promise<void> | undefined): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #fail(error: Error): void {
    if (this.#error) return;
    this.#error = error;
    this.#options.failed(error);
  }

  /** A disk that is getting full may take a part. */
  async #put(bytes: Buffer, position: number): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = (await this.#file?.write(bytes, at, bytes.length - at, position + at)) ?? {
        bytesWritten: 0,
      };
      if (bytesWritten === 0) throw new Error('nothing could be written');
      at += bytesWritten;
    }
  }
}
