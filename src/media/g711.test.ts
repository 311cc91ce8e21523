import { describe, expect, it } from 'vitest';
import type { PayloadType } from './engine.ts';
import { decode, encode, SILENCE } from './g711.ts';

const decodeOne = (law: PayloadType, code: number): number => {
  const samples = new Int16Array(1);
  decode(law, Uint8Array.of(code), { start: 0, end: 1 }, samples);
  return samples[0] as number;
};
const encodeOne = (law: PayloadType, sample: number): number => {
  const codes = new Uint8Array(1);
  encode(law, Int16Array.of(sample), codes, 0);
  return codes[0] as number;
};

describe('G.711', () => {
  // ITU-T G.711 tables 1a and 2a, in the 16-bit form that every reference codec uses.
  it.each<[PayloadType, number, number]>([
    [0, 0x00, -32_124],
    [0, 0x80, 32_124],
    [0, 0xff, 0],
    [0, 0x7f, 0],
    [0, 0xfe, 8],
    [0, 0xf0, 120],
    [0, 0xef, 132],
    [0, 0x8f, 16_764],
    [8, 0xd5, 8],
    [8, 0x55, -8],
    [8, 0xaa, 32_256],
    [8, 0x2a, -32_256],
    [8, 0xc5, 264],
    [8, 0xf5, 528],
    [8, 0x80, 5504],
  ])('law %i: %i is %i', (law, code, sample) => {
    expect(decodeOne(law, code)).toBe(sample);
  });

  it.each<[PayloadType, number, number]>([
    [0, 0, 0xff],
    [0, 32_767, 0x80],
    [0, -32_768, 0x00],
    [0, 1000, 0xce],
    [8, 0, 0xd5],
    [8, -1, 0x55],
    [8, 32_767, 0xaa],
    [8, -32_768, 0x2a],
    [8, 1000, 0xfa],
  ])('law %i: sample %i becomes %i', (law, sample, code) => {
    expect(encodeOne(law, sample)).toBe(code);
  });

  it.each<PayloadType>([0, 8])(
    'law %i: every code but negative zero survives decoding and encoding',
    (law) => {
      const codes = Array.from({ length: 256 }, (_, code) => code).filter(
        (code) => !(law === 0 && code === 0x7f),
      );
      expect(codes.map((code) => encodeOne(law, decodeOne(law, code)))).toEqual(codes);
    },
  );

  it.each<[PayloadType, number]>([
    [0, 8],
    [8, 16],
  ])('law %i: every sample comes back within a sixteenth and %i', (law, least) => {
    const worst = Array.from({ length: 65_536 }, (_, at) => at - 32_768)
      .filter((sample) => Math.abs(sample) <= 32_124)
      .filter(
        (sample) => Math.abs(decodeOne(law, encodeOne(law, sample)) - sample) > Math.abs(sample) / 16 + least,
      );
    expect(worst).toEqual([]);
  });

  it.each<PayloadType>([0, 8])('law %i: silence decodes to next to nothing', (law) => {
    expect(Math.abs(decodeOne(law, SILENCE[law]))).toBeLessThanOrEqual(8);
  });

  it('decodes and encodes the named range only', () => {
    const samples = Int16Array.of(7, 7, 7);
    decode(0, Uint8Array.of(0x00, 0x80, 0xff, 0x00), { start: 1, end: 3 }, samples);
    expect([...samples]).toEqual([32_124, 0, 7]);
    const codes = new Uint8Array(4);
    encode(0, Int16Array.of(0, 0), codes, 2);
    expect([...codes]).toEqual([0, 0, 0xff, 0xff]);
  });
});
