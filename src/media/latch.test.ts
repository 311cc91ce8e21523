import { describe, expect, it } from 'vitest';
import { LATCH_MS, Latch } from './latch.ts';

const peer = { address: '192.0.2.1', port: 4000 };
const packet = (sequence: number, ssrc = 1) => ({ sequence, ssrc });

describe('Latch', () => {
  it('sends where the peer said until its packets come from elsewhere', () => {
    const latch = new Latch(peer, 0);
    expect(latch.destination).toMatchObject(peer);
    expect(latch.accepts(packet(1), { ...peer, port: 5555 }, LATCH_MS)).toBe(true);
    expect(latch.destination).toEqual({ ...peer, port: 5555 });
  });

  it('keeps the first source and SSRC', () => {
    const latch = new Latch(peer, 0);
    expect(latch.accepts(packet(1), peer, 1)).toBe(true);
    expect(latch.accepts(packet(2), { ...peer, port: 4002 }, 2)).toBe(false);
    expect(latch.accepts(packet(2, 7), peer, 2)).toBe(false);
    expect(latch.accepts(packet(2), peer, 3_600_000)).toBe(true);
  });

  it('prefers the source it was told to another port of the same address, in the first seconds', () => {
    const before = { ...peer, port: 5555 };
    const latch = new Latch(peer, 0);
    expect(latch.accepts(packet(1), before, 1)).toBe(true);
    expect(latch.accepts(packet(9, 2), peer, 2)).toBe(true);
    expect(latch.accepts(packet(2), before, 3)).toBe(false);
    expect(latch.destination).toEqual(peer);
    const late = new Latch(peer, 0);
    late.accepts(packet(1), before, 1);
    expect(late.accepts(packet(9, 2), peer, LATCH_MS + 1)).toBe(false);
  });

  it('lets no other address latch, but the one that signals', () => {
    const stranger = { address: '198.51.100.66', port: 4000 };
    expect(new Latch(peer, 0).accepts(packet(1), stranger, 1)).toBe(false);
    expect(new Latch({ ...peer, signalledFrom: stranger.address }, 0).accepts(packet(1), stranger, 1)).toBe(
      true,
    );
  });

  it('takes only the very port it was told once the first seconds are over', () => {
    const latch = new Latch(peer, 0);
    expect(latch.accepts(packet(1), { ...peer, port: 5555 }, LATCH_MS + 1)).toBe(false);
    expect(latch.accepts(packet(1), peer, LATCH_MS + 1)).toBe(true);
  });

  it.each<[what: string, sequence: number, accepted: boolean]>([
    ['the next', 101, true],
    ['one after a loss', 150, true],
    ['a duplicate', 100, false],
    ['a late one', 99, false],
    ['the oldest that counts as late', 0, false],
    ['a sender that started anew', 65_535, true],
  ])('after packet 100: %s', (_, sequence, accepted) => {
    const latch = new Latch(peer, 0);
    latch.accepts(packet(100), peer, 0);
    expect(latch.accepts(packet(sequence), peer, 1)).toBe(accepted);
  });

  it('goes on over the roll-over', () => {
    const latch = new Latch(peer, 0);
    latch.accepts(packet(65_535), peer, 0);
    expect(latch.accepts(packet(0), peer, 1)).toBe(true);
    expect(latch.accepts(packet(65_535), peer, 1)).toBe(false);
  });
});
