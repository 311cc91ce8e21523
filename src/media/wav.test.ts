import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readWav } from './wav.ts';

const chunk = (name: string, body: Buffer, length = body.length): Buffer => {
  const head = Buffer.alloc(8);
  head.write(name, 'latin1');
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
};
const format = ({ encoding = 1, channels = 1, rate = 8000, bits = 16 } = {}): Buffer => {
  const body = Buffer.alloc(16);
  body.writeUInt16LE(encoding, 0);
  body.writeUInt16LE(channels, 2);
  body.writeUInt32LE(rate, 4);
  body.writeUInt16LE(bits, 14);
  return chunk('fmt ', body);
};
const file = (...chunks: Buffer[]): Buffer => Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE'), ...chunks]);
const pcm = chunk('data', Buffer.of(0x01, 0x00, 0xff, 0xff, 0x00, 0x80));

describe('readWav', () => {
  it('reads samples, also behind chunks of odd length that it does not know', () => {
    const wav = readWav(file(chunk('LIST', Buffer.from('odd')), format({ rate: 16_000 }), pcm));
    expect(wav.samplesPerSecond).toBe(16_000);
    expect([...wav.samples]).toEqual([1, -1, -32_768]);
  });

  it.each<[what: string, parameters: object, data: number[], samples: number[]]>([
    ['8 bits', { bits: 8 }, [0, 128, 255], [-32_768, 0, 32_512]],
    ['µ-law', { encoding: 7, bits: 8 }, [0x80, 0xff, 0x00], [32_124, 0, -32_124]],
    ['A-law', { encoding: 6, bits: 8 }, [0xaa, 0x2a], [32_256, -32_256]],
    ['both channels’ mean', { channels: 2 }, [100, 0, 50, 0, 0, 0, 2, 0], [75, 1]],
    ['stereo of 8 bits', { channels: 2, bits: 8 }, [128, 130, 0, 0], [256, -32_768]],
    ['GSM, of which there is nothing', { encoding: 49, bits: 0 }, [], []],
  ])('reads %s', (_, parameters, data, samples) => {
    expect([...readWav(file(format(parameters), chunk('data', Buffer.from(data)))).samples]).toEqual(samples);
  });

  it.each([
    ['an empty file', Buffer.alloc(0), /not a WAV/],
    ['another file', Buffer.from('OggS and so on'), /not a WAV/],
    ['no format', file(pcm), /no "fmt "/],
    ['no samples', file(format()), /no "data"/],
    ['a short format', file(chunk('fmt ', Buffer.alloc(14)), pcm), /too short/],
    ['three channels', file(format({ channels: 3 }), pcm), /stereo/],
    ['24 bits', file(format({ bits: 24 }), pcm), /16-bit/],
    ['ADPCM', file(format({ encoding: 2 }), pcm), /PCM/],
    ['GSM in stereo', file(format({ encoding: 49, channels: 2 }), chunk('data', Buffer.alloc(65))), /mono/],
    ['half a block of GSM', file(format({ encoding: 49 }), pcm), /inside a block/],
    ['half of a stereo sample', file(format({ channels: 2 }), pcm), /inside a sample/],
    ['a data chunk cut off', file(format(), chunk('data', Buffer.alloc(4), 400)), /cut off/],
    ['half a sample', file(format(), chunk('data', Buffer.alloc(3))), /inside a sample/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readWav(bytes)).toThrow(message);
  });

  it('throws RangeError or reads, whatever the bytes', () => {
    const valid = file(format(), pcm);
    fc.assert(
      fc.property(fc.nat(valid.length), fc.uint8Array({ maxLength: 8 }), (at, put) => {
        const bytes = Buffer.concat([valid.subarray(0, at), put, valid.subarray(at + put.length)]);
        try {
          return readWav(bytes).samples.length <= bytes.length;
        } catch (error) {
          return error instanceof RangeError;
        }
      }),
      { seed: 5, numRuns: 2000 },
    );
  });
});
