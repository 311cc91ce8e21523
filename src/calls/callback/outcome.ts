// What became of a try of a callback, as the outbox keeps it. Pure.
import type { Row, webhook } from '../../resources/index.ts';
import { loggedResponse } from '../call-log.ts';
import type { WebhookResult } from '../webhook/request.ts';

/** Wait before the first retry; each further one waits twice as long, up to the longest. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 300_000;

export const retryDelayMs = (attempts: number): number =>
  Math.min(FIRST_RETRY_MS * 2 ** Math.max(0, attempts - 1), LONGEST_RETRY_MS);

export interface Try {
  readonly result: WebhookResult;
  /** This one included. */
  readonly attempts: number;
  readonly durationMs: number;
  readonly now: number;
  /** Undefined where it was the last one. */
  readonly retryMs?: number | undefined;
}

type Outcome = Partial<Row<typeof webhook>>;

export function outcomeOf({ result, attempts, durationMs, now, retryMs }: Try): Outcome {
  const isTaken = result.kind === 'answer';
  const ending = isTaken ? 'delivered' : 'failed';
  return {
    status: retryMs === undefined ? ending : 'retrying',
    attempts,
    sentAt: now,
    durationMs: Math.round(durationMs),
    nextAttemptAt: retryMs === undefined ? null : now + retryMs,
    errorCode: isTaken ? null : result.code,
    errorMessage: isTaken ? null : result.message,
    ...loggedResponse(result),
  };
}
