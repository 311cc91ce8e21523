import { describe, expect, it } from 'vitest';
import { OWNER, World } from '../../../test/support/doorstep.ts';
import type { AdmittedToDomain } from '../../admission/index.ts';
import { readAudio } from '../../sdp/index.ts';
import { parseMessage, type SipMessage, toOctets } from '../../sip/index.ts';
import { callerName, forwardedFrom, partiesOf, sipParameters } from './inbound-parameters.ts';

const OFFER =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n';

const world = new World();
const domain = world.domain('acme.sip.twilio.com');

const invite = (from: string, ...headers: readonly string[]): SipMessage =>
  parseMessage(
    toOctets(
      [
        'INVITE sip:1000@acme.sip.twilio.com SIP/2.0',
        'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
        `From: ${from};tag=1`,
        'To: <sip:1000@acme.sip.twilio.com>',
        'Call-ID: c1',
        'CSeq: 1 INVITE',
        ...headers,
        '',
        '',
      ].join('\r\n'),
    ),
  );

const admitted = (user: string, host = 'acme.sip.twilio.com'): AdmittedToDomain => ({
  kind: 'domain',
  accountSid: OWNER,
  domain,
  by: 'name',
  host,
  user,
  received: { transport: 'udp', address: '192.0.2.1', port: 5060 },
  offer: readAudio(OFFER),
  hopsLeft: 69,
});

describe('the parties', () => {
  it.each([
    ['"Al" <sip:al@office.example:5070;user=phone;transport=tcp>', 'sip:al@office.example'],
    ['<sips:al@office.example>', 'sip:al@office.example'],
    ['<sip:office.example>', 'sip:office.example'],
    ['<tel:+14155550100;phone-context=x>', 'tel:+14155550100;phone-context=x'],
    ['<sip:+14155550100@office.example>', 'sip:+14155550100@office.example'],
    ['<mailto:al@office.example>', 'sip:anonymous@anonymous.invalid'],
    ['<sip:a%0d%0aX-Evil:1@office.example>', 'sip:anonymous@anonymous.invalid'],
  ])('of a phone are URIs: %s', (from, expected) => {
    expect(partiesOf(invite(from), admitted('1000'), false)).toEqual({
      from: expected,
      to: 'sip:1000@acme.sip.twilio.com',
    });
  });

  it.each([
    ['<sip:+44(20)7946-0000@carrier.example>', '+442079460000'],
    ['<sip:442079460000@carrier.example;user=phone>', '+442079460000'],
    ['<tel:+44-20-7946-0000>', '+442079460000'],
    ['<sip:0012@carrier.example>', 'sip:0012@carrier.example'],
    ['<sip:anonymous@anonymous.invalid>', 'sip:anonymous@anonymous.invalid'],
  ])('of a carrier are numbers where they are any: %s', (from, expected) => {
    expect(partiesOf(invite(from), admitted('14155550100'), true)).toEqual({
      from: expected,
      to: '+14155550100',
    });
  });

  it('escape what a URI cannot hold, and bear no user', () => {
    expect(partiesOf(invite('<sip:a>'), admitted('two words'), false).to).toBe(
      'sip:two%20words@acme.sip.twilio.com',
    );
    expect(partiesOf(invite('<sip:a>'), admitted('', '2001:db8::1'), true).to).toBe('sip:[2001:db8::1]');
  });

  it('were perhaps diverted, and have perhaps a name', () => {
    const from = '"Grüße" <sip:+442079460000@carrier.example>';
    const diverted = invite(
      from,
      'Diversion: <sip:+14155550199@c.example>;reason=no-answer, <sip:+14155550198@c.example>',
    );
    expect([forwardedFrom(diverted), callerName(diverted)]).toEqual(['+14155550199', 'Grüße']);
    const plain = invite('<sip:a@b.example>', 'Diversion: <sip:desk@c.example>');
    expect([forwardedFrom(plain), callerName(plain)]).toEqual(['sip:desk@c.example', null]);
    expect(forwardedFrom(invite(from, 'Diversion: <tel:+14155550199;ext=7>'))).toBe('+14155550199');
    expect(forwardedFrom(invite(from, 'Diversion: nobody'))).toBeNull();
  });
});

describe('the headers', () => {
  const told = (...headers: readonly string[]) =>
    sipParameters(invite('<sip:a@b.example>', ...headers), admitted('1000'), false).filter(([name]) =>
      name.startsWith('SipHeader_'),
    );

  it('keep the case of their name; those of one name are joined', () => {
    expect(
      told('X-One: 1', 'x-ONE: 2', 'X-Two: "ü", 3', 'Y-Three: 3', 'user-to-user: 00;encoding=hex'),
    ).toEqual([
      ['SipHeader_X-One', '1, 2'],
      ['SipHeader_X-Two', '"ü", 3'],
      ['SipHeader_User-to-User', '00;encoding=hex'],
    ]);
  });

  it('of a carrier are not told', () => {
    const parameters = sipParameters(invite('<sip:a@b.example>', 'X-One: 1'), admitted('1'), true);
    expect(parameters.map(([name]) => name)).toEqual([
      'SipDomain',
      'SipDomainSid',
      'SipCallId',
      'SipSourceIp',
    ]);
  });
});
