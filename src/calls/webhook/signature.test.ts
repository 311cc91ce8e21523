import twilio from 'twilio';
import { describe, expect, it } from 'vitest';
import { sign } from './signature.ts';

const PARAMETERS = [
  ['Digits', '1234'],
  ['To', '+18005551212'],
  ['From', '+14158675310'],
  ['Caller', '+14158675310'],
  ['CallSid', 'CA1234567890ABCDE'],
] as const;

describe('sign', () => {
  it('makes the signature of a known request', () => {
    expect(sign('12345', 'https://example.com/myapp.php?foo=1&bar=2', PARAMETERS)).toBe(
      'L/OH5YylLD5NRKLltdqwSvS0BnU=',
    );
  });

  it.each([
    'http://example.com/',
    'http://example.com:8080/path?a=b%20c',
    'https://example.com:8443/path',
    'http://[::1]:3000/x',
    'https://example.com/caf%C3%A9?q=%E2%9C%93',
  ])('is accepted by the official validator for %s', (url) => {
    const form = Object.fromEntries([...PARAMETERS, ['CallerName', 'Zoë ✓'], ['a', ''], ['A', 'x']]);
    const signature = sign('token', url, Object.entries(form));
    expect(twilio.validateRequest('token', signature, url, form)).toBe(true);
    expect(twilio.validateRequest('another', signature, url, form)).toBe(false);
  });

  it('leaves user info out', () => {
    const signature = sign('token', 'http://user:secret@example.com/x', []);
    expect(twilio.validateRequest('token', signature, 'http://example.com/x', {})).toBe(true);
  });

  it('signs the values of a repeated parameter each once', () => {
    const form = { tag: ['b', 'a', 'b'] };
    const signature = sign('token', 'http://example.com/', [
      ['tag', 'b'],
      ['tag', 'a'],
      ['tag', 'b'],
    ]);
    expect(twilio.validateRequest('token', signature, 'http://example.com/', form)).toBe(true);
  });
});
