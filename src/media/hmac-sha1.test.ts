import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../lib/random.ts';
import { HmacSha1 } from './hmac-sha1.ts';

describe('HMAC-SHA1', () => {
  it.each([
    ['RFC 2202 1', '0b'.repeat(20), 'Hi There', 'b617318655057264e28bc0b6fb378c8ef146be00'],
    [
      'RFC 2202 2',
      Buffer.from('Jefe').toString('hex'),
      'what do ya want for nothing?',
      'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79',
    ],
    ['RFC 2202 3', 'aa'.repeat(20), '\xdd'.repeat(50), '125d7342b9ac11cd91a39af48aa17b4f63f175d3'],
  ])('is that of %s', (_, key, text, hash) => {
    const bytes = Buffer.from(text, 'latin1');
    expect(new HmacSha1(Buffer.from(key, 'hex')).of(bytes, bytes.length).toString('hex')).toBe(hash);
  });

  it('is that of node:crypto for every length, with and without a suffix, whatever was hashed before', () => {
    const random = seededRandom(1);
    const bytes = (count: number) => Buffer.from(random.hex(count), 'hex');
    const keys = [1, 20, 64].map(bytes).map((key) => ({ key, hmac: new HmacSha1(key) }));
    for (let length = 1; length <= 300; length++) {
      const packet = bytes(length);
      const suffix = bytes(4);
      for (const { key, hmac } of keys) {
        const expected = createHmac('sha1', key).update(packet).digest();
        const suffixed = createHmac('sha1', key).update(packet).update(suffix).digest();
        expect(hmac.of(packet, length)).toEqual(expected);
        expect(hmac.of(packet, length, suffix.readUInt32BE())).toEqual(suffixed);
      }
    }
  });

  it('takes no key that is longer than a block', () => {
    expect(() => new HmacSha1(new Uint8Array(65))).toThrow(RangeError);
  });
});
