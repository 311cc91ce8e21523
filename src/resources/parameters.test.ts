// Forms read by definitions: what is taken, what is refused and in which words.
import { describe, expect, it } from 'vitest';
import { formatEndpoint } from './api2010/call.ts';
import { dateTime, enumerationList } from './fields.ts';
import {
  byocTrunk,
  connectionPolicyTarget,
  type FieldValue,
  type Form,
  maskUserinfo,
  parseParameters,
} from './index.ts';

const form = (text: string): Form => {
  const values = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(text))
    values.set(name, [...(values.get(name) ?? []), value]);
  return values;
};

const target = (text: string) =>
  parseParameters(connectionPolicyTarget, form(`Target=sip:a.example&${text}`), 'create');

describe('values', () => {
  it.each<[string, string, FieldValue]>([
    ['Priority=0', 'priority', 0],
    ['Priority=65535', 'priority', 65535],
    ['Weight=1', 'weight', 1],
    ['Enabled=FALSE', 'enabled', false],
    ['Enabled=1', 'enabled', true],
    ['FriendlyName=', 'friendlyName', null],
    ['FriendlyName=%C3%BC%F0%9F%93%9E', 'friendlyName', 'ü📞'],
    [`FriendlyName=${'%F0%9F%93%9E'.repeat(255)}`, 'friendlyName', '📞'.repeat(255)],
    ['friendlyname=lower', 'friendlyName', null],
    ['SymmetricRtpEnabled=true', 'weight', 10],
    ['Sid=NE00000000000000000000000000000000', 'priority', 10],
  ])('%s', (text, field, value) => {
    const { values, errors } = target(text);
    expect(errors).toEqual([]);
    expect(values[field]).toEqual(value);
    expect(values).not.toHaveProperty('sid');
  });

  it('leaves out on update what was not given', () => {
    expect(parseParameters(connectionPolicyTarget, form('Weight=3'), 'update')).toEqual({
      values: { weight: 3 },
      errors: [],
    });
  });
});

describe('faults', () => {
  it.each([
    ['Priority=-1', 'Priority', 'must be a whole number from 0 to 65535'],
    ['Priority=65536', 'Priority', 'must be a whole number from 0 to 65535'],
    ['Priority=1.5', 'Priority', 'must be a whole number from 0 to 65535'],
    ['Priority=1e3', 'Priority', 'must be a whole number from 0 to 65535'],
    ['Priority=', 'Priority', 'must not be empty'],
    ['Priority=1&Priority=2', 'Priority', 'must be given only once'],
    ['Weight=0', 'Weight', 'must be a whole number from 1 to 65535'],
    ['Weight=0x10', 'Weight', 'must be a whole number from 1 to 65535'],
    ['Enabled=yes', 'Enabled', 'must be true or false'],
    ['Enabled=', 'Enabled', 'must not be empty'],
    [`FriendlyName=${'x'.repeat(256)}`, 'FriendlyName', 'must not be longer than 255 characters'],
  ])('%s', (text, parameter, reason) => {
    expect(target(text).errors).toEqual([{ parameter, fault: 'invalid', reason }]);
  });

  it('are collected, the missing one among them', () => {
    const { errors } = parseParameters(connectionPolicyTarget, form('Weight=0&Enabled=x'), 'create');
    expect(errors.map(({ parameter, fault }) => `${parameter} ${fault}`)).toEqual([
      'Target missing',
      'Weight invalid',
      'Enabled invalid',
    ]);
  });
});

