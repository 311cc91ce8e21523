// How a recording ends, pure: its status, duration and error code by what became of its file; and what its app is told.
import { RECORDING_EVENTS, type Row, type recording } from '../../resources/index.ts';
import type { OutboxRow } from '../../store/index.ts';
import { rfc2822 } from '../callback/rfc2822.ts';
import { encodeForm, type FormParameters } from '../webhook/signature.ts';

export type RecordingRow = Row<typeof recording>;

/** A recording as the end of its call tells of it, which does not wait for its file to be complete. */
export interface Recorded {
  readonly sid: string;
  /** `RecordingUrl`. */
  readonly url: string;
  /** With the silence that is still to be left out (Twilio: the recording's own callback has the final one). */
  readonly durationS: number;
}

/**
 * What the end of a call tells of its recording; undefined where nothing is left of it.
 * @param lengthMs what it holds by now, where it is not complete
 */
export function recordedOf(
  { sid, status, duration }: RecordingRow,
  { url, lengthMs }: { readonly url: string; readonly lengthMs: number },
): Recorded | undefined {
  return status === 'absent' ? undefined : { sid, url, durationS: duration ?? Math.round(lengthMs / 1000) };
}

/** Whether it is a recording of the call, not of what was said after a tone. */
export const isOfCall = ({ source }: Pick<RecordingRow, 'source'>): boolean => source !== 'RecordVerb';

/** Twilio: shorter than what can be kept. */
const TOO_SHORT = 16101;
/** Twilio: silence alone, all of which was trimmed away. */
const SILENT = 16102;
/** Twilio: an internal error; here the disk, or the media worker. */
const NOT_WRITTEN = 15000;

/** What was found when nothing more is written to the file. */
export interface Written {
  readonly durationMs: number;
  /** Not all that was heard could be written. */
  readonly hasFailed: boolean;
  /** Silence was to be left out. */
  readonly isTrimmed: boolean;
}

/** What ends the row. A `<Record>` of silence is kept, as Twilio keeps it; any other is `absent`. */
export function endingOf(
  { source }: Pick<RecordingRow, 'source'>,
  { durationMs, hasFailed, isTrimmed }: Written,
): Pick<RecordingRow, 'status' | 'duration' | 'errorCode'> {
  const duration = Math.round(durationMs / 1000);
  if (hasFailed) return { status: durationMs > 0 ? 'failed' : 'absent', duration, errorCode: NOT_WRITTEN };
  if (durationMs > 0 || source === 'RecordVerb') return { status: 'completed', duration, errorCode: null };
  return { status: 'absent', duration, errorCode: isTrimmed ? SILENT : TOO_SHORT };
}

/** Whether the app asked to be told of the row's status. One that failed is told to whoever waits for any end. */
export function isDue({ status, statusCallback, statusCallbackEvents: events }: RecordingRow): boolean {
  if (statusCallback === null) return false;
  if (status === 'failed') return events.includes('completed') || events.includes('absent');
  return RECORDING_EVENTS.some((event) => event === status && events.includes(event));
}

/**
 * The callback of the row's status (Twilio: "RecordingStatusCallback parameters"); its id is the same however often it
 * is made, so that a recovery tells nothing twice.
 * @param url `RecordingUrl`.
 */
export function callbackRow(row: RecordingRow, url: string): OutboxRow {
  return {
    id: `${row.sid}-${row.status}`,
    callSid: row.callSid,
    accountSid: row.accountSid,
    sequence: row.status === 'in-progress' ? 0 : 1,
    url: row.statusCallback ?? '',
    method: row.statusCallbackMethod,
    parameters: encodeForm(parametersOf(row, url)),
    attempts: 0,
  };
}

function parametersOf(row: RecordingRow, url: string): FormParameters {
  return [
    ['AccountSid', row.accountSid],
    ['CallSid', row.callSid],
    ['RecordingSid', row.sid],
    ['RecordingUrl', url],
    ['RecordingStatus', row.status],
    ...(row.duration === null ? [] : [['RecordingDuration', String(row.duration)] as const]),
    ['RecordingChannels', String(row.channels)],
    ['RecordingStartTime', rfc2822(row.startTime ?? row.dateCreated)],
    ['RecordingSource', row.source],
    ['RecordingTrack', row.track],
    ...(row.errorCode === null ? [] : [['ErrorCode', String(row.errorCode)] as const]),
  ];
}
