// A call's life cycle, pure: what happens to it in, what its record becomes and which status callback is due out.
//
//   queued → (initiated) → ringing → in-progress → completed
//      └───────────┴──────────┴→ busy | failed | no-answer | canceled
import type { call, Row } from '../resources/index.ts';
import type { CallEvent } from './order.ts';
import type { CallEnding } from './outcome.ts';

export type CallRow = Row<typeof call>;

export type CallInput =
  | { readonly type: 'dialing' }
  | { readonly type: 'ringing' }
  | {
      readonly type: 'answered';
      readonly sipCallId: string;
      readonly localTag: string;
      readonly remoteTag: string;
      /** Who picked up, where the call asked to know: nobody listens for machines here, so it is `unknown`. */
      readonly answeredBy?: 'unknown';
    }
  | { readonly type: 'heartbeat' }
  | { readonly type: 'ended'; readonly ending: CallEnding };

export interface DueCallback {
  readonly sequence: number;
  /** What the CallStatus parameter says; `initiated` exists only there. */
  readonly status: string;
  /** Of the last callback only. */
  readonly ending: CallEnding | undefined;
}

export interface CallStep {
  readonly row: CallRow;
  /** Columns that changed; undefined where nothing did. */
  readonly patch: Partial<CallRow> | undefined;
  readonly callback: DueCallback | undefined;
}

export const hasEnded = (row: CallRow): boolean => row.endTime !== null;

/** Advances a call's record; inputs that come too late for its state change nothing. */
export function step(row: CallRow, input: CallInput, nowMs: number): CallStep {
  if (hasEnded(row)) return unchanged(row);
  switch (input.type) {
    case 'dialing':
      return advance(
        row,
        { changes: { startTime: nowMs, queueTime: nowMs - row.dateCreated }, event: 'initiated' },
        nowMs,
      );
    case 'ringing':
      if (row.status !== 'queued') return unchanged(row);
      return advance(row, { changes: { status: 'ringing' }, event: 'ringing' }, nowMs);
    case 'answered': {
      const { sipCallId, localTag, remoteTag, answeredBy = null } = input;
      const dialog = { sipCallId, localTag, remoteTag, answeredAt: nowMs, heartbeatAt: nowMs };
      const changes = { status: 'in-progress', ...dialog, ...(answeredBy && { answeredBy }) } as const;
      return advance(row, { changes, event: 'answered' }, nowMs);
    }
    case 'heartbeat': {
      const patch = { heartbeatAt: nowMs };
      return { row: { ...row, ...patch }, patch, callback: undefined };
    }
    case 'ended':
      return end(row, input.ending, nowMs);
  }
}

const unchanged = (row: CallRow): CallStep => ({ row, patch: undefined, callback: undefined });

function end(row: CallRow, ending: CallEnding, nowMs: number): CallStep {
  const changes = {
    status: ending.status,
    endTime: nowMs,
    duration: row.answeredAt === null ? null : Math.round((nowMs - row.answeredAt) / 1000),
    sipResponseCode: ending.sipStatus ?? null,
    endedReason: ending.why,
  };
  // Twilio: a call that is canceled while it is still queued fires nothing.
  const silent = ending.status === 'canceled' && row.startTime === null;
  return advance(row, { changes, event: silent ? undefined : 'completed', ending }, nowMs);
}

interface Advance {
  readonly changes: Partial<CallRow>;
  /** The status callback event that this is, where it is one. */
  readonly event: CallEvent | undefined;
  readonly ending?: CallEnding;
}

function advance(row: CallRow, { changes, event, ending }: Advance, nowMs: number): CallStep {
  const sequence = row.callbackSequence;
  const isDue =
    event !== undefined && row.statusCallback !== null && row.statusCallbackEvents.includes(event);
  const patch = {
    ...changes,
    dateUpdated: nowMs,
    ...(isDue ? { callbackSequence: sequence + 1 } : {}),
  };
  const after = { ...row, ...patch };
  const status = event === 'initiated' ? 'initiated' : after.status;
  return { row: after, patch, callback: isDue ? { sequence, status, ending } : undefined };
}