describe('SIP URIs', () => {
  const errorsOf = (uri: string) =>
    parseParameters(connectionPolicyTarget, new Map([['Target', [uri]]]), 'create').errors;

  it.each([
    'sip:sip-box.com:1234',
    'SIP:a.example',
    'sip:a@b.c;transport=tcp',
    'sip:+4930123@[2001:db8::1]:5060;transport=udp?X-A=1&X-B=2',
    'sip:192.0.2.1',
    'sip:user:pass@host',
    'sip:host;lr',
    'sip:a%20b@host',
  ])('takes %s', (uri) => {
    expect(errorsOf(uri)).toEqual([]);
  });

  it.each([
    'sips:a.example',
    'https://www.example.com',
    'a.example',
    'sip:',
    'sip:@host',
    'sip:a@b@c',
    'sip:host:0',
    'sip:host:65536',
    'sip:host:x',
    'sip:ho st',
    'sip:a%0d%0aX@host',
    'sip:host?X=%0a',
    'sip:host\r\nX: y',
    'sip:<a>@host',
    'sip:host;a"b',
    'sip:[::g]',
    'sip:-a.example',
    'sip:a%2@host',
    'sip:a%@host',
    'sip:hôst',
    `sip:${'a'.repeat(300)}`,
    'sip:host;',
    'sip:host?',
    '\0sip:host',
  ])('refuses %j', (uri) => {
    expect(errorsOf(uri)).toMatchObject([{ parameter: 'Target', fault: 'invalid' }]);
  });
});

describe('URLs', () => {
  const parse = (url: string) => parseParameters(byocTrunk, new Map([['VoiceUrl', [url]]]), 'update');

  it.each([
    'https://a.example/x?y=1#rc=2',
    'http://127.0.0.1:3000',
    'http://user:pw@my_app:80/',
    'HTTPS://A.example/%zz',
  ])('takes %s as it is written', (url) => {
    expect(parse(url)).toEqual({ values: { voiceUrl: url }, errors: [] });
  });

  it.each([
    'ftp://a',
    '/path',
    'https:a.example',
    'https://',
    'javascript:alert(1)',
    'https://a b/',
    'http://a/\nb',
    'http://****@a/',
    `http://a/${'x'.repeat(4000)}`,
  ])('refuses %j', (url) => {
    expect(parse(url).errors).toMatchObject([{ parameter: 'VoiceUrl' }]);
  });

  it('clear, and are shown without user and password', () => {
    expect(parse('').values).toEqual({ voiceUrl: null });
    expect(maskUserinfo('https://bob:s3cr@t@a.example/p?q=x:y@z')).toBe('https://****@a.example/p?q=x:y@z');
    expect(maskUserinfo('https://:pw@a.example')).toBe('https://****@a.example');
    expect(maskUserinfo('https://a.example:80/x@y')).toBe('https://a.example:80/x@y');
  });

  it('have methods of two kinds', () => {
    const errors = ['PUT', 'HEAD', 'get', ''].map(
      (verb) => parseParameters(byocTrunk, form(`VoiceMethod=${verb}`), 'update').errors[0]?.reason,
    );
    expect(errors).toEqual([
      'must be GET or POST',
      'must be GET or POST',
      'must be GET or POST',
      'must not be empty',
    ]);
  });
});

describe('other kinds', () => {
  it('refuses a reference of the wrong prefix', () => {
    const errors = parseParameters(
      byocTrunk,
      form('ConnectionPolicySid=NE0123456789abcdef0123456789abcdef'),
      'create',
    ).errors;
    expect(errors).toEqual([
      { parameter: 'ConnectionPolicySid', fault: 'invalid', reason: 'must be a SID such as NY…' },
    ]);
  });

  it('reads lists repeated or separated by spaces, in the order of the definition', () => {
    const fields = { events: enumerationList(['a', 'b', 'c']).default([]) };
    const parse = (text: string) => parseParameters({ fields }, form(text), 'create');
    expect(parse('Events=c&Events=a').values).toEqual({ events: ['a', 'c'] });
    expect(parse('Events=b+a').values).toEqual({ events: ['a', 'b'] });
    expect(parse('').values).toEqual({ events: [] });
    expect(parse('Events=a&Events=x').errors[0]?.reason).toBe('must be a, b, or c');
  });

  it('reads dates', () => {
    expect(dateTime().parse('2026-01-31')).toEqual({ value: Date.UTC(2026, 0, 31) });
    expect(dateTime().parse('soon')).toHaveProperty('reason');
  });

  it('formats numbers of the +1 countries and leaves the rest', () => {
    expect(
      ['+14155550123', '+4930123456', 'sip:+14155550123@host', '+1', '+1999'].map(formatEndpoint),
    ).toEqual(['(415) 555-0123', '+4930123456', 'sip:+14155550123@host', '+1', '+1999']);
  });
});
