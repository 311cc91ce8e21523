import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusalOf } from './check.ts';
import { MAX_HEADERS, parseMessage, scanMessage } from './parse.ts';
import { serializeResponse } from './serialize.ts';
import { SipSyntaxError } from './syntax-error.ts';

const HEAD = [
  'INVITE sip:a@example.com SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKabc;rport',
  'From: "A" <sip:a@example.com;tag=no>;x=1;tag=from1',
  'To: <sip:b@example.com>',
  'Call-ID: c1',
  'CSeq: 7 INVITE',
];
const message = (...more: string[]): string => [...HEAD, ...more].join('\r\n');

describe('parseMessage', () => {
  it('reads the fields of a request', () => {
    const parsed = parseMessage(
      message('m: <sip:a@192.0.2.1>, <sip:z@192.0.2.9>', 'l: 2', '', 'hi and more'),
    );
    expect(parsed).toMatchObject({ method: 'INVITE', uri: 'sip:a@example.com', status: 0, body: 'hi' });
    expect([parsed.callId, parsed.fromTag, parsed.toTag, parsed.seq]).toEqual(['c1', 'from1', '', 7]);
    expect(parsed.header('CONTACT')).toBe('<sip:a@192.0.2.1>');
    expect(parsed.headers('contact')).toEqual(['<sip:a@192.0.2.1>', '<sip:z@192.0.2.9>']);
    expect(parsed.header('X-None')).toBeUndefined();
  });

  it('without Content-Length the body is the rest; it is UTF-8 when asked for', () => {
    const octets = Buffer.from(message('', 'grüße'), 'utf8').toString('latin1');
    expect(parseMessage(octets).body).toBe('grüße');
    expect(parseMessage(octets).bodyOctets).toHaveLength(7);
  });

  it('shows headers of others by how their names begin, as they were written, folded or not', () => {
    const parsed = parseMessage(
      message('X-Route-Id: 7', 'x-empty:', 'Xylophone: 1', 'X-Route-Id: a,\r\n b', 'Date: x-', '', ''),
    );
    expect(parsed.extensions('X-')).toEqual([
      ['X-Route-Id', '7'],
      ['x-empty', ''],
      ['X-Route-Id', 'a, b'],
    ]);
    expect(parsed.extensions('Via')).toEqual([]);
  });

  it('splits lists where the grammar has them, and nowhere else', () => {
    const parsed = parseMessage(
      message('Allow: INVITE, ACK', 'Allow: BYE', 'X-List: a, b', 'Date: Sat, 1 Jan', '', ''),
    );
    expect(parsed.headers('Allow')).toEqual(['INVITE', 'ACK', 'BYE']);
    expect(parsed.headers('X-List')).toEqual(['a, b']);
    expect(parsed.header('Date')).toBe('Sat, 1 Jan');
  });

  it('commas in quotes and brackets split nothing', () => {
    const parsed = parseMessage(message('Contact: "a, b" <sip:a,b@c>;x="1,2", <sip:d@e>', '', ''));
    expect(parsed.headers('Contact')).toEqual(['"a, b" <sip:a,b@c>;x="1,2"', '<sip:d@e>']);
  });

  it.each([
    ['<sip:a@b;tag=uri>', ''],
    ['<sip:a@b>;tag=1', '1'],
    ['sip:a@b;tag=1', '1'],
    ['<sip:a@b>; TAG = 1 ;x', '1'],
    ['"x;tag=evil" <sip:a@b>;tag=good', 'good'],
    ['"\\";tag=evil" <sip:a@b>;y=";tag=evil";tag=good', 'good'],
    ['<sip:a@b>;xtag=2;tag=1', '1'],
    ['<sip:a@b>;mytag=2', ''],
  ])('the tag of %s is %s', (to, tag) => {
    expect(parseMessage(HEAD.join('\r\n').replace('<sip:b@example.com>', to) + '\r\n\r\n').toTag).toBe(tag);
  });

  it.each([
    ['an LF without CR', message('X: 1\nY: 2', '', ''), 'header'],
    ['a line without a colon', message('Foobar roobar', '', ''), 'header'],
    ['no empty line', message('X: 1', ''), 'header'],
    ['an unfinished line', message('X: 1'), 'header'],
    ['a body that is too short', message('Content-Length: 5', '', 'abcd'), 'content-length'],
    ['Content-Length twice', message('Content-Length: 0', 'l: 0', '', ''), 'content-length'],
    ['a Content-Length with a sign', message('Content-Length: +1', '', 'a'), 'content-length'],
    ['too many headers', message(...Array<string>(MAX_HEADERS).fill('X: 1'), '', ''), 'too-many-headers'],
    ['more than 64 KiB', message('', 'x'.repeat(65_536)), 'too-large'],
    ['another version', message('', '').replace('SIP/2.0\r', 'SIP/3.0\r'), 'version'],
    ['no SIP', 'GET / HTTP/1.1\r\n\r\n', 'start-line'],
    ['nothing', '', 'start-line'],
  ])('%s throws SipSyntaxError', (_, octets, code) => {
    expect(() => parseMessage(octets)).toThrow(expect.objectContaining({ name: 'SipSyntaxError', code }));
  });
});

