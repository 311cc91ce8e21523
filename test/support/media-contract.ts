// What every media engine must do, however it carries the packets: run by each engine's own test.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  type MediaEngine,
  type MediaSession,
  type PeerMedia,
  type SrtpParameters,
  toneLevel,
} from '../../src/media/index.ts';
import { tempFolder } from './temp-folder.ts';

const FAMILY = { family: 'CA1', captureMs: 20_000 };
const ENDLESS = Number.POSITIVE_INFINITY;
const tone = (hz: number, durationMs = ENDLESS) =>
  ({ kind: 'tone', frequenciesHz: [hz], durationMs }) as const;
const PATIENCE = 8000;

type Peer = Partial<PeerMedia>;

/** Keys for two ends of one stream. */
export function srtpPair(suite: SrtpParameters['suite']): [SrtpParameters, SrtpParameters] {
  const [one, other] = [new Uint8Array(randomBytes(30)), new Uint8Array(randomBytes(30))];
  return [
    { suite, localKey: one, remoteKey: other },
    { suite, localKey: other, remoteKey: one },
  ];
}

/** Level of a tone in the last 100 ms. */
const lately = (samples: Int16Array, hz: number): number => toneLevel(samples.subarray(-800), hz);

/** Resolves once `session` hears this tone, and none of the others. */
export const hears = (session: MediaSession, hz: number, notHz: readonly number[] = []): Promise<void> =>
  vi.waitFor(async () => {
    const samples = await session.captured();
    expect(lately(samples, hz)).toBeGreaterThan(0.2);
    for (const other of notHz) expect(lately(samples, other)).toBeLessThan(0.02);
  }, PATIENCE);

/** A recording's channels. */
export function readRecording(file: string): Int16Array[] {
  const bytes = readFileSync(file);
  const channels = bytes.readUInt16LE(22);
  expect(bytes.readUInt32LE(40)).toBe(bytes.length - 44);
  return Array.from({ length: channels }, (_, channel) =>
    Int16Array.from({ length: (bytes.length - 44) / 2 / channels }, (_, at) =>
      bytes.readInt16LE(44 + (at * channels + channel) * 2),
    ),
  );
}

