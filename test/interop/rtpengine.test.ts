// SRTP against rtpengine's: it opens what we protect and protects what we open, in both suites.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/lib/log.ts';
import { systemRandom } from '../../src/lib/random.ts';
import {
  createMediaEngine,
  type LocalMediaEngine,
  type MediaSession,
  toneLevel,
} from '../../src/media/index.ts';
import { acceptAnswer, makeSrtpKeys, readAudio, type SrtpSuite, writeOffer } from '../../src/sdp/index.ts';
import { hasRtpengine, type Rtpengine, startRtpengine } from './rtpengine.ts';

const SUITES: readonly SrtpSuite[] = ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'];
const random = systemRandom();
const patience = { timeout: 25_000 };
/** Samples of a second. */
const SECOND = 8000;

const tone = (hz: number) =>
  ({ kind: 'tone', frequenciesHz: [hz], durationMs: Number.POSITIVE_INFINITY }) as const;

/** What was heard last is this tone, and not the other one. */
async function hears(session: MediaSession, hz: number, not: number): Promise<void> {
  const recent = async () => (await session.captured()).slice(-SECOND / 2);
  await expect.poll(async () => toneLevel(await recent(), hz), patience).toBeGreaterThan(0.1);
  expect(toneLevel(await recent(), not)).toBeLessThan(0.02);
}

describe.skipIf(!hasRtpengine)('rtpengine between SRTP and RTP', { timeout: 60_000 }, () => {
  let rtpengine: Rtpengine;
  let engine: LocalMediaEngine;
  let [secure, plain]: MediaSession[] = [];

  beforeAll(async () => {
    rtpengine = await startRtpengine({ first: 28_000, last: 28_999 });
    engine = await createMediaEngine({
      address: '127.0.0.1',
      ports: { first: 29_000, last: 29_199 },
      log: silentLog,
    });
  });
  afterAll(async () => {
    await engine.close();
    await rtpengine.stop();
  });
  beforeEach(async () => {
    [secure, plain] = [await open(), await open()];
  });
  afterEach(() => {
    secure?.close();
    plain?.close();
  });

  const open = () => engine.open({ family: 'rtpengine', captureMs: 60_000 });

  /** The secure session offers, the plain one answers, and rtpengine stands between them. */
  async function joinedWith(suite: SrtpSuite): Promise<{ secure: MediaSession; plain: MediaSession }> {
    if (!secure || !plain) throw new Error('no sessions');
    const srtp = makeSrtpKeys((bytes) => Buffer.from(random.hex(bytes), 'hex'), [suite]);
    const near = { ...secure.local, sessionId: '1', version: 1, srtp };
    const far = { ...plain.local, sessionId: '2', version: 1 };
    const call = { 'call-id': suite, 'from-tag': 'near', ICE: 'remove' };
    const offered = await rtpengine.ask({
      ...call,
      command: 'offer',
      sdp: writeOffer(near),
      'transport-protocol': 'RTP/AVP',
    });
    const answered = await rtpengine.ask({
      ...call,
      command: 'answer',
      'to-tag': 'far',
      sdp: writeOffer(far),
    });
    const peer = acceptAnswer(readAudio(answered, 'required'), near);
    expect(peer.srtp?.suite).toBe(suite);
    secure.connect(peer);
    plain.connect(acceptAnswer(readAudio(offered), {}));
    return { secure, plain };
  }

  it.each(SUITES)('hears and is heard with %s, keys and reports included', async (suite) => {
    const { secure, plain } = await joinedWith(suite);
    const digits: string[] = [];
    plain.onDigit((digit) => digits.push(digit));
    await secure.sendDigits('4#');
    void secure.play(tone(600));
    void plain.play(tone(1300));
    await hears(plain, 600, 1300);
    await hears(secure, 1300, 600);
    expect(digits).toEqual(['4', '#']);
    expect((await secure.statistics()).packetsReceived).toBeGreaterThan(20);
    // SRTCP one way and the other: only an authentic report tells a round trip.
    await expect.poll(async () => (await secure.statistics()).roundTripMs, patience).toBeDefined();
    await expect.poll(async () => (await plain.statistics()).roundTripMs, patience).toBeDefined();
  });
});