describe('refusalOf', () => {
  it.each([
    ['a request in order', (text: string) => text, undefined],
    ['CSeq of 2^31', (text: string) => text.replace('CSeq: 7', 'CSeq: 2147483648'), 400],
    ['CSeq of 2^31 - 1', (text: string) => text.replace('CSeq: 7', 'CSeq: 2147483647'), undefined],
    ['CSeq of another method', (text: string) => text.replace('7 INVITE', '7 BYE'), 400],
    ['two From', (text: string) => text.replace('Call-ID', 'f: <sip:x@y>\r\nCall-ID'), 400],
    ['a From parameter without a name', (text: string) => text.replace('tag=from1', 'tag=from1;=x'), 400],
    ['a name in From that is no token', (text: string) => text.replace('From: ', 'From: a@b '), 400],
    ['no To', (text: string) => text.replace('To: <sip:b@example.com>\r\n', ''), 400],
    ['an empty Call-ID', (text: string) => text.replace('c1', ''), 400],
    ['Max-Forwards 256', (text: string) => text.replace('Call-ID', 'Max-Forwards: 256\r\nCall-ID'), 400],
    ['a tel Request-URI', (text: string) => text.replace('sip:a@example.com SIP', 'tel:+1 SIP'), 416],
    [
      'an escaped CR LF in the Request-URI',
      (text: string) => text.replace('a@example.com SIP', 'a%0d%0a@b SIP'),
      400,
    ],
    ['Require', (text: string) => text.replace('Call-ID', 'Require: x\r\nCall-ID'), 420],
    ['a Via port of 0', (text: string) => text.replace(':5070', ':0'), 400],
    ['a Via parameter without a name', (text: string) => text.replace(';rport', ';;'), 400],
  ])('%s → %s', (_, change, status) => {
    expect(refusalOf(scanMessage(change(message('', ''))))?.status).toBe(status);
  });

  it('names what it does not support', () => {
    const request = scanMessage(message('Require: 100rel, x, TIMER', 'Require: y', '', ''));
    expect(refusalOf(request)?.headers).toEqual([['Unsupported', 'x, y']]);
  });
});

it('a carriage return in a name is no hyphen', () => {
  const request = scanMessage(message('Call\rID: forged', 'Content\rLength: 1', '', 'body'));
  expect(request.body).toBe('body');
  expect(request.headers('Call-ID')).not.toContain('forged');
});

describe('mutated messages', () => {
  const valid = message(
    'Contact: <sip:a@192.0.2.1>',
    'Record-Route: <sip:p;lr>',
    'X-A: b',
    'Content-Length: 3',
    '',
    'abc',
  );
  const PIECES = [
    '\r\n',
    '\n',
    '\r',
    '\0',
    ' ',
    ';',
    ',',
    '"',
    '<',
    '>',
    '%',
    '@',
    ':',
    '=',
    '\\',
    '\u00ff',
    'tag=',
    '9',
  ];

  /** Everything the stack does with a message before it knows whom it concerns. */
  function use(octets: string): void {
    const parsed = scanMessage(octets);
    const refusal = parsed.isRequest ? refusalOf(parsed) : undefined;
    if (parsed.isRequest) {
      const status = refusal?.status ?? 200;
      const parts = { status, reason: 'x', toTag: 't', headers: refusal?.headers ?? [] };
      const response = serializeResponse(parsed, { address: '192.0.2.1', port: 1 }, parts);
      expect(response.endsWith('Content-Length: 0\r\n\r\n')).toBe(true);
      if (!refusal) expect(parseMessage(response).headers('Call-ID')).toEqual([parsed.callId]);
    }
    if (refusal) return;
    void [parsed.via, parsed.fromTag, parsed.toTag, parsed.seq, parsed.seqMethod, parsed.body];
    for (const name of ['Via', 'Contact', 'Record-Route', 'X-A'])
      void [parsed.header(name), parsed.headers(name)];
  }

  it('throw nothing but SipSyntaxError, and every request that is taken can be answered', () => {
    const mutation = fc.record({
      at: fc.nat(valid.length),
      cut: fc.nat(6),
      put: fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary-ascii', maxLength: 4 })),
    });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), (mutations) => {
        let octets = valid;
        for (const { at, cut, put } of mutations) octets = octets.slice(0, at) + put + octets.slice(at + cut);
        try {
          use(octets);
        } catch (error) {
          if (!(error instanceof SipSyntaxError)) throw error;
        }
      }),
      { seed: 4475, numRuns: 20_000, interruptAfterTimeLimit: 2000 },
    );
  });
});
