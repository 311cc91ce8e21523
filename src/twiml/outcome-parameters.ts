// The form parameters that tell an app how its Dial or Refer ended.
import type { DialOutcome, Parameters, ReferOutcome } from './actions.ts';

export function dialParameters({
  status,
  callSid,
  durationS,
  bridged,
  recordingUrl,
  sip,
}: DialOutcome): Parameters {
  return {
    DialCallStatus: status,
    ...(callSid !== undefined && { DialCallSid: callSid }),
    ...(durationS !== undefined && { DialCallDuration: String(durationS) }),
    DialBridged: String(bridged),
    ...(recordingUrl !== undefined && { RecordingUrl: recordingUrl }),
    ...(sip && { DialSipCallId: sip.callId, DialSipResponseCode: String(sip.responseCode) }),
    ...Object.fromEntries(sip?.headers.map(({ name, value }) => [`DialSipHeader_${name}`, value]) ?? []),
  };
}

export const referParameters = ({ status, responseCode, notifyCode }: ReferOutcome): Parameters => ({
  ReferCallStatus: status,
  ReferSipResponseCode: String(responseCode),
  ...(notifyCode !== undefined && { NotifySipResponseCode: String(notifyCode) }),
});
