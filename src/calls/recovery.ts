// What a run of an exchange leaves that was killed, ended by the next one, or by another on the same database: its
// dialogs by BYE, its calls' records with the time that they were last seen alive, and their callbacks.
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { HeaderField, UserAgent } from '../sip/index.ts';
import type { Journal, LiveDialog } from '../store/index.ts';
import { type CallRow, step } from './call-life.ts';
import type { CallbackSender } from './callback/sender.ts';
import { callbackRow } from './callback/status-callback.ts';
import { byeHeaders } from './leg/invite-template.ts';
import { completed, failed } from './outcome.ts';
import type { Recorded } from './recording/outcome.ts';

export interface RecoveryDeps {
  readonly agent: Pick<UserAgent, 'endLost'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Journal<CallRow>;
  readonly callbacks: CallbackSender;
}

const WHY = 'the exchange stopped while the call was live';

/** Temporary failure (RFC 3326, Q.850 cause 41). */
const REASON: HeaderField = ['Reason', 'Q.850;cause=41;text="Temporary failure"'];

/**
 * Resolves when the records are closed; nobody waits for the answers to the BYEs.
 * @param recorded what is told of the calls' recordings, by CallSid
 */
export async function recoverCalls(
  deps: RecoveryDeps,
  recorded: ReadonlyMap<string, Recorded> = new Map(),
): Promise<void> {
  const { journal } = deps;
  hangUp(await journal.lostDialogs(), deps, recorded);
  await Promise.all((await journal.unfinished()).map((row) => closeRecord(row, deps, recorded.get(row.sid))));
}

async function closeRecord(
  row: CallRow,
  { clock, journal, callbacks }: RecoveryDeps,
  recorded: Recorded | undefined,
): Promise<void> {
  const ending = row.answeredAt === null ? failed(WHY) : { ...completed(WHY), recorded };
  const endMs = row.heartbeatAt ?? row.dateUpdated;
  const { row: after, patch, callback } = step(row, { type: 'ended', ending }, endMs);
  if (!patch) return;
  const outbox = callback ? [callbackRow(after, callback, { nowMs: clock.now(), parameters: [] })] : [];
  await journal.commit({ update: { sid: row.sid, patch }, outbox });
  for (const waiting of outbox) callbacks.send(waiting);
}

function hangUp(
  dialogs: readonly LiveDialog[],
  deps: RecoveryDeps,
  recorded: ReadonlyMap<string, Recorded>,
): void {
  const calls = Map.groupBy(dialogs, ({ callSid }) => callSid);
  for (const [callSid, legs] of calls) {
    let left = legs.length;
    const [, ...facts] = byeHeaders(callSid, recorded.get(callSid));
    for (const { identity } of legs) {
      endDialog({ callSid, identity, headers: [REASON, ...facts] }, deps, () => {
        left -= 1;
        if (left === 0) forget(callSid, deps);
      });
    }
  }
}

/** @param done whatever the peer answers: there is no more that could be done. */
function endDialog(
  { callSid, identity, headers }: LiveDialog & { readonly headers: readonly HeaderField[] },
  { agent, log }: RecoveryDeps,
  done: () => void,
): void {
  const fields = { call_sid: callSid, sip_call_id: identity.callId };
  try {
    agent.endLost(identity, headers, (outcome) => {
      if (outcome.kind === 'response') log.info(fields, 'a party of a lost call was hung up');
      else log.warn({ ...fields, why: outcome.kind }, 'a party of a lost call did not answer to BYE');
      done();
    });
  } catch (error) {
    log.error({ ...fields, err: String(error) }, 'a party of a lost call cannot be hung up');
    done();
  }
}

function forget(callSid: string, { journal, log }: RecoveryDeps): void {
  journal.commit({ hungUp: callSid }).catch((error: unknown) => {
    log.warn({ call_sid: callSid, err: String(error) }, 'the dialogs of a lost call were not deleted');
  });
}
