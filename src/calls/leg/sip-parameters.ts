// What an app is told of a SIP address that was called (Twilio: "<Sip> call parameters").
import type { CallRow } from '../call-life.ts';
import { readUri } from '../route/request-uri.ts';
import type { FormParameters } from '../webhook/signature.ts';
import type { SipFacts } from './leg.ts';

/**
 * Nothing of a phone number.
 * @param sip of the leg; undefined until it has a final response
 * @param domainSid of the domain whose user is called
 */
export function calledParameters(
  { to, direction }: Pick<CallRow, 'to' | 'direction'>,
  sip: SipFacts | undefined,
  domainSid: string | undefined,
): FormParameters {
  const uri = direction.startsWith('outbound') && /^sips?:/i.test(to) ? readUri(to) : undefined;
  if (!uri) return [];
  return [
    ['SipDomain', uri.host],
    ...(domainSid === undefined ? [] : [['SipDomainSid', domainSid] as const]),
    ...(sip
      ? [
          ['SipCallId', sip.callId] as const,
          ['SipSourceIp', sip.address] as const,
          ...sip.headers.map(({ name, value }) => [`SipHeader_${name}`, value] as const),
        ]
      : []),
  ];
}