/** @param open Resolves with an engine of its own for one test; it is closed afterwards. */
export function describeMediaEngine(name: string, open: () => Promise<MediaEngine>): void {
  let engine: MediaEngine;
  const session = (): Promise<MediaSession> => engine.open(FAMILY);
  /** Two sessions that are each other's peer. */
  const pair = async (one: Peer = {}, other: Peer = {}): Promise<[MediaSession, MediaSession]> => {
    const [a, b] = [await session(), await session()];
    a.connect({ ...b.local, payloadType: 0, dtmfPayloadType: 101, ...one });
    b.connect({ ...a.local, payloadType: 0, dtmfPayloadType: 101, ...other });
    return [a, b];
  };
  const digitsOf = (session: MediaSession): string[] => {
    const digits: string[] = [];
    session.onDigit((digit) => digits.push(digit));
    return digits;
  };
  /** Two callers, each with a leg of ours, and the legs bridged. */
  const bridged = async (near: Peer = {}, far: Peer = {}) => {
    const [caller, legA] = await pair(near, near);
    const [callee, legB] = await pair(far, far);
    legA.bridge(legB);
    return { caller, legA, callee, legB };
  };

  beforeEach(async () => {
    engine = await open();
    onTestFinished(() => engine.close());
  });

  describe(`${name}: keys`, () => {
    it('arrive once for each press, in order, pauses among them', async () => {
      const [a, b] = await pair();
      const digits = digitsOf(b);
      expect(await a.sendDigits('1w1*D')).toBe('finished');
      expect(await a.sendDigits('#')).toBe('finished');
      await vi.waitFor(() => expect(digits.join('')).toBe('11*D#'), PATIENCE);
    });

    it('are tones for a peer that takes no events, and no digits', async () => {
      const [a, b] = await pair({ dtmfPayloadType: undefined as never });
      const digits = digitsOf(b);
      expect(await a.sendDigits('5')).toBe('finished');
      const heard = await b.captured();
      const loud = heard.findIndex((sample) => Math.abs(sample) > 1000);
      expect(loud).toBeGreaterThanOrEqual(0);
      const press = heard.subarray(loud, loud + 700);
      for (const hz of [770, 1336]) expect(toneLevel(press, hz)).toBeGreaterThan(0.15);
      for (const hz of [697, 852, 941, 1209, 1477]) expect(toneLevel(press, hz)).toBeLessThan(0.05);
      expect(digits).toEqual([]);
    });

    it('stop for a prompt, and refuse what is no key', async () => {
      const [a] = await pair();
      const pressing = a.sendDigits('WWWW1');
      expect(await a.play(tone(440, 20))).toBe('finished');
      expect(await pressing).toBe('stopped');
      await expect(a.sendDigits('12x')).rejects.toMatchObject({ code: 'bad-digits' });
    });
  });

  describe(`${name}: bridges`, () => {
    it('carry sound both ways, between the laws too, until they end', async () => {
      const { caller, callee, legA } = await bridged({ payloadType: 0 }, { payloadType: 8 });
      void caller.play(tone(500));
      void callee.play(tone(1100));
      await Promise.all([hears(caller, 1100, [500]), hears(callee, 500, [1100])]);
      legA.unbridge();
      await vi.waitFor(async () => expect(lately(await callee.captured(), 500)).toBeLessThan(0.02), PATIENCE);
      await vi.waitFor(
        async () => expect(lately(await caller.captured(), 1100)).toBeLessThan(0.02),
        PATIENCE,
      );
    });

    it('carry keys, and tell the leg that they came to', async () => {
      const { caller, callee, legA, legB } = await bridged({}, { dtmfPayloadType: 97 });
      const [atLegA, atLegB, atCallee] = [digitsOf(legA), digitsOf(legB), digitsOf(callee)];
      await caller.sendDigits('12*');
      await vi.waitFor(() => expect([atLegA.join(''), atCallee.join('')]).toEqual(['12*', '12*']), PATIENCE);
      expect(atLegB).toEqual([]);
    });

    it('carry keys as tones to a peer that takes no events', async () => {
      const { caller, callee } = await bridged({}, { dtmfPayloadType: undefined as never });
      await caller.sendDigits('9');
      await vi.waitFor(async () => {
        const heard = await callee.captured();
        const loud = heard.findIndex((sample) => Math.abs(sample) > 1000);
        const press = heard.subarray(Math.max(0, loud), loud + 700);
        expect(press).toHaveLength(700);
        for (const hz of [852, 1477]) expect(toneLevel(press, hz)).toBeGreaterThan(0.15);
      }, PATIENCE);
    });

    it('give way to a prompt, and come back after it', async () => {
      const { caller, callee, legB } = await bridged();
      void caller.play(tone(500));
      await hears(callee, 500);
      void legB.play(tone(1500));
      await hears(callee, 1500, [500]);
      legB.stopPlaying();
      await hears(callee, 500, [1500]);
    });

    it('end with either side, and join whom they are told to', async () => {
      const { caller, callee, legA, legB } = await bridged();
      const [other, legC] = await pair();
      void caller.play(tone(500));
      await hears(callee, 500);
      legA.bridge(legC);
      await hears(other, 500);
      await vi.waitFor(async () => expect(lately(await callee.captured(), 500)).toBeLessThan(0.02), PATIENCE);
      legB.close();
      legC.close();
      expect(() => legA.bridge(legB)).toThrow(expect.objectContaining({ code: 'not-bridgeable' }));
      const stranger = await engine.open({ family: 'CA2' });
      stranger.close();
      expect(() => legA.bridge(stranger)).toThrow(expect.objectContaining({ code: 'not-bridgeable' }));
      legA.unbridge();
    });
  });

  describe(`${name}: SRTP`, () => {
    it.each(['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'] as const)(
      'is heard with %s',
      async (suite) => {
        const [one, other] = srtpPair(suite);
        const [a, b] = await pair({ srtp: one }, { srtp: other });
        const digits = digitsOf(b);
        await a.sendDigits('7');
        void a.play(tone(440));
        await hears(b, 440);
        expect(digits).toEqual(['7']);
      },
    );

    it('is not heard with another key, nor plain RTP in its place', async () => {
      const [one] = srtpPair('AES_CM_128_HMAC_SHA1_80');
      const [, wrong] = srtpPair('AES_CM_128_HMAC_SHA1_80');
      const [a, b] = await pair({ srtp: one }, { srtp: wrong });
      void a.play(tone(440));
      await vi.waitFor(
        async () => expect((await b.statistics()).packetsRefused).toBeGreaterThan(10),
        PATIENCE,
      );
      a.connect({ ...b.local, payloadType: 0 });
      const { packetsRefused } = await b.statistics();
      await vi.waitFor(
        async () => expect((await b.statistics()).packetsRefused).toBeGreaterThan(packetsRefused + 10),
        PATIENCE,
      );
      expect(await b.captured()).toHaveLength(0);
    });

    it('goes on through a re-INVITE with the same keys, and starts anew with others', async () => {
      const [one, other] = srtpPair('AES_CM_128_HMAC_SHA1_80');
      const [a, b] = await pair({ srtp: one }, { srtp: other });
      void a.play(tone(440));
      await hears(b, 440);
      a.connect({ ...b.local, payloadType: 8, srtp: { ...one } });
      b.connect({ ...a.local, payloadType: 8, srtp: { ...other } });
      const before = (await b.captured()).length;
      await vi.waitFor(
        async () => expect((await b.captured()).length).toBeGreaterThan(before + 1600),
        PATIENCE,
      );
      const [newOne, newOther] = srtpPair('AES_CM_128_HMAC_SHA1_32');
      b.connect({ ...a.local, payloadType: 0, srtp: newOther });
      a.connect({ ...b.local, payloadType: 0, srtp: newOne });
      const changed = (await b.captured()).length;
      await vi.waitFor(
        async () => expect((await b.captured()).length).toBeGreaterThan(changed + 1600),
        PATIENCE,
      );
      await hears(b, 440);
    });

    it('is bridged to plain RTP', async () => {
      const [one, other] = srtpPair('AES_CM_128_HMAC_SHA1_80');
      const [caller, legA] = await pair({ srtp: one }, { srtp: other });
      const [callee, legB] = await pair();
      legA.bridge(legB);
      void caller.play(tone(500));
      void callee.play(tone(1100));
      await Promise.all([hears(callee, 500), hears(caller, 1100)]);
    });
  });

  describe(`${name}: hold`, () => {
    it.each([
      ['recvonly', false, true],
      ['sendonly', true, false],
      ['inactive', false, false],
    ] as const)('%s: sends %s, hears %s', async (direction, sends, hearsIt) => {
      const [a, b] = await pair({ direction });
      void b.play(tone(1100));
      void a.play(tone(500));
      if (sends) await hears(b, 500);
      if (hearsIt) await hears(a, 1100);
      else {
        const refused = async () => expect((await a.statistics()).packetsRefused).toBeGreaterThan(15);
        await vi.waitFor(refused, PATIENCE);
      }
      const [atA, atB] = [await a.captured(), await b.captured()];
      expect([atB.length > 0, atA.length > 0]).toEqual([sends, hearsIt]);
    });
  });

  describe(`${name}: recordings`, () => {
    const fileIn = (): string => join(tempFolder(), 'recording.wav');

    it('hold what is heard on the left and what is sent on the right, as long as it took', async () => {
      const [a, b] = await pair();
      void b.play(tone(1100));
      await hears(a, 1100);
      const file = fileIn();
      const recording = a.record({ file, channels: 2 });
      await a.play(tone(500, 600));
      const result = await recording.stop();
      expect(result).toMatchObject({ endedBy: 'stopped', heardSpeech: true });
      expect(await recording.done).toEqual(result);
      const [heard, sent] = readRecording(file) as [Int16Array, Int16Array];
      expect(result.bytes).toBe(44 + heard.length * 4);
      expect(result.durationMs).toBe(heard.length / 8);
      expect(result.durationMs).toBeGreaterThanOrEqual(580);
      const middle = (samples: Int16Array) =>
        samples.subarray(samples.length / 2 - 800, samples.length / 2 + 800);
      expect(toneLevel(middle(heard), 1100)).toBeGreaterThan(0.4);
      expect(toneLevel(middle(heard), 500)).toBeLessThan(0.02);
      expect(toneLevel(middle(sent), 500)).toBeGreaterThan(0.4);
      expect(toneLevel(middle(sent), 1100)).toBeLessThan(0.02);
    });

    it('hold both parties of a bridge, and several run at once', async () => {
      const { caller, callee, legA, legB } = await bridged();
      void caller.play(tone(500));
      void callee.play(tone(1100));
      await hears(callee, 500);
      await hears(caller, 1100);
      const [dual, mixed, inbound] = [fileIn(), fileIn(), fileIn()] as [string, string, string];
      const recordings = [
        legA.record({ file: dual, channels: 2 }),
        legA.record({ file: mixed, channels: 1 }),
        legB.record({ file: inbound, channels: 1, track: 'inbound' }),
      ];
      await legB.play({ kind: 'silence', durationMs: 0 });
      const before = (await caller.captured()).length;
      await vi.waitFor(
        async () => expect((await caller.captured()).length).toBeGreaterThan(before + 6400),
        PATIENCE,
      );
      await Promise.all(recordings.map((recording) => recording.stop()));
      const part = (samples: Int16Array | undefined) => samples?.subarray(2400, 4800) ?? new Int16Array(0);
      const [heard, sent] = readRecording(dual).map(part) as [Int16Array, Int16Array];
      const [both] = readRecording(mixed).map(part) as [Int16Array];
      const [callees] = readRecording(inbound).map(part) as [Int16Array];
      const levels = [heard, sent, both, callees].map((each) =>
        [500, 1100].map((hz) => toneLevel(each, hz) > 0.3),
      );
      expect(levels).toEqual([
        [true, false],
        [false, true],
        [true, true],
        [false, true],
      ]);
    });

    it('end at a key, at silence, at their length and with the session', async () => {
      const [a, b] = await pair();
      const byKey = a.record({ file: fileIn(), channels: 1, finishOnKeys: '#*' });
      await b.sendDigits('1*');
      expect(await byKey.done).toMatchObject({ endedBy: 'key', digits: '*', heardSpeech: false });
      const bySilence = a.record({ file: fileIn(), channels: 1, silenceTimeoutMs: 300 });
      expect(await bySilence.done).toMatchObject({ endedBy: 'silence', durationMs: 300 });
      const byLength = a.record({ file: fileIn(), channels: 2, maxLengthMs: 240, beep: true });
      expect(await byLength.done).toMatchObject({
        endedBy: 'max-length',
        durationMs: 240,
        bytes: 44 + 240 * 32,
      });
      const byClose = a.record({ file: fileIn(), channels: 1 });
      a.close();
      expect(await byClose.done).toMatchObject({ endedBy: 'closed' });
      expect(await byClose.stop()).toMatchObject({ endedBy: 'closed' });
    });

    it('leave out what is paused by skipping, and silence at both ends when trimmed', async () => {
      const [a, b] = await pair();
      const [whole, trimmed] = [fileIn(), fileIn()];
      const skipping = a.record({ file: whole, channels: 1, track: 'inbound' });
      const trimming = a.record({ file: trimmed, channels: 1, track: 'inbound', trim: true });
      await b.play({ kind: 'silence', durationMs: 300 });
      await b.play(tone(1100, 400));
      skipping.pause('skip');
      await b.play({ kind: 'silence', durationMs: 600 });
      skipping.resume();
      const [skipped, cut] = await Promise.all([skipping.stop(), trimming.stop()]);
      expect(cut.durationMs).toBeGreaterThanOrEqual(360);
      expect(cut.durationMs).toBeLessThanOrEqual(440);
      expect(cut.heardSpeech).toBe(true);
      const [samples] = readRecording(trimmed) as [Int16Array];
      expect(toneLevel(samples, 1100)).toBeGreaterThan(0.4);
      expect(skipped.durationMs).toBeLessThan(1100);
    });

    it('are complete when the engine is closed', async () => {
      const [a, b] = await pair();
      const file = fileIn();
      const recording = a.record({ file, channels: 2 });
      void b.play(tone(1100));
      await hears(a, 1100);
      await engine.close();
      const [heard] = readRecording(file) as [Int16Array];
      // Its very end may have been on the way still.
      expect(toneLevel(heard.subarray(0, 800), 1100)).toBeGreaterThan(0.1);
      expect(await recording.done).toMatchObject({ endedBy: 'closed', durationMs: heard.length / 8 });
    });

    it('fail as a value where the file cannot be written, and the call goes on', async () => {
      const [a, b] = await pair();
      const recording = a.record({ file: '/dev/full', channels: 1, maxLengthMs: 100 });
      expect(await recording.done).toMatchObject({
        endedBy: 'failed',
        error: expect.stringMatching(/ENOSPC|EINVAL/),
      });
      const nowhere = a.record({ file: join(tempFolder(), 'none/at/all.wav'), channels: 1 });
      expect(await nowhere.done).toMatchObject({ endedBy: 'failed', bytes: 0 });
      void b.play(tone(1100));
      await hears(a, 1100);
      expect(() => a.record({ file: 'relative.wav', channels: 1 })).toThrow(RangeError);
    });
  });

  describe(`${name}: ringing`, () => {
    it('sounds by country until it is stopped', async () => {
      const [a, b] = await pair();
      const ringing = a.play({ kind: 'ringback', country: 'fr' });
      await hears(b, 440);
      a.stopPlaying();
      expect(await ringing).toBe('stopped');
    });
  });
}
