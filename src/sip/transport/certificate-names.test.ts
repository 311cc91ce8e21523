import { describe, expect, it } from 'vitest';
import { certificateNames, isNamed } from './certificate-names.ts';

describe('the names of a certificate', () => {
  it.each([
    ['DNS:A.example, DNS:b.example', 'cn.example', ['a.example', 'b.example']],
    ['URI:sip:example.com, DNS:a.example', undefined, ['example.com']],
    ['URI:sip:bob@example.com, DNS:a.example', undefined, ['a.example']],
    ['URI:sips:example.com, DNS:a.example', undefined, ['a.example']],
    ['URI:https://example.com, DNS:a.example', undefined, ['a.example']],
    ['IP Address:192.0.2.1, DNS:a.example', undefined, ['a.example', '192.0.2.1']],
    ['DNS:192.0.2.1', undefined, []],
    ['URI:sip:192.0.2.1', undefined, []],
    ['DNS:"a.example, DNS:b.example"', undefined, []],
    ['email:x@a.example', 'cn.example', []],
    [undefined, 'CN.example', ['cn.example']],
    [undefined, ['a.example', 'b.example'], ['a.example', 'b.example']],
    [undefined, '192.0.2.1', []],
    [undefined, undefined, []],
  ])('%s with the common name %s', (subjectAltName, commonName, names) => {
    expect(certificateNames(subjectAltName, commonName)).toEqual(names);
  });

  it.each([
    ['Sip.Example.', 'DNS:sip.example', true],
    ['a.sip.example', 'DNS:sip.example', false],
    ['sip.example', 'DNS:*.example', false],
    ['example', 'DNS:sip.example', false],
    ['192.0.2.1', 'IP Address:192.0.2.1', true],
    ['2001:db8::1', 'IP Address:2001:DB8:0:0:0:0:0:1', true],
    ['192.0.2.1', 'DNS:192.0.2.1', false],
  ])('%s is in %s: %s', (host, subjectAltName, expected) => {
    expect(isNamed(host, certificateNames(subjectAltName, undefined))).toBe(expected);
  });
});
