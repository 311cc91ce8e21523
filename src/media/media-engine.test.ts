import { createSocket, type Socket } from 'node:dgram';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ownPorts } from '../../test/support/own-ports.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { type Log, silentLog } from '../lib/log.ts';
import type { MediaSession } from './engine.ts';
import { createMediaEngine, type LocalMediaEngine } from './media-engine.ts';
import { writeHeader } from './rtp.ts';
import { toneLevel } from './tone.ts';
import type { MediaWorkerData } from './worker-messages.ts';
import { workerUrl } from './worker-url.ts';

const TONE = { kind: 'tone', frequenciesHz: [440], durationMs: 400 } as const;
const ENDLESS = { ...TONE, durationMs: Number.POSITIVE_INFINITY };
const ports = await ownPorts();
const { first } = ports;
const base = { address: '127.0.0.1', ports, log: silentLog };
const FAMILY = { family: 'CA1', captureMs: 10_000 };

const heardMs = (samples: Int16Array): number => samples.length / 8;
const frames = (samples: Int16Array): Int16Array[] =>
  Array.from({ length: Math.floor(samples.length / 160) }, (_, at) =>
    samples.subarray(at * 160, at * 160 + 160),
  );
const loudFrames = (samples: Int16Array): Int16Array[] =>
  frames(samples).filter((frame) => frame.some((sample) => Math.abs(sample) > 300));

