// What of a target's URI is in the INVITE's Request-URI, what becomes headers, and what only we see.
import { describe, expect, it } from 'vitest';
import { formatUri, parseUri } from '../../sip/index.ts';
import { isSecure, reachedUri, requestUri } from './request-uri.ts';

const DIALLED = '+15550001234';
const uriOf = (target: string, user: string | undefined = DIALLED) => requestUri(parseUri(target), user).uri;

describe('the Request-URI', () => {
  it.each([
    ['the number dialled where the target names no user', 'sip:pbx.example', `sip:${DIALLED}@pbx.example`],
    ["the target's own user", 'sip:desk@pbx.example', 'sip:desk@pbx.example'],
    ['its own user with what is escaped in it', 'sip:a%23b;x=1@pbx.example', 'sip:a%23b;x=1@pbx.example'],
    ['its port', 'sip:pbx.example:5070', `sip:${DIALLED}@pbx.example:5070`],
    ['its port and address, IPv6', 'sip:[2001:db8::1]:5070', `sip:${DIALLED}@[2001:db8::1]:5070`],
    ['its transport', 'sip:pbx.example;transport=tcp', `sip:${DIALLED}@pbx.example;transport=tcp`],
    [
      'parameters that mean something to the target',
      'sip:desk@pbx.example:5070;transport=tls;user=phone;x-line=7;lr',
      'sip:desk@pbx.example:5070;transport=tls;user=phone;x-line=7;lr',
    ],
  ])('has %s', (_what, target, expected) => {
    expect(uriOf(target)).toBe(expected);
  });

  it('has no user where nobody was dialled and none is named', () => {
    expect(requestUri(parseUri('sip:pbx.example'), undefined).uri).toBe('sip:pbx.example');
  });

  it('has none of the parameters that are ours, whichever way they are written', () => {
    const target = 'sip:desk@pbx.example;edge=dublin;Region=ie1;tnx=TK1;SECURE=true;user=phone;transport=udp';
    expect(uriOf(target)).toBe('sip:desk@pbx.example;user=phone;transport=tls');
    expect(isSecure(parseUri(target))).toBe(true);
    expect(isSecure(parseUri('sip:desk@pbx.example;secure=false'))).toBe(false);
  });

  it('is looked up at the very place it names', () => {
    const place = 'sip:desk@pbx.example:5070;transport=tcp;maddr=192.0.2.7';
    expect(formatUri(reachedUri(parseUri(place)))).toBe(place);
  });

  it('has no headers: those that a URI may bring become headers of the INVITE, in their order', () => {
    const headers = 'X-Ticket=17%20a&x-twilio-callsid=no&User-to-User=00%3Bencoding%3Dhex&Subject=no&X-B=';
    expect(requestUri(parseUri(`sip:desk@pbx.example;x=1?${headers}`), DIALLED)).toEqual({
      uri: 'sip:desk@pbx.example;x=1',
      headers: [
        ['X-Ticket', '17 a'],
        ['User-to-User', '00;encoding=hex'],
        ['X-B', ''],
      ],
    });
  });
});
