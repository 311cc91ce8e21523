// Status callbacks: which parameters they carry and how they wait in the outbox.
import type { OutboxRow } from '../../store/index.ts';
import type { CallRow, DueCallback } from '../call-life.ts';
import type { MachineDetection } from '../order.ts';
import { encodeForm, type FormParameters } from '../webhook/signature.ts';
import { rfc2822 } from './rfc2822.ts';

/**
 * What every voice request carries (Twilio: "TwiML Voice: request parameters").
 * @param callStatus where it is not the record's.
 */
export function voiceParameters(row: CallRow, callStatus: string = row.status): FormParameters {
  return [
    ['CallSid', row.sid],
    ['AccountSid', row.accountSid],
    ['From', row.from],
    ['To', row.to],
    ['Caller', row.from],
    ['Called', row.to],
    ['CallStatus', callStatus],
    ['ApiVersion', '2010-04-01'],
    ['Direction', row.direction],
    ...(row.forwardedFrom === null ? [] : [['ForwardedFrom', row.forwardedFrom] as const]),
    ...(row.callerName === null ? [] : [['CallerName', row.callerName] as const]),
    ...(row.parentCallSid === null ? [] : [['ParentCallSid', row.parentCallSid] as const]),
    ...(row.answeredBy === null ? [] : [['AnsweredBy', row.answeredBy] as const]),
  ];
}

/**
 * The outbox row of a callback that is due; its id is the idempotency token of every attempt.
 * @param more what the call's requests carry beside the usual
 */
export function callbackRow(
  row: CallRow,
  callback: DueCallback,
  more: { readonly nowMs: number; readonly parameters: FormParameters },
): OutboxRow {
  return {
    id: `${row.sid}-${callback.sequence}`,
    callSid: row.sid,
    accountSid: row.accountSid,
    sequence: callback.sequence,
    url: row.statusCallback ?? '',
    method: row.statusCallbackMethod,
    parameters: encodeForm(statusParameters(row, callback, more)),
    attempts: 0,
  };
}

/**
 * The outbox row that tells who picked up, where the app asked for it (Twilio: "Answering Machine Detection", AsyncAmdStatusCallback). Nobody listens
 * for machines here: it is told at once that it is unknown.
 */
export function detectionRow(
  { sid, accountSid }: CallRow,
  detection: MachineDetection | undefined,
): OutboxRow | undefined {
  if (!detection?.callback) return undefined;
  return {
    id: `${sid}-amd`,
    callSid: sid,
    accountSid,
    sequence: 0,
    ...detection.callback,
    parameters: encodeForm([
      ['CallSid', sid],
      ['AccountSid', accountSid],
      ['AnsweredBy', 'unknown'],
      ['MachineDetectionDuration', '0'],
    ]),
    attempts: 0,
  };
}

function statusParameters(
  row: CallRow,
  callback: DueCallback,
  more: Parameters<typeof callbackRow>[2],
): FormParameters {
  const { status, sequence, ending } = callback;
  const parameters = [
    ...voiceParameters(row, status),
    ...more.parameters,
    ['Timestamp', rfc2822(more.nowMs)] as const,
    ['CallbackSource', 'call-progress-events'] as const,
    ['SequenceNumber', String(sequence)] as const,
  ];
  if (ending && row.duration !== null) {
    parameters.push(
      ['CallDuration', String(row.duration)],
      ['Duration', String(Math.ceil(row.duration / 60))],
    );
  }
  if (ending?.recorded) {
    const { url, sid, durationS } = ending.recorded;
    parameters.push(['RecordingUrl', url], ['RecordingSid', sid], ['RecordingDuration', String(durationS)]);
  }
  if (ending?.sipStatus !== undefined) parameters.push(['SipResponseCode', String(ending.sipStatus)]);
  if (ending?.errorCode !== undefined) {
    parameters.push(['ErrorCode', String(ending.errorCode)], ['ErrorMessage', ending.why]);
  }
  return parameters;
}
