// The shelf of recordings: begins and ends them, knows which are under way, and finishes what a crash left open.
import { existsSync } from 'node:fs';
import { type MediaRecording, type MediaSession, repairWav } from '../../media/index.ts';
import { newRow, recording } from '../../resources/index.ts';
import type { RecordingEvent, RecordingOrder, RecordingUpdate, WebhookTarget } from '../order.ts';
import type { RecordingFiles } from './files.ts';
import { type LiveRecording, type RecordingDeps, ShelvedRecording } from './live.ts';
import {
  callbackRow,
  endingOf,
  isDue,
  isOfCall,
  type Recorded,
  type RecordingRow,
  recordedOf,
  type Written,
} from './outcome.ts';

export interface RecordingShelfDeps extends RecordingDeps {
  readonly files: RecordingFiles;
  /** `https://tandem.example`, no slash at the end: where apps fetch recordings. */
  baseUrl(): string;
}

export interface RecordingStart {
  readonly accountSid: string;
  /** Whose recording it is: of the parent where a child call is recorded with it. */
  readonly callSid: string;
  readonly source: RecordingRow['source'];
  /** 2: what the session hears is left, what it sends right. A single track is one channel, whatever is asked for. */
  readonly channels: 1 | 2;
  readonly track: 'inbound' | 'outbound' | 'both';
  readonly trimSilence: boolean;
  readonly maxLengthMs?: number;
  readonly silenceTimeoutMs?: number;
  readonly finishOnKeys?: string;
  readonly beep?: boolean;
  readonly callback?: WebhookTarget & { readonly events: readonly RecordingEvent[] };
}

/** Of one that nobody has stopped. */
const RUNNING: readonly RecordingRow['status'][] = ['in-progress', 'paused'];

export class RecordingShelf {
  readonly #deps: RecordingShelfDeps;
  readonly #live = new Map<string, ShelvedRecording>();
  /** Those whose end is not stored yet. */
  readonly #unsettled = new Set<ShelvedRecording>();

  constructor(deps: RecordingShelfDeps) {
    this.#deps = deps;
  }

  /** Recordings under way. */
  get size(): number {
    return this.#live.size;
  }

  /** Records what the session hears and sends, from now on. A disk that is full ends the recording, not the call. */
  start(session: MediaSession, start: RecordingStart): LiveRecording {
    const channels = start.track === 'both' ? start.channels : 1;
    const row = newRow(
      recording,
      { ...rowValues(start), channels, startTime: this.#deps.clock.now() },
      this.#deps,
    );
    const media = this.#record(session, { start, row });
    const given = { row, url: this.#url(row), media, isTrimmed: start.trimSilence };
    const live = new ShelvedRecording(this.#deps, given);
    this.#live.set(row.sid, live);
    this.#unsettled.add(live);
    void live.done.then(() => this.#live.delete(row.sid));
    void live.settled.then(() => this.#unsettled.delete(live));
    return live;
  }

  /** Of a call, oldest first. */
  ofCall(callSid: string): readonly LiveRecording[] {
    return [...this.#live.values()].filter(({ row }) => row.callSid === callSid);
  }

  /**
   * Pauses, resumes or stops a recording of a call; resolves with its row when that is committed.
   * @param sid or `Twilio.CURRENT` for the one that was started last.
   */
  async change(callSid: string, sid: string, update: RecordingUpdate): Promise<RecordingRow | 'not-found'> {
    const running = this.ofCall(callSid).filter(({ row }) => RUNNING.includes(row.status));
    const live = running.findLast((each) => sid === 'Twilio.CURRENT' || each.sid === sid);
    if (!live) return 'not-found';
    if (update.status === 'paused') live.pause(update.pauseBehavior ?? 'silence');
    else if (update.status === 'in-progress') live.resume();
    else void live.stop();
    const { row } = live;
    await live.written();
    return row;
  }

  /**
   * Finishes what an earlier run left open: files get their sizes, rows their end, and apps are told. What another
   * exchange on the same database left, and has on its own disk, is left to it. Resolves with what the ends of these
   * calls tell of them, by CallSid.
   */
  async recover(): Promise<ReadonlyMap<string, Recorded>> {
    const { rows, isSole } = await this.#deps.store.journal.lostRecordings();
    const found = new Map<string, Recorded>();
    for (const row of rows) {
      if (!isSole && !existsSync(this.#deps.files.path(row))) continue;
      const after = await this.#finish(row);
      const recorded = recordedOf(after, { url: this.#url(after), lengthMs: 0 });
      if (recorded && isOfCall(row) && !found.has(row.callSid)) found.set(row.callSid, recorded);
    }
    return found;
  }

  /** Ends all; resolves when they are stored. */
  async close(): Promise<void> {
    for (const live of this.#live.values()) void live.stop();
    await Promise.all(Array.from(this.#unsettled, ({ settled }) => settled));
  }

  #record(
    session: MediaSession,
    { start, row }: { start: RecordingStart; row: RecordingRow },
  ): MediaRecording {
    const { track, trimSilence, maxLengthMs, silenceTimeoutMs, finishOnKeys, beep } = start;
    return session.record({
      file: this.#deps.files.prepare(row),
      channels: row.channels === 2 ? 2 : 1,
      track,
      trim: trimSilence,
      ...(maxLengthMs !== undefined && { maxLengthMs }),
      ...(silenceTimeoutMs !== undefined && { silenceTimeoutMs }),
      ...(finishOnKeys !== undefined && { finishOnKeys }),
      ...(beep !== undefined && { beep }),
    });
  }

  #url({ accountSid, sid }: RecordingRow): string {
    return `${this.#deps.baseUrl()}/2010-04-01/Accounts/${accountSid}/Recordings/${sid}`;
  }

  async #finish(row: RecordingRow): Promise<RecordingRow> {
    const found = await this.#repaired(row);
    const after = { ...row, ...endingOf(row, found), dateUpdated: this.#deps.clock.now() };
    const outbox = isDue(after) ? [callbackRow(after, this.#url(after))] : [];
    await this.#deps.store.journal.commit({ records: [{ definition: recording, row: after }], outbox });
    for (const waiting of outbox) this.#deps.callbacks.send(waiting);
    return after;
  }

  async #repaired(row: RecordingRow): Promise<Written> {
    try {
      const { durationMs } = await repairWav(this.#deps.files.path(row));
      return { durationMs, hasFailed: false, isTrimmed: false };
    } catch (error) {
      this.#deps.log.error({ recording_sid: row.sid, err: String(error) }, 'a recording is lost');
      return { durationMs: 0, hasFailed: true, isTrimmed: false };
    }
  }
}

/** What an order over the API begins. */
export const recordingStart = (
  { channels, track, trim, callback }: RecordingOrder,
  given: Pick<RecordingStart, 'accountSid' | 'callSid' | 'source'>,
): RecordingStart => ({
  ...given,
  channels: channels === 'dual' ? 2 : 1,
  track,
  trimSilence: trim === 'trim-silence',
  ...(callback && { callback }),
});

const rowValues = ({ accountSid, callSid, source, track, callback }: RecordingStart) => ({
  accountSid,
  callSid,
  source,
  track,
  statusCallback: callback?.url ?? null,
  statusCallbackMethod: callback?.method ?? 'POST',
  statusCallbackEvents: callback?.events ?? [],
});
