// Verbs that take their time, performed on a call: Record and Refer.
import type { Input, RecordRules, ReferOutcome, SipAddress } from '../../twiml/index.ts';
import type { Call } from '../call.ts';
import type { Leg } from '../leg/leg.ts';
import type { RecordingEvent } from '../order.ts';
import type { VerbRun } from './twiml-runner.ts';

type Recorded = Input & { type: 'recorded' };

/** Records what the party says, from a tone to silence, a key, or the end of the call. */
export function recordRun(call: Call, rules: RecordRules): VerbRun<Recorded> {
  const { session } = call;
  if (!session) return { outcome: Promise.resolve({ type: 'recorded' }), stop() {} };
  const { timeoutMs, finishOnKey, maxLengthMs, playBeep, trimSilence, callback } = rules;
  const recording = call.record(session, {
    source: 'RecordVerb',
    channels: 1,
    track: 'inbound',
    trimSilence,
    maxLengthMs,
    finishOnKeys: finishOnKey,
    beep: playBeep,
    ...(timeoutMs !== undefined && { silenceTimeoutMs: timeoutMs }),
    ...(callback && { callback: { ...callback, events: callback.events as readonly RecordingEvent[] } }),
  });
  const { sid, url } = recording;
  const outcome = recording.done.then(({ status, durationS, key }): Recorded => {
    if (status === 'absent') return { type: 'recorded' };
    return { type: 'recorded', recording: { url, sid, durationS }, ...(key !== undefined && { key }) };
  });
  return { outcome, stop: () => void recording.stop() };
}

const BUSY = new Set([486, 600]);
const NO_ANSWER = new Set([408, 480, 487]);

/** Sends the caller's phone elsewhere, and waits to hear what came of it. */
export function referRun(leg: Leg, { uri, headers }: SipAddress): VerbRun<ReferOutcome> {
  const { promise, resolve } = Promise.withResolvers<ReferOutcome>();
  let accepted = 202;
  let notified = 100;
  const fields = headers.map(({ name, value }) => [name, value] as const);
  leg.refer({ uri, headers: fields }, ({ type, status }) => {
    if (type === 'refused') return resolve({ status: 'failed', responseCode: status });
    if (type === 'accepted') accepted = status;
    else notified = status;
    if (type === 'notified' && status >= 200) {
      resolve({ status: referStatus(status), responseCode: accepted, notifyCode: status });
    }
  });
  return {
    outcome: promise,
    // The caller left before the new call was there.
    stop: () => resolve({ status: 'canceled', responseCode: accepted, notifyCode: notified }),
  };
}

function referStatus(status: number): ReferOutcome['status'] {
  if (status < 300) return 'in-progress';
  if (BUSY.has(status)) return 'busy';
  return NO_ANSWER.has(status) ? 'no-answer' : 'failed';
}
