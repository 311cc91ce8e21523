import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatNameAddr, isLooseRoute, parseNameAddr } from './name-addr.ts';
import { formatUri, parseUri, type SipUri } from './uri.ts';
import { stampVia, Via } from './via.ts';

const plain = (uri: SipUri) => ({ ...uri, params: Object.fromEntries(uri.params) });

describe('parseUri', () => {
  it.each([
    ['sip:example.com', { scheme: 'sip', host: 'example.com', params: {}, headers: [] }],
    ['SIPS:Bob@Example.COM:5071', { scheme: 'sips', user: 'Bob', host: 'example.com', port: 5071 }],
    [
      'sip:+1%2B2:p%40w@[2001:db8::1]:5060',
      { user: '+1+2', password: 'p@w', host: '2001:db8::1', port: 5060 },
    ],
    ['sip:a;b=1@h;LR;Transport=TCP', { user: 'a;b=1', params: { lr: '', transport: 'TCP' } }],
    [
      'sip:a@h?X-One=1&X-Two=a%20b',
      {
        headers: [
          ['X-One', '1'],
          ['X-Two', 'a b'],
        ],
      },
    ],
    ['sip:%C3%BC@h', { user: 'ü' }],
  ])('%s', (text, expected) => {
    expect(plain(parseUri(text))).toMatchObject(expected);
  });

  it.each([
    ['tel:+1', 'scheme'],
    ['example.com', 'scheme'],
    ['sip:', 'uri'],
    ['sip:@h', 'uri'],
    ['sip:a@a..b', 'uri'],
    ['sip:a@.b', 'uri'],
    ['sip:a@b..', 'uri'],
    ['sip:a@-b.c', 'uri'],
    ['sip:a@b-.c', 'uri'],
    ['sip:a@b.1c', 'uri'],
    ['sip:a@1.2.3', 'uri'],
    ['sip:a@1.2.3.400', 'uri'],
    ['sip:a@', 'uri'],
    ['sip:a@h:0', 'uri'],
    ['sip:a@h:65536', 'uri'],
    ['sip:a@h:', 'uri'],
    ['sip:a b@h', 'uri'],
    ['sip:a@b@c', 'uri'],
    ['sip:a@[::g]', 'uri'],
    ['sip:a@h;', 'uri'],
    ['sip:a@h;x=1;X=2', 'uri'],
    ['sip:%zz@h', 'uri'],
    ['sip:%ff@h', 'uri'],
    ['sip:a@h\r\n', 'uri'],
    ['<sip:a@h>', 'scheme'],
    ['sip:a%0d%0ab@h', 'control-character'],
    ['sip:a@h;x=%00', 'control-character'],
    ['sip:a@h?X=%0a', 'control-character'],
  ])('%s throws %s', (text, code) => {
    expect(() => parseUri(text)).toThrow(expect.objectContaining({ name: 'SipSyntaxError', code }));
  });

  it('whatever is formatted reads back the same', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((part) => !/\p{Cc}/u.test(part));
    const some = text.filter((part) => part !== '');
    fc.assert(
      fc.property(
        some,
        text,
        fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), text),
        (user, password, params) => {
          const uri: SipUri = {
            scheme: 'sip',
            user,
            password,
            host: 'h.example',
            port: 5080,
            params: new Map(Object.entries(params)),
            headers: [['X-A', password]],
          };
          expect(plain(parseUri(formatUri(uri)))).toEqual(plain(uri));
        },
      ),
      { seed: 1, numRuns: 500 },
    );
  });

  it('a control character is not formatted', () => {
    const uri = { ...parseUri('sip:a@h'), user: 'a\r\nb' };
    expect(() => formatUri(uri)).toThrow(expect.objectContaining({ code: 'control-character' }));
  });
});

describe('addresses', () => {
  it.each([
    ['"A \\"B\\" \u00c3\u00bc" <sip:a@b>;tag=1', { name: 'A "B" ü', uri: 'sip:a@b' }],
    ['A  B <sip:a@b;x>', { name: 'A  B', uri: 'sip:a@b;x' }],
    ['<tel:+1>', { name: '', uri: 'tel:+1' }],
    ['sip:a@b;tag=1', { name: '', uri: 'sip:a@b' }],
  ])('%s', (value, expected) => {
    expect(parseNameAddr(value)).toMatchObject(expected);
  });

  it.each([
    '',
    'a',
    '<sip:a@b',
    '"a <sip:a@b>',
    'A, B <sip:a@b>',
    '< sip:a@b >',
    '<sip:a@b>;;',
    'sip:a@b?X=1',
    '"a" x <sip:a@b>',
  ])('"%s" throws SipSyntaxError', (value) => {
    expect(() => parseNameAddr(value)).toThrow(expect.objectContaining({ name: 'SipSyntaxError' }));
  });

  it('a name is quoted and comes back', () => {
    const value = formatNameAddr('sip:a@b', 'Zoë "Z" \\');
    expect(parseNameAddr(value).name).toBe('Zoë "Z" \\');
  });

  it.each([
    ['<sip:p;lr>', true],
    ['<sip:p;LR=on;x>', true],
    ['<sip:p;lrx>', false],
    ['<sip:p>;lr', false],
  ])('%s is a loose route: %s', (route, loose) => {
    expect(isLooseRoute(route)).toBe(loose);
  });
});

describe('Via', () => {
  const source = { address: '192.0.2.9', port: 1234 };
  it.each([
    ['SIP/2.0/UDP 192.0.2.9:5060;branch=b', 'SIP/2.0/UDP 192.0.2.9:5060;branch=b'],
    ['SIP/2.0/UDP 192.0.2.9;Received=1.1.1.1;branch=b', 'SIP/2.0/UDP 192.0.2.9;branch=b'],
    ['SIP/2.0/UDP 192.0.2.9;branch=b;rport', 'SIP/2.0/UDP 192.0.2.9;branch=b;received=192.0.2.9;rport=1234'],
    ['SIP/2.0/UDP host;rport;branch=b', 'SIP/2.0/UDP host;branch=b;received=192.0.2.9;rport=1234'],
    ['SIP/2.0/UDP 10.0.0.1;branch=b', 'SIP/2.0/UDP 10.0.0.1;branch=b;received=192.0.2.9'],
    [
      'SIP/2.0/UDP 10.0.0.1;received=1.1.1.1;branch=b, SIP/2.0/UDP x',
      'SIP/2.0/UDP 10.0.0.1;branch=b;received=192.0.2.9, SIP/2.0/UDP x',
    ],
  ])('%s goes back as %s', (value, stamped) => {
    expect(stampVia(value, new Via(value), source)).toBe(stamped);
  });

  it.each(['', 'SIP/2.0/UDP', 'SIP/2.0/UDP ;branch=b', 'UDP host', 'SIP/2.0 host'])(
    '"%s" throws',
    (value) => {
      expect(() => new Via(value).check()).toThrow(expect.objectContaining({ name: 'SipSyntaxError' }));
    },
  );
});
