import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAiff, readAiff } from './aiff.ts';
import { readSunAudio, withSunHeader } from './sun-audio.ts';
import type { Wav } from './wav.ts';

/** 8000 and 44,100 as IEEE 754 numbers of 80 bits. */
const RATES: Record<number, string> = { 8000: '400bfa00000000000000', 44_100: '400eac44000000000000' };

const chunk = (name: string, body: Buffer, length = body.length): Buffer => {
  const head = Buffer.alloc(8);
  head.write(name, 'latin1');
  head.writeUInt32BE(length, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
};
const common = ({ channels = 1, bits = 16, rate = 8000, encoding = '' } = {}): Buffer => {
  const body = Buffer.alloc(8);
  body.writeUInt16BE(channels, 0);
  body.writeUInt16BE(bits, 6);
  return chunk(
    'COMM',
    Buffer.concat([body, Buffer.from(RATES[rate] ?? '', 'hex'), Buffer.from(encoding, 'latin1')]),
  );
};
const sound = (bytes: number[], offset = 0): Buffer =>
  chunk(
    'SSND',
    Buffer.concat([Buffer.of(0, 0, 0, offset, 0, 0, 0, 0), Buffer.alloc(offset), Buffer.of(...bytes)]),
  );
const aiff = (...chunks: Buffer[]): Buffer => Buffer.concat([Buffer.from('FORM\0\0\0\0AIFF'), ...chunks]);
const aifc = (...chunks: Buffer[]): Buffer => Buffer.concat([Buffer.from('FORM\0\0\0\0AIFC'), ...chunks]);

const sun = (encoding: number, data: number[], channels = 1): Buffer => {
  const header = Buffer.alloc(28);
  header.write('.snd', 'latin1');
  for (const [at, value] of [28, 0xffffffff, encoding, 16_000, channels].entries())
    header.writeUInt32BE(value, 4 + at * 4);
  return Buffer.concat([header, Buffer.of(...data)]);
};

/** Whatever stands at some place of the file, it is read, or refused with a RangeError. */
function survives(valid: Buffer, read: (bytes: Buffer) => Wav): void {
  fc.assert(
    fc.property(fc.nat(valid.length), fc.uint8Array({ maxLength: 8 }), (at, put) => {
      const bytes = Buffer.concat([valid.subarray(0, at), put, valid.subarray(at + put.length)]);
      try {
        return read(bytes).samples.length <= bytes.length;
      } catch (error) {
        return error instanceof RangeError;
      }
    }),
    { seed: 5, numRuns: 2000 },
  );
}

describe('readAiff', () => {
  it.each<[what: string, file: Buffer, rate: number, samples: number[]]>([
    ['16 bits', aiff(common(), sound([0, 1, 0xff, 0xff, 0x80, 0])), 8000, [1, -1, -32_768]],
    ['8 bits', aiff(common({ bits: 8 }), sound([1, 0xff])), 8000, [256, -256]],
    ['another rate', aiff(common({ rate: 44_100 }), sound([0, 1])), 44_100, [1]],
    ['both channels’ mean', aiff(common({ channels: 2 }), sound([0, 100, 0, 50])), 8000, [75]],
    ['sound before its format, and an offset', aiff(sound([0, 7], 4), common()), 8000, [7]],
    ['unknown chunks', aiff(chunk('NAME', Buffer.from('odd')), common(), sound([0, 7])), 8000, [7]],
    ['µ-law', aifc(common({ encoding: 'ulaw' }), sound([0x80, 0xff])), 8000, [32_124, 0]],
    ['A-law', aifc(common({ encoding: 'ALAW' }), sound([0xaa, 0x2a])), 8000, [32_256, -32_256]],
    ['little-endian PCM', aifc(common({ encoding: 'sowt' }), sound([1, 0])), 8000, [1]],
  ])('reads %s', (_, file, rate, samples) => {
    expect(isAiff(file)).toBe(true);
    const read = readAiff(file);
    expect(read.samplesPerSecond).toBe(rate);
    expect([...read.samples]).toEqual(samples);
  });

  it.each([
    ['no format', aiff(sound([0, 1])), /no "COMM"/],
    ['a short format', aiff(chunk('COMM', Buffer.alloc(12)), sound([0, 1])), /too short/],
    ['no samples', aiff(common()), /no "SSND"/],
    ['24 bits', aiff(common({ bits: 24 }), sound([0, 0, 1])), /16-bit/],
    ['GSM in it', aifc(common({ encoding: 'GSM ' }), sound([0, 1])), /encoding "GSM "/],
    ['three channels', aiff(common({ channels: 3 }), sound([0, 1, 0, 1, 0, 1])), /stereo/],
    ['half a sample', aiff(common(), sound([0, 1, 2])), /inside a sample/],
    ['a chunk cut off', aiff(common(), chunk('SSND', Buffer.alloc(8), 400)), /cut off/],
  ])('refuses %s', (_, file, message) => {
    expect(() => readAiff(file)).toThrow(message);
  });

  it('throws RangeError or reads, whatever the bytes', () => {
    survives(aiff(common(), sound([0, 1, 0, 2])), readAiff);
  });
});

describe('readSunAudio', () => {
  it.each<[what: string, file: Buffer, samples: number[]]>([
    ['µ-law', sun(1, [0x80, 0xff]), [32_124, 0]],
    ['A-law', sun(27, [0xaa, 0x2a]), [32_256, -32_256]],
    ['8 bits', sun(2, [1, 0xff]), [256, -256]],
    ['16 bits, stereo', sun(3, [0, 100, 0, 50], 2), [75]],
  ])('reads %s', (_, file, samples) => {
    expect(readSunAudio(file).samplesPerSecond).toBe(16_000);
    expect([...readSunAudio(file).samples]).toEqual(samples);
  });

  it('takes bare µ-law for 8 kHz, and leaves a header alone', () => {
    const file = withSunHeader(Buffer.of(0x80, 0xff));
    expect(readSunAudio(file)).toEqual({ samplesPerSecond: 8000, samples: Int16Array.of(32_124, 0) });
    expect(withSunHeader(file)).toEqual(file);
  });

  it.each([
    ['a short header', Buffer.from('.snd and little'), /too short/],
    ['ADPCM', sun(23, [1]), /encoding 23/],
    ['half a sample', sun(3, [1]), /inside a sample/],
    ['no channel', sun(1, [1], 0), /0 channels/],
  ])('refuses %s', (_, file, message) => {
    expect(() => readSunAudio(file)).toThrow(message);
  });

  it('throws RangeError or reads, whatever the bytes', () => {
    survives(sun(1, [1, 2, 3]), readSunAudio);
  });
});