describe('a media engine over loopback', () => {
  let engine: LocalMediaEngine;
  const open = () => engine.open(FAMILY);
  const pair = async (): Promise<[MediaSession, MediaSession]> => {
    const [a, b] = [await open(), await open()];
    a.connect({ ...b.local, payloadType: 0 });
    b.connect({ ...a.local, payloadType: 8 });
    return [a, b];
  };
  /** Resolves once `session` has heard as much. */
  const heard = (session: MediaSession, ms: number): Promise<Int16Array> =>
    vi.waitFor(async () => {
      const samples = await session.captured();
      expect(heardMs(samples)).toBeGreaterThanOrEqual(ms);
      return samples;
    }, 5000);

  beforeEach(async () => {
    engine = await createMediaEngine(base);
  });
  afterEach(() => engine.close());

  it('carries a tone and nothing else', async () => {
    const [a, b] = await pair();
    expect(await a.play(TONE)).toBe('finished');
    const sounding = loudFrames(await heard(b, 400));
    expect(sounding.length).toBeGreaterThanOrEqual(15);
    expect(sounding.length).toBeLessThanOrEqual(20);
    const tone = Int16Array.from(sounding.flatMap((frame) => [...frame]));
    expect(toneLevel(tone, 440)).toBeGreaterThan(0.4);
    for (const elsewhere of [300, 600, 1000, 2000]) expect(toneLevel(tone, elsewhere)).toBeLessThan(0.05);
    expect(loudFrames(await a.captured())).toEqual([]);
  });

  it('sends silence at 50 packets a second where nothing plays', async () => {
    const [a, b] = await pair();
    expect(loudFrames(await heard(b, 300))).toEqual([]);
    const { packetsSent } = await a.statistics();
    expect(packetsSent).toBeGreaterThanOrEqual(15);
    expect(await b.statistics()).toMatchObject({ packetsRefused: 0 });
  });

  it('speaks a sentence of about the right length', async () => {
    const [a, b] = await pair();
    for (const voice of ['man', 'Polly.Joanna']) {
      const before = loudFrames(await b.captured()).length;
      expect(await a.play({ kind: 'speech', text: 'Hello, this is Tandem speaking.', voice })).toBe(
        'finished',
      );
      const spoken = loudFrames(await b.captured()).length - before;
      expect(spoken * 20).toBeGreaterThan(1000);
      expect(spoken * 20).toBeLessThan(3500);
    }
  });

  it('refuses a text that is too long, and plays on', async () => {
    const [a] = await pair();
    await expect(a.play({ kind: 'speech', text: 'a'.repeat(4097) })).rejects.toMatchObject({
      code: 'speech-failed',
    });
    expect(await a.play({ ...TONE, durationMs: 20 })).toBe('finished');
  });

  it('stops a prompt for the next one, on demand and at the end', async () => {
    const [a, b] = await pair();
    const first = a.play(ENDLESS);
    const speech = a.play({ kind: 'speech', text: 'never heard' });
    const third = a.play({ ...ENDLESS, frequenciesHz: [1000] });
    expect(await first).toBe('stopped');
    expect(await speech).toBe('stopped');
    await vi.waitFor(async () => expect(loudFrames(await b.captured()).length).toBeGreaterThan(5));
    a.stopPlaying();
    expect(await third).toBe('stopped');
    const fourth = a.play(ENDLESS);
    a.close();
    expect(await fourth).toBe('stopped');
    expect(await a.play(TONE)).toBe('stopped');
    await expect(a.captured()).rejects.toMatchObject({ code: 'engine-failed' });
  });

  it('echoes', async () => {
    const [a, b] = await pair();
    b.echo();
    await a.play(TONE);
    await heard(a, 600);
    const sounding = loudFrames(await a.captured());
    expect(sounding.length).toBeGreaterThan(14);
    expect(
      toneLevel(Int16Array.from(sounding.slice(0, 12).flatMap((frame) => [...frame])), 440),
    ).toBeGreaterThan(0.4);
  });

  it('falls silent on the wire when muted', async () => {
    const [a, b] = await pair();
    await heard(b, 60);
    const playing = a.play(ENDLESS);
    a.mute();
    expect(await playing).toBe('stopped');
    const { packetsSent } = await a.statistics();
    const before = await b.statistics();
    await vi.waitFor(async () =>
      expect((await b.statistics()).packetsSent).toBeGreaterThanOrEqual(before.packetsSent + 8),
    );
    expect(await a.statistics()).toMatchObject({ packetsSent });
  });

  it('re-points a session', async () => {
    const [a, b] = await pair();
    const c = await open();
    await heard(b, 40);
    c.connect({ ...a.local, payloadType: 0 });
    a.connect({ ...c.local, payloadType: 0 });
    await heard(c, 100);
    await heard(a, 100);
  });

  it('hears neither strangers nor what is no RTP', async () => {
    const strangers = await Promise.all([socket(), socket()]);
    const [friend, stranger] = strangers as [Socket, Socket];
    const a = await open();
    a.connect({ address: '127.0.0.1', port: friend.address().port, payloadType: 0 });
    // It answers in order: the peer is known then.
    await a.statistics();
    const send = (from: Socket, datagram: Buffer) =>
      new Promise((sent) => from.send(datagram, a.local.port, a.local.address, sent));
    await send(friend, packet({ sequence: 1 }));
    await vi.waitFor(async () => expect((await a.statistics()).packetsReceived).toBe(1));
    await send(stranger, packet({ sequence: 2 }));
    await send(friend, packet({ sequence: 2, ssrc: 99 }));
    await send(friend, packet({ sequence: 2, version: 1 }));
    await send(friend, packet({ sequence: 2, bytes: 4000 }));
    await send(friend, Buffer.from('INVITE sip:x SIP/2.0\r\n'));
    await send(friend, Buffer.alloc(0));
    await vi.waitFor(async () =>
      expect(await a.statistics()).toMatchObject({ packetsReceived: 1, packetsRefused: 5 }),
    );
    expect(await a.captured()).toHaveLength(160);
    for (const each of strangers) each.close();
  });

  it('frees ports and sockets on close, and lets the timer rest', async () => {
    const sessions = await pair();
    expect(engine.sessions).toBe(2);
    await vi.waitFor(async () => expect(await engine.counts()).toEqual({ sessions: 2, sockets: 4 }));
    for (const session of [...sessions, ...sessions]) session.close();
    expect(engine.sessions).toBe(0);
    await vi.waitFor(async () => expect(await engine.counts()).toEqual({ sessions: 0, sockets: 0 }));
    for (const { local } of sessions) (await socket(local.port)).close();
  });

  it('refuses a capture without bounds', async () => {
    await expect(engine.open({ family: 'CA1', captureMs: 600_001 })).rejects.toThrow(RangeError);
    await expect(engine.open({ family: 'CA1', captureMs: Number.NaN })).rejects.toThrow(RangeError);
    expect(engine.sessions).toBe(0);
  });
});

