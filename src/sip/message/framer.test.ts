import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_HEAD_OCTETS, StreamFramer } from './framer.ts';

const message = (body = '', headers = `Content-Length: ${body.length}\r\n`): string =>
  `OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bKx\r\n${headers}\r\n${body}`;

/** What a framer makes of octets that arrive in these pieces. */
function frame(pieces: readonly string[]) {
  const framer = new StreamFramer();
  const messages: string[] = [];
  let pings = 0;
  for (const piece of pieces) {
    const framed = framer.push(Buffer.from(piece, 'latin1'));
    messages.push(...framed.messages);
    pings += framed.pings;
    if (framed.fault) return { messages, pings, fault: framed.fault.code, isPartial: false };
  }
  return { messages, pings, fault: undefined, isPartial: framer.isPartial };
}

const [A, B, SMUGGLED] = [message(), message('v=0\r\n\r\nx'), message(message())];

describe('a stream', () => {
  it.each([
    ['nothing', '', { messages: [] }],
    ['one message', A, { messages: [A] }],
    ['two at once', A + B, { messages: [A, B] }],
    ['a body that looks like a message', SMUGGLED + A, { messages: [SMUGGLED, A] }],
    ['the compact form', message('abc', 'l:3\r\n'), { messages: [message('abc', 'l:3\r\n')] }],
    ['a folded length', message('abc', 'l:\r\n 3\r\n'), { messages: [message('abc', 'l:\r\n 3\r\n')] }],
    ['a body that is not there yet', B.slice(0, -1), { messages: [], isPartial: true }],
    ['half a head', A.slice(0, 20), { messages: [], isPartial: true }],
    ['a ping', '\r\n\r\n', { messages: [], pings: 1 }],
    ['two pings around a message', `\r\n\r\n${A}\r\n\r\n`, { messages: [A], pings: 2 }],
    ['an empty line before a message', `\r\n${A}`, { messages: [A] }],
    ['a pong', '\r\n', { messages: [] }],
    ['three empty lines and a message', `\r\n\r\n\r\n${A}`, { messages: [A], pings: 1 }],
    ['most of a ping', '\r\n\r', { messages: [] }],
  ])('of %s', (_, octets, expected) => {
    const whole = { pings: 0, fault: undefined, isPartial: false, ...expected };
    expect(frame([octets])).toEqual(whole);
    expect(frame([...octets])).toEqual(whole);
  });

  it.each([
    ['no Content-Length', message('', ''), 'content-length'],
    ['two', message('abc', 'Content-Length: 3\r\nl: 3\r\n'), 'content-length'],
    ['a negative one', message('', 'Content-Length: -1\r\n'), 'content-length'],
    ['a signed one', message('abc', 'Content-Length: +3\r\n'), 'content-length'],
    ['an endless one', message('', 'Content-Length: 99999999999999999999\r\n'), 'content-length'],
    ['more than a message may have', message('', 'Content-Length: 65536\r\n'), 'too-large'],
    ['a head without an end', `OPTIONS sip:a SIP/2.0\r\n${'X: y\r\n'.repeat(4000)}`, 'too-large'],
    ['a head that is too long', message('', `X: ${'y'.repeat(MAX_HEAD_OCTETS)}\r\nl: 0\r\n`), 'too-large'],
    ['a bare line feed', message('', 'X: y\nContent-Length: 0\r\n'), 'header'],
    ['headers that end early for others', message('', 'l: 0\r\nX: y\n\r\nl: 9\r\n'), 'header'],
    ['too many headers', message('', 'X:\r\n'.repeat(300)), 'too-many-headers'],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'start-line'],
    ['TLS', `\x16\x03\x01${'\0'.repeat(40)}\r\n\r\n`, 'start-line'],
    ['carriage returns only', '\r'.repeat(MAX_HEAD_OCTETS), 'too-large'],
  ])('with %s ends there, after what came before', (_, octets, fault) => {
    expect(frame([A + octets])).toEqual({ messages: [A], pings: 0, fault, isPartial: false });
    expect(frame([A, ...octets])).toEqual({ messages: [A], pings: 0, fault, isPartial: false });
  });

  it('takes a message of exactly 64 KiB', () => {
    const head = message('', 'Content-Length: 00000\r\n');
    const length = 65_536 - head.length;
    const largest = message('x'.repeat(length), `Content-Length: ${length}\r\n`);
    expect(largest).toHaveLength(65_536);
    expect(frame([largest]).messages).toEqual([largest]);
  });

  const part = fc.oneof(
    fc.string({ maxLength: 40 }).map((body) => message(body.replace(/[^\x20-\x7e]/g, '.'))),
    fc.constantFrom('\r\n', '\r\n\r\n', '\r\n\r\n\r\n', message('', ''), 'x\r\n\r\n', '\r'),
  );

  it('gives the same messages however it is split', () => {
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 6 }),
        fc.array(fc.nat(400), { maxLength: 20 }),
        (parts, cuts) => {
          const octets = parts.join('');
          const at = [
            0,
            ...cuts.filter((cut) => cut < octets.length).toSorted((a, b) => a - b),
            octets.length,
          ];
          const pieces = at.slice(1).map((end, index) => octets.slice(at[index], end));
          expect(frame(pieces)).toEqual(frame([octets]));
        },
      ),
      { seed: 4, numRuns: 2000 },
    );
  });

  it('survives any octets', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), (pieces) => {
        const octets = pieces.map((piece) => Buffer.from(piece).toString('latin1'));
        expect(frame(octets)).toEqual(frame([octets.join('')]));
      }),
      { seed: 5, numRuns: 1000 },
    );
  });
});
