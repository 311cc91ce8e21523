import { describe, expect, it } from 'vitest';
import type { SipFacts } from './leg.ts';
import { calledParameters } from './sip-parameters.ts';

const URI = { to: 'sip:kate@pbx.example;transport=tls', direction: 'outbound-dial' } as const;
const ANSWERED: SipFacts = {
  callId: 'x@y',
  address: '192.0.2.1',
  responseCode: 200,
  headers: [{ name: 'X-Order', value: '7' }],
};

describe('what an app is told of a SIP address that was called', () => {
  it('is where and by whom it was answered, with the X- headers of the 200', () => {
    expect(calledParameters(URI, ANSWERED, 'SD1')).toEqual([
      ['SipDomain', 'pbx.example'],
      ['SipDomainSid', 'SD1'],
      ['SipCallId', 'x@y'],
      ['SipSourceIp', '192.0.2.1'],
      ['SipHeader_X-Order', '7'],
    ]);
  });

  it.each([
    ['before a final response, its domain alone', URI, [['SipDomain', 'pbx.example']]],
    ['of a phone number, nothing', { ...URI, to: '+15550001111' }, []],
    ['of a call that came in, nothing', { ...URI, direction: 'inbound' as const }, []],
  ])('is %s', (_what, row, parameters) => {
    expect(calledParameters(row, undefined, undefined)).toEqual(parameters);
  });
});
