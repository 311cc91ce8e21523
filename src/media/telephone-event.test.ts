import { describe, expect, it } from 'vitest';
import { checkDigits, DigitSource } from './digit-source.ts';
import {
  DigitReceiver,
  eventOf,
  keyOf,
  type TelephoneEvent,
  tonesOf,
  writeEvent,
} from './telephone-event.ts';
import { toneLevel } from './tone.ts';

/** One press of 100 ms as it comes on the wire: five packets, the last one three times. */
const press = (key: string): TelephoneEvent[] =>
  [160, 320, 480, 640, 800, 800, 800].map((duration) => ({
    event: eventOf(key),
    end: duration === 800,
    duration,
  }));

function heard(...packets: readonly (TelephoneEvent & { readonly at: number })[]): string {
  const receiver = new DigitReceiver();
  const payload = Buffer.alloc(8);
  const digits = packets.map(({ at, ...event }) => {
    writeEvent(event, payload, 4);
    return receiver.receive(at, payload, 4) ?? '';
  });
  return digits.join('');
}
const pressed = (key: string, at: number) => press(key).map((packet) => ({ ...packet, at }));

describe('DigitReceiver', () => {
  it('tells each press once, the same key twice included', () => {
    expect(heard(...pressed('1', 1000), ...pressed('1', 2600), ...pressed('#', 4200))).toBe('11#');
  });

  it.each<[what: string, kept: readonly number[]]>([
    ['its first packets', [4, 5, 6]],
    ['all of its ends', [0, 1, 2, 3]],
    ['all but one', [2]],
    ['all but the last end', [6]],
  ])('tells a press that lost %s', (_, kept) => {
    const survivors = pressed('5', 1000).filter((_, at) => kept.includes(at));
    expect(heard(...survivors, ...pressed('6', 2600))).toBe('56');
  });

  it('tells a press that is longer than a duration can say once', () => {
    const event = eventOf('0');
    const long = [
      { event, end: false, duration: 65_440, at: 1000 },
      { event, end: false, duration: 160, at: 1000 + 65_440 },
      { event, end: true, duration: 320, at: 1000 + 65_440 },
    ];
    expect(heard(...long, ...pressed('0', 80_000))).toBe('00');
    const endless = pressed('0', 1000).filter(({ end }) => !end);
    expect(heard(...endless, ...pressed('0', 1000 + 65_000))).toBe('00');
  });

  it('tells keys that follow at once, timestamps that wrap, and no fax tones', () => {
    expect(heard(...pressed('A', 0xffff_ff00), ...pressed('A', 500), ...pressed('B', 500))).toBe('AAB');
    expect(heard({ event: 36, end: false, duration: 160, at: 1 }, ...pressed('1', 2))).toBe('1');
    expect([...'0123456789*#ABCD'].map((key) => keyOf(eventOf(key))).join('')).toBe('0123456789*#ABCD');
    expect([keyOf(16), eventOf('a'), eventOf('x')]).toEqual([undefined, 12, -1]);
  });
});

describe('DigitSource', () => {
  it('presses for 100 ms, ends three times, and waits 100 ms between keys', () => {
    const source = new DigitSource('1w2');
    const datagram = Buffer.alloc(4);
    const frames: string[] = [];
    while (!source.finished) {
      const start = source.startsPress ? '>' : '';
      const sent = source.readEvent(datagram, 0);
      frames.push(sent ? `${start}${keyOf(datagram[0] as number)}${datagram[1] === 0x8a ? '!' : ''}` : '.');
    }
    const key = (name: string) => [
      `>${name}`,
      name,
      name,
      name,
      `${name}!`,
      `${name}!`,
      `${name}!`,
      '.',
      '.',
      '.',
    ];
    expect(frames).toEqual([...key('1'), ...Array.from({ length: 25 }, () => '.'), ...key('2')]);
    expect(datagram.readUInt16BE(2)).toBe(800);
  });

  it('sounds as both tones of a key', () => {
    const source = new DigitSource('*');
    const frame = new Int16Array(160);
    const press: number[] = [];
    while (!source.finished) {
      source.readTone(frame);
      press.push(...frame);
    }
    expect(press).toHaveLength(1600);
    const [sound, gap] = [Int16Array.from(press.slice(0, 800)), press.slice(800)];
    for (const hz of tonesOf('*')) expect(toneLevel(sound, hz)).toBeGreaterThan(0.2);
    expect(tonesOf('*')).toEqual([941, 1209]);
    expect(gap.every((sample) => sample === 0)).toBe(true);
  });

  it('takes keys and pauses, and no more of them than anybody needs', () => {
    expect(() => checkDigits('0123456789*#ABCDwW')).not.toThrow();
    for (const bad of ['x', '1 2', '1'.repeat(501)])
      expect(() => checkDigits(bad)).toThrow(expect.objectContaining({ code: 'bad-digits' }));
    expect(new DigitSource('').finished).toBe(true);
  });
});
