import { describe, expect, it } from 'vitest';
import {
  assertedIdentities,
  diversions,
  formatDiversion,
  formatPrivacy,
  mayShowCaller,
  preferredIdentities,
  privacyOf,
} from './identity.ts';
import { formatAddress } from './name-addr.ts';
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
    for (const bad of [{ protocol: 'a b' }, { text: 'a\r\nb' }, { cause: 1.5 }, { cause: Number.NaN }])
      expect(() => formatReason({ protocol: 'SIP', text: '', ...bad })).toThrow();
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

  it('P-Preferred-Identity is read like the asserted one', () => {
    expect(preferredIdentities(request('P-Preferred-Identity: <sip:a@h>, nonsense'))).toHaveLength(1);
  });
});

describe('identities are written', () => {
  it.each([
    [{ uri: 'tel:+15550100' }, '<tel:+15550100>'],
    [{ uri: 'sip:a@h', name: 'Ann "X" \\ Y' }, '"Ann \\"X\\" \\\\ Y" <sip:a@h>'],
    [{ uri: 'sip:a@h', name: 'Zoë' }, '"Zo\u00c3\u00ab" <sip:a@h>'],
    [
      {
        uri: 'sip:a@h',
        params: new Map([
          ['cid', '"1@h"'],
          ['lr', ''],
        ]),
      },
      '<sip:a@h>;cid="1@h";lr',
    ],
  ])('%j', (address, value) => {
    expect(formatAddress(address)).toBe(value);
    expect(assertedIdentities(request(`P-Asserted-Identity: ${value}`))).toEqual([
      { name: '', params: new Map(), ...address },
    ]);
  });

  it.each([
    { uri: 'sip:a@h>;tag=x' },
    { uri: 'sip:a@h\r\nX: y' },
    { uri: 'a' },
    { uri: '' },
    { uri: 'sip:ä@h' },
    { uri: 'sip:a@h', name: 'a\r\nX: y' },
    { uri: 'sip:a@h', params: new Map([['x', '1;y=2']]) },
    { uri: 'sip:a@h', params: new Map([['x y', '1']]) },
    { uri: 'sip:a@h', params: new Map([['x', '1, <sip:b@h>']]) },
  ])('but not %j', (address) => {
    expect(() => formatAddress(address)).toThrow(expect.objectContaining({ name: 'SipSyntaxError' }));
  });

  it.each([
    [{ uri: 'tel:+1', reason: 'user-busy' }, '<tel:+1>;reason=user-busy'],
    [{ uri: 'sip:a@h', name: 'A', reason: 'Do not', counter: 3 }, '"A" <sip:a@h>;reason="Do not";counter=3'],
  ])('Diversion %j', (diversion, value) => {
    expect(formatDiversion(diversion)).toBe(value);
    const [read] = diversions(request(`Diversion: ${value}`));
    expect(read).toMatchObject({ ...diversion, reason: diversion.reason.toLowerCase() });
  });

  it.each([{ counter: 0 }, { counter: 1.5 }, { reason: 'a\r\nX: y' }, { uri: 'x y' }])(
    'no Diversion %j',
    (part) => {
      expect(() => formatDiversion({ uri: 'sip:a@h', reason: 'unknown', ...part })).toThrow();
    },
  );

  it('Privacy', () => {
    expect(formatPrivacy(['id', 'critical'])).toBe('id;critical');
    for (const bad of [[], ['none', 'id'], ['a b'], [''], ['id\r\n']])
      expect(() => formatPrivacy(bad)).toThrow('bad Privacy');
  });
});
