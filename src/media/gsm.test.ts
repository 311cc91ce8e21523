// What libgsm 1.0.22 makes of the same bits is known by its digest, as ours has to be the same to the bit.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toneGsm } from '../../test/support/tone-gsm.ts';
import { seededRandom } from '../lib/random.ts';
import { readGsm, readWavGsm } from './gsm.ts';
import { isGsm } from './gsm-frame.ts';
import { toneLevel } from './tone.ts';

const [FRAME_BYTES, BLOCK_BYTES] = [33, 65];

const digest = (samples: Int16Array): string => createHash('sha256').update(samples).digest('hex');

/** Every parameter has every value, lags that cannot be and sums that clip included. */
function anyFrames(count: number): Buffer {
  const bytes = Buffer.from(seededRandom(610).hex(count * FRAME_BYTES), 'hex');
  for (let at = 0; at < bytes.length; at += FRAME_BYTES) bytes[at] = 0xd0 | ((bytes[at] as number) & 0x0f);
  return bytes;
}

describe('GSM', () => {
  it('of a file is what libgsm decodes', () => {
    const samples = readGsm(anyFrames(200));
    expect(samples).toHaveLength(200 * 160);
    expect(digest(samples)).toBe('8258250e66b3536c7d03cf18b7edab93f67ba75cfd182ca4618eba0a009c6846');
  });

  it('of a WAV file, whose bits stand the other way round, is too', () => {
    const samples = readWavGsm(Buffer.from(seededRandom(49).hex(100 * BLOCK_BYTES), 'hex'));
    expect(samples).toHaveLength(100 * 320);
    expect(digest(samples)).toBe('72b0ac6ba549618a58de7be11a4f57430650832169c098d524378c0b130fcb47');
  });

  it('that was made of a tone is one', () => {
    const samples = readGsm(toneGsm(1));
    expect(toneLevel(samples, 1000)).toBeGreaterThan(0.4);
    for (const elsewhere of [500, 2000, 3000]) expect(toneLevel(samples, elsewhere)).toBeLessThan(0.01);
  });

  it.each<[string, Buffer, boolean]>([
    ['frames', anyFrames(3), true],
    ['nothing', Buffer.alloc(0), false],
    ['a frame that is cut off', anyFrames(3).subarray(0, 98), false],
    ['a frame without its signature', Buffer.concat([anyFrames(2), Buffer.alloc(FRAME_BYTES)]), false],
  ])('is found in %s: %#', (_what, bytes, isThere) => {
    expect(isGsm(bytes)).toBe(isThere);
  });

  it('of a WAV file ends at the end of a block', () => {
    expect(() => readWavGsm(Buffer.alloc(BLOCK_BYTES + 1))).toThrow('inside a block');
  });
});
