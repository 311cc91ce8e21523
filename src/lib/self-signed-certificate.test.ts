import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { seededRandom } from './random.ts';
import { selfSignedCertificate } from './self-signed-certificate.ts';

const make = (names: readonly string[], fromMs = Date.UTC(2026, 0, 2), toMs = Date.UTC(2036, 0, 2)) =>
  selfSignedCertificate({ names, fromMs, toMs, random: seededRandom(1) });

describe('a self-signed certificate', () => {
  it('is read by OpenSSL, signed by its own key, and names what it was made for', () => {
    const { cert, key } = make(['tandem.example', '192.0.2.1', '2001:db8::1']);
    const certificate = new X509Certificate(cert);
    expect(certificate.subject).toBe('CN=tandem.example');
    expect(certificate.issuer).toBe(certificate.subject);
    expect(certificate.subjectAltName).toBe(
      'DNS:tandem.example, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1',
    );
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(certificate.ca).toBe(true);
    expect(certificate.serialNumber).toMatch(/^40[0-9A-F]{30}$/);
  });

  it.each([
    [
      Date.UTC(2026, 0, 2, 3, 4, 5),
      Date.UTC(2049, 11, 31),
      'Jan  2 03:04:05 2026 GMT',
      'Dec 31 00:00:00 2049 GMT',
    ],
    [Date.UTC(2026, 0, 2), Date.UTC(2051, 5, 7), 'Jan  2 00:00:00 2026 GMT', 'Jun  7 00:00:00 2051 GMT'],
  ])('is valid from %i to %i', (fromMs, toMs, from, to) => {
    const { validFrom, validTo } = new X509Certificate(make(['a'], fromMs, toMs).cert);
    expect([validFrom, validTo]).toEqual([from, to]);
  });

  it('takes many names, and refuses none', () => {
    const names = Array.from({ length: 40 }, (_, index) => `host-${index}.example`);
    expect(new X509Certificate(make(names).cert).subjectAltName?.split(', ')).toHaveLength(40);
    expect(() => make([])).toThrow(RangeError);
  });
});
