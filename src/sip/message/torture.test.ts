// RFC 4475: every message of it, with what becomes of it here. Requests: `ok` or the status that refuses them.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inviteRefusal, methodRefusal, refusalOf } from './check.ts';
import { HEADER } from './headers.ts';
import type { SipMessage } from './message.ts';
import { parseNameAddr } from './name-addr.ts';
import { scanMessage } from './parse.ts';

const folder = new URL('./fixtures/rfc4475/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(`${name}.dat`, folder), 'latin1');

/** Status a request is refused with, in the order the stack asks; 0 when it is taken. */
function verdict(request: SipMessage): number {
  const refusal = refusalOf(request) ?? methodRefusal(request.method);
  return refusal?.status ?? (request.method === 'INVITE' ? (inviteRefusal(request)?.status ?? 0) : 0);
}

const REQUESTS: readonly (readonly [name: string, section: string, status: number])[] = [
  ['wsinv', '3.1.1.1 a short tortuous INVITE', 0],
  ['intmeth', '3.1.1.2 wide range of valid characters', 501],
  ['esc01', '3.1.1.3 valid use of %-escaping', 0],
  ['escnull', '3.1.1.4 escaped nulls in URIs', 405],
  ['esc02', '3.1.1.5 % that is no escape', 501],
  ['lwsdisp', '3.1.1.6 no space between name and <', 0],
  ['longreq', '3.1.1.7 long values', 0],
  ['dblreq', '3.1.1.8 extra octets in the datagram', 405],
  ['semiuri', '3.1.1.9 semicolon-separated user parameters', 0],
  ['transports', '3.1.1.10 varied and unknown transports', 0],
  ['mpart01', '3.1.1.11 multipart MESSAGE', 405],
  ['badinv01', '3.1.2.1 extraneous separators', 400],
  ['clerr', '3.1.2.2 Content-Length larger than message', 400],
  ['ncl', '3.1.2.3 negative Content-Length', 400],
  ['scalar02', '3.1.2.4 overlarge request scalars', 400],
  ['quotbal', '3.1.2.6 unterminated quoted string', 400],
  ['ltgtruri', '3.1.2.7 <> around the Request-URI', 400],
  ['lwsruri', '3.1.2.8 LWS in the Request-URI', 400],
  ['lwsstart', '3.1.2.9 multiple SP in the start line', 400],
  ['trws', '3.1.2.10 SP at the end of the start line', 400],
  ['escruri', '3.1.2.11 escaped headers in the Request-URI', 400],
  ['baddate', '3.1.2.12 invalid time zone in Date: not needed here', 0],
  ['regbadct', '3.1.2.13 Contact with ? without <>', 405],
  ['badaspec', '3.1.2.14 spaces within addr-spec', 400],
  ['baddn', '3.1.2.15 non-token in an unquoted name', 400],
  ['badvers', '3.1.2.16 unknown protocol version', 505],
  ['mismatch01', '3.1.2.17 method mismatch', 400],
  ['mismatch02', '3.1.2.18 unknown method with CSeq mismatch', 400],
  ['badbranch', '3.2.1 branch that is the cookie alone', 0],
  ['insuf', '3.3.1 missing required fields', 400],
  ['unkscm', '3.3.2 unknown scheme in the Request-URI', 416],
  ['novelsc', '3.3.3 known but atypical scheme', 416],
  ['unksm2', '3.3.4 unknown schemes in other headers', 405],
  ['bext01', '3.3.5 Require with unknown tags', 420],
  ['invut', '3.3.6 unknown Content-Type', 415],
  ['regaut01', '3.3.7 unknown authorization scheme', 405],
  ['multi01', '3.3.8 several values where one is allowed', 400],
  ['mcl01', '3.3.9 several Content-Lengths', 400],
  ['zeromf', '3.3.11 Max-Forwards 0: OPTIONS is answered by whom it reaches', 0],
  ['cparam01', '3.3.12 unknown Contact parameter', 405],
  ['cparam02', '3.3.13 unknown URI parameter in Contact', 405],
  ['regescrt', '3.3.14 escaped header in Contact', 405],
  ['sdp01', '3.3.15 unacceptable Accept: the answer is SDP all the same', 0],
  ['inv2543', '3.4.1 INVITE of RFC 2543', 0],
];

const RESPONSES: readonly (readonly [name: string, section: string, usable: boolean])[] = [
  ['unreason', '3.1.1.12 unusual reason phrase', true],
  ['noreason', '3.1.1.13 empty reason phrase', true],
  ['scalarlg', '3.1.2.5 overlarge response scalars', false],
  ['bigcode', '3.1.2.19 overlarge response code', false],
  ['bcast', '3.3.10 200 with a broadcast Via: two Vias, so it is dropped', false],
];

describe('RFC 4475', () => {
  it('has a verdict here for every message', () => {
    const tested = [...REQUESTS, ...RESPONSES].map(([name]) => `${name}.dat`);
    expect([...tested, 'test.dat'].toSorted()).toEqual(readdirSync(folder).toSorted());
  });

  it.each(REQUESTS)('%s (%s) → %i', (name, _, status) => {
    expect(verdict(scanMessage(read(name)))).toBe(status);
  });

  it.each(RESPONSES)('%s (%s) is usable: %s', (name, _, usable) => {
    const response = scanMessage(read(name));
    const isUsable = (): boolean =>
      !response.fault &&
      response.headers('Via').length === 1 &&
      response.seq >= 0 &&
      response.seqMethod !== '';
    if (usable) expect(isUsable()).toBe(true);
    else expect(safely(isUsable)).toBe(false);
  });

  it('a request line without a version is no SIP', () => {
    expect(() => scanMessage(read('test'))).toThrow(expect.objectContaining({ code: 'start-line' }));
  });
});

const safely = (ask: () => boolean): boolean => {
  try {
    return ask();
  } catch {
    return false;
  }
};

describe('the fields of the valid ones', () => {
  it('wsinv: folding, compact forms, spaces everywhere', () => {
    const message = scanMessage(read('wsinv'));
    expect(message.fromTag).toBe('98asjd8');
    expect(message.toTag).toBe('1918181833n');
    expect([message.seq, message.seqMethod]).toEqual([9, 'INVITE']);
    expect([message.via.sentBy, message.via.branch]).toEqual(['192.0.2.2', '390skdjuw']);
    expect(message.headers('Via')).toHaveLength(3);
    expect(message.header('newfangledheader')).toBe('newfangled value continued newfangled value');
    expect(message.header('Subject')).toBe('');
    expect(parseNameAddr(message.value(HEADER.from) ?? '').name).toBe('J Rosenberg \\"');
    const contact = parseNameAddr(message.header('Contact') ?? '');
    expect(contact.uri).toBe('sip:jdrosen@example.com');
    expect(contact.params.get('q')).toBe('0.33');
    expect(message.body).toHaveLength(150);
  });

  it('intmeth: octets above 127 and escaped controls are kept', () => {
    const message = scanMessage(read('intmeth'));
    expect(message.method).toBe("!interesting-Method0123456789_*+`.%indeed'~");
    expect(parseNameAddr(message.value(HEADER.to) ?? '').name).toBe('BEL:\u0007 NUL:\u0000 DEL:\u007f');
    expect(message.fromTag).toBe("_token~1'+`*%!-.");
    const extension = message.header("extensionHeader-!.%*+_`'~") ?? '';
    expect(Buffer.from(extension, 'latin1').toString('utf8')).toBe('\ufeff\u5927\u505c\u96fb');
  });

  it('unreason and noreason', () => {
    expect(scanMessage(read('unreason')).status).toBe(200);
    expect(scanMessage(read('noreason'))).toMatchObject({ status: 100, reason: '' });
  });

  it('dblreq: what follows the body is not looked at', () => {
    expect(scanMessage(read('dblreq'))).toMatchObject({ method: 'REGISTER', body: '' });
  });

  it('esc02: an escaped header name is another name', () => {
    expect(scanMessage(read('esc02')).headers('Contact')).toHaveLength(2);
  });
});
