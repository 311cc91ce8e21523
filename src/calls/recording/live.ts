// One recording under way: its media, its row, and the callbacks that follow from it.
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Random } from '../../lib/random.ts';
import type { MediaRecording, RecordingResult } from '../../media/index.ts';
import { recording } from '../../resources/index.ts';
import { IntegrityError, type OutboxRow, type Store } from '../../store/index.ts';
import { CallLog, responseOf } from '../call-log.ts';
import type { CallbackSender } from '../callback/sender.ts';
import type { WebhookResult } from '../webhook/request.ts';
import { callbackRow, endingOf, isDue, type Recorded, type RecordingRow, recordedOf } from './outcome.ts';
import { Stopwatch } from './stopwatch.ts';

/** Twilio: the application did not take a status callback. */
const CALLBACK_REFUSED = 15003;
/** How long the end waits to be durable before it is told: a database that is away must not hold up the call. */
const LONGEST_COMMIT_MS = 1_000;

export interface RecordingDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly store: Pick<Store, 'journal'>;
  readonly callbacks: CallbackSender;
}

/** How a recording ended. */
export interface RecordingOutcome {
  /** `absent`: nothing is left of it; `failed`: only a part is. */
  readonly status: 'completed' | 'absent' | 'failed';
  readonly durationS: number;
  readonly endedBy: RecordingResult['endedBy'];
  /** The key that ended it. */
  readonly key?: string;
}

export interface LiveRecording {
  readonly sid: string;
  /** Where its sound will be: what is sent as `RecordingUrl`. */
  readonly url: string;
  /** As it is now. */
  readonly row: RecordingRow;
  /** What the end of its call tells of it, if that is now. */
  readonly recorded: Recorded | undefined;
  /** Resolves when all so far is committed, or was refused. */
  written(): Promise<void>;
  /** `skip`: the time until `resume` is left out; `silence`: it is there, silent. */
  pause(how: 'skip' | 'silence'): void;
  resume(): void;
  /** Ends it, if nothing has; resolves like `done`. */
  stop(): Promise<RecordingOutcome>;
  /** Resolves when the file is complete and the row says so; never rejects. */
  readonly done: Promise<RecordingOutcome>;
}

export class ShelvedRecording implements LiveRecording {
  readonly url: string;
  readonly done: Promise<RecordingOutcome>;
  /** Resolves when all about it is stored; its callbacks wait in the outbox then, or are being sent. */
  readonly settled: Promise<unknown>;
  readonly #deps: RecordingDeps;
  readonly #media: MediaRecording;
  readonly #log: CallLog;
  /** How long it is. */
  readonly #length: Stopwatch;
  #row: RecordingRow;
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(
    deps: RecordingDeps,
    given: {
      readonly row: RecordingRow;
      readonly url: string;
      readonly media: MediaRecording;
      readonly isTrimmed: boolean;
    },
  ) {
    const { row, url, media, isTrimmed } = given;
    this.#deps = deps;
    this.#row = row;
    this.url = url;
    this.#media = media;
    this.#log = new CallLog(deps, row);
    this.#length = new Stopwatch(deps.clock);
    this.#write();
    this.done = media.done.then((result) => this.#end(result, isTrimmed));
    this.settled = this.done.then(() => this.#lastWrite);
  }

  get sid(): string {
    return this.#row.sid;
  }

  get row(): RecordingRow {
    return this.#row;
  }

  get recorded(): Recorded | undefined {
    return recordedOf(this.#row, { url: this.url, lengthMs: this.#length.ms });
  }

  get #isRunning(): boolean {
    return this.#row.status === 'in-progress' || this.#row.status === 'paused';
  }

  written(): Promise<void> {
    return this.#lastWrite;
  }

  pause(how: 'skip' | 'silence'): void {
    if (!this.#isRunning) return;
    this.#media.pause(how);
    if (how === 'skip') this.#length.stop();
    this.#change({ status: 'paused' });
  }

  resume(): void {
    if (this.#row.status !== 'paused') return;
    this.#media.resume();
    this.#length.start();
    // Told once, when it began.
    this.#change({ status: 'in-progress' }, { isSilent: true });
  }

  stop(): Promise<RecordingOutcome> {
    if (this.#isRunning) this.#change({ status: 'stopped' });
    this.#length.stop();
    void this.#media.stop();
    return this.done;
  }

  async #end(result: RecordingResult, isTrimmed: boolean): Promise<RecordingOutcome> {
    const { durationMs, endedBy, digits, error } = result;
    const ending = endingOf(this.#row, { durationMs, hasFailed: endedBy === 'failed', isTrimmed });
    if (error !== undefined) {
      this.#deps.log.error({ recording_sid: this.sid, err: error }, 'a recording could not be written');
    }
    this.#change(ending);
    await this.#committed();
    return {
      status: ending.status as RecordingOutcome['status'],
      durationS: ending.duration ?? 0,
      endedBy,
      ...(digits !== undefined && { key: digits }),
    };
  }

  async #committed(): Promise<void> {
    const { clock } = this.#deps;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = clock.after(LONGEST_COMMIT_MS, resolve);
    await Promise.race([this.#lastWrite, promise]);
    clock.cancel(timer);
  }

  #change(patch: Partial<RecordingRow>, { isSilent = false } = {}): void {
    this.#row = { ...this.#row, ...patch, dateUpdated: this.#deps.clock.now() };
    this.#write(isSilent);
  }

  /** The row and the callback that it brings are committed together, then the callback is sent. */
  #write(isSilent = false): void {
    const row = this.#row;
    const waiting = !isSilent && isDue(row) ? callbackRow(row, this.url) : undefined;
    const entry = { records: [{ definition: recording, row }], ...(waiting && { outbox: [waiting] }) };
    this.#lastWrite = this.#deps.store.journal.commit(entry).then(
      () => waiting && this.#send(waiting),
      (error: unknown) =>
        this.#deps.log.error({ recording_sid: row.sid, err: String(error) }, 'a recording was not stored'),
    );
  }

  #send(waiting: OutboxRow): void {
    this.#deps.callbacks.send(waiting, (result, durationMs) => {
      void this.#tell(waiting, result, durationMs);
    });
  }

  /** The request becomes an Event of the call, one that was not taken a Notification too. */
  async #tell(waiting: OutboxRow, result: WebhookResult, durationMs: number): Promise<void> {
    const { url, method, parameters } = waiting;
    const request = { url, method, parameters };
    const response = responseOf(result);
    const records = [
      this.#log.event({ request, result, durationMs }),
      result.kind === 'failure' &&
        this.#log.notice({
          code: response ? CALLBACK_REFUSED : result.code,
          level: 'warning',
          text: `recording status callback failed: ${result.message}`,
          request,
          ...(response && { response }),
        }),
    ].filter((each) => each !== undefined && each !== false);
    await this.#deps.store.journal.commit({ records }).catch((error: unknown) => {
      // The call was deleted over the API meanwhile.
      if (error instanceof IntegrityError) return;
      this.#deps.log.error({ recording_sid: this.sid, err: String(error) }, 'a callback was not logged');
    });
  }
}
