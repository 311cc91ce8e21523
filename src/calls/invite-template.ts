// The parts of a call's INVITE that are the same towards every target, and the headers of its BYE.
import { formatUri, type HeaderField, parseUri } from '../sip/index.ts';
import type { CallRow } from './call-life.ts';
import type { InviteTemplate } from './route-runner.ts';

export const SDP = 'application/sdp';

/** `fromDomain` is the From header's host where the caller id is no SIP URI of its own. */
export function inviteTemplate(row: CallRow, fromDomain: string, offer: string): InviteTemplate {
  const fromUri = callerUri(row.from, fromDomain);
  return {
    user: row.to,
    fromUri,
    headers: [
      ['X-Twilio-AccountSid', row.accountSid],
      ['X-Twilio-CallSid', row.sid],
      ['P-Asserted-Identity', `<${fromUri}>`],
    ],
    body: { contentType: SDP, content: offer },
  };
}

/** The From header's URI. */
export function callerUri(from: string, domain: string): string {
  if (from.startsWith('sip:')) return formatUri({ ...parseUri(from), headers: [] });
  const user = from.replace(/^client:/, '');
  return formatUri({ ...parseUri(`sip:${domain}`), user });
}

/** Normal call clearing (RFC 3326, Q.850 cause 16). */
export const byeHeaders = (callSid: string): readonly HeaderField[] => [
  ['Reason', 'Q.850;cause=16;text="Normal call clearing"'],
  ['X-Twilio-CallSid', callSid],
];