describe('a media engine of few ports', () => {
  it.each([
    ['RTP', 2],
    ['RTCP', 3],
  ])(
    'says that they are exhausted, steps over those in use for %s, and lets freed ones drain',
    async (_, at) => {
      const taken = await socket(first + at);
      const engine = await createMediaEngine({ ...base, ports: { first, last: first + 5 } });
      const [a, b] = [await engine.open(FAMILY), await engine.open(FAMILY)];
      expect([a.local.port, b.local.port]).toEqual([first, first + 4]);
      await expect(engine.open(FAMILY)).rejects.toMatchObject({
        name: 'MediaError',
        code: 'ports-exhausted',
      });
      a.close();
      await expect(engine.open(FAMILY)).rejects.toMatchObject({ code: 'ports-exhausted' });
      expect(engine.sessions).toBe(1);
      await engine.close();
      await expect(engine.open(FAMILY)).rejects.toMatchObject({ code: 'engine-failed' });
      taken.close();
    },
  );

  it('keeps a family in one worker and spreads families', async () => {
    const engine = await createMediaEngine({ ...base, ports: { first, last: first + 99 }, workers: 2 });
    const sessions = await Promise.all(['A', 'B', 'A', 'B'].map((family) => engine.open({ family })));
    const ports = sessions.map(({ local }) => local.port);
    expect(ports.map((port) => port < first + 50)).toEqual([true, false, true, false]);
    expect(await engine.counts()).toEqual({ sessions: 4, sockets: 8 });
    await engine.close();
  });

  it('tells peers the address it is told to advertise', async () => {
    const engine = await createMediaEngine({ ...base, advertise: '203.0.113.5' });
    expect((await engine.open(FAMILY)).local.address).toBe('203.0.113.5');
    await engine.close();
  });

  it('works over IPv6', async () => {
    const engine = await createMediaEngine({ ...base, address: '::1' });
    const [a, b] = [await engine.open(FAMILY), await engine.open(FAMILY)];
    a.connect({ ...b.local, payloadType: 0 });
    b.connect({ ...a.local, address: '0:0:0:0:0:0:0:1', payloadType: 0 });
    await a.play({ ...TONE, durationMs: 100 });
    await vi.waitFor(async () => expect(loudFrames(await b.captured()).length).toBeGreaterThan(3));
    await engine.close();
  });
});

describe('a media engine whose worker dies', () => {
  it('fails its sessions, says so, and goes on with another', async () => {
    const errors: string[] = [];
    const log: Log = { ...silentLog, error: (_, message) => errors.push(message) };
    const workers: Worker[] = [];
    const spawn = (data: MediaWorkerData): Worker => {
      const worker = new Worker(workerUrl('media-worker', import.meta.url), { workerData: data });
      workers.push(worker);
      return worker;
    };
    const engine = await createMediaEngine({ ...base, log, spawn });
    const lost = await engine.open(FAMILY);
    const playing = lost.play(ENDLESS);
    const recording = lost.record({ file: join(tempFolder(), 'lost.wav'), channels: 1 });
    await workers[0]?.terminate();
    expect(await recording.stop()).toMatchObject({ endedBy: 'failed', error: expect.any(String) });
    await expect(playing).rejects.toMatchObject({ code: 'engine-failed' });
    await expect(lost.captured()).rejects.toMatchObject({ code: 'engine-failed' });
    await expect(lost.play(TONE)).rejects.toMatchObject({ code: 'engine-failed' });
    expect(errors).toEqual(['a media worker is gone']);
    const next = await engine.open(FAMILY);
    expect(await next.statistics()).toMatchObject({ packetsSent: 0, packetsReceived: 0 });
    lost.close();
    expect(engine.sessions).toBe(1);
    await engine.close();
    expect(workers).toHaveLength(2);
  });

  it('does not start, and is not tried for ever', async () => {
    let spawned = 0;
    const spawn = (): Worker => {
      spawned++;
      return new Worker('throw new Error("no")', { eval: true });
    };
    await expect(createMediaEngine({ ...base, spawn })).rejects.toMatchObject({ code: 'engine-failed' });
    expect(spawned).toBe(1);
  });
});

function socket(port = 0): Promise<Socket> {
  const bound = createSocket('udp4');
  return new Promise((resolve, reject) => {
    bound.once('error', reject);
    bound.bind({ port, address: '127.0.0.1', exclusive: true }, () => resolve(bound));
  });
}

function packet({ sequence = 1, ssrc = 5, version = 2, bytes = 172 }): Buffer {
  const datagram = Buffer.alloc(bytes, 0x80);
  writeHeader({ marker: false, payloadType: 0, sequence, timestamp: sequence * 160, ssrc }, datagram);
  datagram[0] = version << 6;
  return datagram;
}
