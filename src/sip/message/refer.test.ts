import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanMessage } from './parse.ts';
import {
  formatReferTo,
  formatReplaces,
  parseReferTo,
  parseReplaces,
  type ReferTarget,
  referredBy,
} from './refer.ts';

describe('Replaces (RFC 3891)', () => {
  it.each([
    [
      '425928@bobster.example.org;to-tag=7743;from-tag=6472',
      { callId: '425928@bobster.example.org', toTag: '7743', fromTag: '6472', earlyOnly: false },
    ],
    [
      '98732@sip.example.com ;from-tag=r33th4x0r ;to-tag=ff87ff;early-only',
      { callId: '98732@sip.example.com', toTag: 'ff87ff', fromTag: 'r33th4x0r', earlyOnly: true },
    ],
    [
      '12adf2f34456gs5;to-tag=12345;from-tag=54321;x=y',
      { callId: '12adf2f34456gs5', toTag: '12345', fromTag: '54321', earlyOnly: false },
    ],
  ])('%s', (value, replaces) => {
    expect(parseReplaces(value)).toEqual(replaces);
    expect(parseReplaces(formatReplaces(replaces))).toEqual(replaces);
  });

  it.each([
    '',
    'a',
    ';to-tag=1;from-tag=2',
    'a;to-tag=1',
    'a b;to-tag=1;from-tag=2',
    'a;to-tag="1";from-tag=2',
    'a;to-tag=1;from-tag=2;TO-TAG=3',
    'a;to-tag=1;from-tag=2;from-tag=2',
  ])('"%s" is none', (value) => {
    expect(() => parseReplaces(value)).toThrow(expect.objectContaining({ name: 'SipSyntaxError' }));
  });

  it.each([
    { callId: 'a;b' },
    { callId: 'a\r\nX: y' },
    { callId: '' },
    { toTag: '1;early-only' },
    { fromTag: '' },
    { fromTag: '1\r\n' },
  ])('%j cannot be written', (part) => {
    const replaces = { callId: 'a@b', toTag: '1', fromTag: '2', earlyOnly: false };
    expect(() => formatReplaces({ ...replaces, ...part })).toThrow('bad Replaces');
  });
});

describe('Refer-To (RFC 3515)', () => {
  it.each<readonly [string, ReferTarget]>([
    ['<sip:alice@atlanta.example.com>', { uri: 'sip:alice@atlanta.example.com', method: 'INVITE' }],
    ['sip:bob@h;x=1', { uri: 'sip:bob@h', method: 'INVITE' }],
    [
      '<sip:conf44@example.com;method=SUBSCRIBE;isfocus>',
      { uri: 'sip:conf44@example.com;isfocus', method: 'SUBSCRIBE' },
    ],
    ['<tel:+15550100>', { uri: 'tel:+15550100', method: 'INVITE' }],
    [
      'Dave <sip:dave@denver.example.org?Accept-Contact=x&Replaces=12345%40192.0.2.1%3Bto-tag%3D12345%3Bfrom-tag%3D5FFE-3994>',
      {
        uri: 'sip:dave@denver.example.org',
        method: 'INVITE',
        replaces: { callId: '12345@192.0.2.1', toTag: '12345', fromTag: '5FFE-3994', earlyOnly: false },
      },
    ],
    [
      '<sip:sales@pbx.example?X-Ticket=a%20b&Subject=no&x-queue=7>',
      {
        uri: 'sip:sales@pbx.example',
        method: 'INVITE',
        headers: [
          ['X-Ticket', 'a b'],
          ['x-queue', '7'],
        ],
      },
    ],
  ])('%s', (value, target) => {
    expect(parseReferTo(value)).toEqual(target);
    expect(parseReferTo(formatReferTo(target))).toEqual(target);
  });

  it.each([
    '',
    '<sip:a@b',
    '<sip:a@b?Replaces=x>',
    '<sip:a@b?Replaces=c%3Bto-tag%3D1%3Bfrom-tag%3D1&Replaces=d%3Bto-tag%3D1%3Bfrom-tag%3D1>',
    '<sip:a@b?Replaces=a%0d%0ab%3Bto-tag%3D1%3Bfrom-tag%3D1>',
    '<sip:@>',
  ])('"%s" is none', (value) => {
    expect(() => parseReferTo(value)).toThrow(expect.objectContaining({ name: 'SipSyntaxError' }));
  });

  it('what is written is read back, or refused', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.nat(0x17f).map((code) => String.fromCharCode(code)) }),
        fc.constantFrom('sip:a@b', 'tel:+1', 'http://h/'),
        (text, start) => {
          const uri = start + text;
          let value: string;
          try {
            value = formatReferTo({ uri, method: 'INVITE' });
          } catch {
            return;
          }
          expect(value).toMatch(/^<[\x21-\x7e]+>$/);
          expect(formatReferTo(parseReferTo(value))).toBe(value);
        },
      ),
      { seed: 3515 },
    );
  });
});

describe('Referred-By (RFC 3892)', () => {
  const by = (line: string) => referredBy(scanMessage(`REFER sip:h SIP/2.0\r\n${line}\r\n\r\n`));

  it('is an address, in the compact form too', () => {
    const referrer = by('b: "Ref, A" <sip:referrer@example>;cid="20398823.2UWQFN309shb3@referrer.example"');
    expect(referrer).toMatchObject({ name: 'Ref, A', uri: 'sip:referrer@example' });
    expect(referrer?.params.get('cid')).toBe('"20398823.2UWQFN309shb3@referrer.example"');
    expect([by('Referred-By: <sip:broken'), by('To: x')]).toEqual([undefined, undefined]);
  });
});
