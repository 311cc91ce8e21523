// The parts of a call's INVITE that are the same towards every target, and the headers of its BYE.
import { formatUri, type HeaderField, parseUri, toOctets } from '../../sip/index.ts';
import type { CallRow } from '../call-life.ts';
import type { CallOrder } from '../order.ts';
import type { Recorded } from '../recording/outcome.ts';
import type { InviteTemplate } from '../route/route-runner.ts';

export const SDP = 'application/sdp';

/**
 * @param fromDomain the From header's host where the caller id is no SIP URI of its own.
 */
export function inviteTemplate(
  row: CallRow,
  {
    callerId = row.from,
    callReason,
    sipAuth,
    headers = [],
  }: Pick<CallOrder, 'callerId' | 'callReason' | 'sipAuth'> & { readonly headers?: readonly HeaderField[] },
  fromDomain: string,
): Omit<InviteTemplate, 'offer'> {
  const fromUri = callerUri(callerId, fromDomain);
  return {
    user: numberIn(row.to),
    fromUri,
    headers: [
      ['X-Twilio-AccountSid', row.accountSid],
      ['X-Twilio-CallSid', row.sid],
      ...(numberIn(row.to) === undefined ? [API_VERSION] : []),
      ['P-Asserted-Identity', `<${fromUri}>`],
      ...(callReason === undefined ? [] : [reasonHeader(callReason)]),
      ...headers,
    ],
    ...(sipAuth && { credentials: sipAuth }),
  };
}

/** What SIP peers are told beside. */
const API_VERSION: HeaderField = ['X-Twilio-ApiVersion', '2010-04-01'];

/** The number that is called; undefined where it is a SIP URI. */
export const numberIn = (to: string): string | undefined => (/^sips?:/i.test(to) ? undefined : to);

/** Why it is called, for the callee's display (RFC 9796); there is no card that goes with it. */
const reasonHeader = (reason: string): HeaderField => [
  'Call-Info',
  `<data:>;purpose=jcard;call-reason="${toOctets(reason).replaceAll(/["\\]/g, '\\$&')}"`,
];

/** The From header's URI. */
export function callerUri(from: string, domain: string): string {
  if (from.startsWith('sip:')) return formatUri({ ...parseUri(from), headers: [] });
  const user = from.replace(/^client:/, '');
  return formatUri({ ...parseUri(`sip:${domain}`), user });
}

/** Normal call clearing (RFC 3326, Q.850 cause 16), with what is known of the call's recording. */
export const byeHeaders = (callSid: string, recorded: Recorded | undefined): readonly HeaderField[] => [
  ['Reason', 'Q.850;cause=16;text="Normal call clearing"'],
  ['X-Twilio-CallSid', callSid],
  ...(recorded
    ? ([
        ['X-Twilio-RecordingSid', recorded.sid],
        ['X-Twilio-RecordingDuration', String(recorded.durationS)],
      ] as const)
    : []),
];
