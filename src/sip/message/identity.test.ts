import { describe, expect, it } from 'vitest';
import { assertedIdentities, diversions, mayShowCaller, privacyOf } from './identity.ts';
import { scanMessage } from './parse.ts';
import { formatReason, parseReason, q850CauseOf } from './reason.ts';

const request = (...lines: readonly string[]) =>
  scanMessage(`INVITE sip:h SIP/2.0\r\n${lines.join('\r\n')}\r\n\r\n`);

describe('Reason (RFC 3326)', () => {
  it.each([
    ['Q.850;cause=16;text="Terminated"', { protocol: 'Q.850', cause: 16, text: 'Terminated' }],
    [
      'SIP ;cause=600 ;text="Busy \\"Every\\" where"',
      { protocol: 'SIP', cause: 600, text: 'Busy "Every" where' },
    ],
    ['preemption', { protocol: 'preemption', text: '' }],
    ['SIP;cause=x;cause=2', { protocol: 'SIP', text: '' }],
  ])('%s', (value, reason) => {
    expect(parseReason(value)).toEqual(reason);
    expect(parseReason(formatReason(reason))).toEqual(reason);
  });

  it('comes several to a header, and refuses what is none', () => {
    const values = request('Reason: SIP;cause=200;text="a, b", Q.850;cause=16').headers('Reason');
    expect(values.map((value) => parseReason(value).cause)).toEqual([200, 16]);
    for (const bad of ['', ';cause=1', 'SIP cause', 'SIP;text="']) expect(() => parseReason(bad)).toThrow();
    expect(() => formatReason({ protocol: 'a b', text: '' })).toThrow();
    expect([200, 404, 486, 499].map(q850CauseOf)).toEqual([16, 1, 17, 31]);
  });
});

describe('identities', () => {
  it('P-Asserted-Identity: both of them, without the malformed', () => {
    const found = assertedIdentities(
      request('P-Asserted-Identity: "A, B" <sip:+1555@h>, <tel:+1555>', 'P-Asserted-Identity: <broken'),
    );
    expect(found.map(({ name, uri }) => [name, uri])).toEqual([
      ['A, B', 'sip:+1555@h'],
      ['', 'tel:+1555'],
    ]);
  });

  it('Diversion: the latest first', () => {
    const found = diversions(
      request(
        'Diversion: <sip:a@h>;reason=User-Busy;counter=2',
        'Diversion: <sip:b@h>;reason="no-answer";counter=x',
      ),
    );
    expect(found.map(({ uri, reason, counter }) => [uri, reason, counter])).toEqual([
      ['sip:a@h', 'user-busy', 2],
      ['sip:b@h', 'no-answer', 1],
    ]);
  });

  it.each([
    [['Privacy: id;critical'], false],
    [['Privacy: Header ; user'], false],
    [['Privacy: none'], true],
    [['Privacy: session'], true],
    [['From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=1'], false],
    [['From: <sip:+1@h>;tag=1'], true],
  ])('%j may be shown: %s', (lines, shown) => {
    expect(mayShowCaller(request(...lines))).toBe(shown);
  });

  it('Privacy values are told apart', () => {
    expect([...privacyOf(request('Privacy: ID; critical ;'))]).toEqual(['id', 'critical']);
  });
});
