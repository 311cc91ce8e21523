// The shelf over a real media engine, database and web application.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { hears, readRecording } from '../../../test/support/media-contract.ts';
import { ownPorts } from '../../../test/support/own-ports.ts';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/test-database.ts';
import { startWebhookApp, type WebhookApp } from '../../../test/support/webhook-app.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { allowNetworks } from '../../lib/networks.ts';
import { systemRandom } from '../../lib/random.ts';
import { createMediaEngine, type MediaSession, toneLevel } from '../../media/index.ts';
import { account, call, callEvent, newRow, recording } from '../../resources/index.ts';
import { openStore, type Store } from '../../store/index.ts';
import { CallbackSender } from '../callback/sender.ts';
import { createWebhookClient } from '../webhook/client.ts';
import { RecordingFiles } from './files.ts';
import { RecordingShelf, type RecordingStart } from './shelf.ts';

const world = { clock: systemClock, random: systemRandom(), log: silentLog };
const ENDLESS = Number.POSITIVE_INFINITY;
const tone = (hz: number) => ({ kind: 'tone', frequenciesHz: [hz], durationMs: ENDLESS }) as const;
const ports = await ownPorts();

const accountSid = `AC${'1'.repeat(32)}`;
const callSid = `CA${'1'.repeat(32)}`;
const START: RecordingStart = {
  accountSid,
  callSid,
  source: 'StartCallRecordingAPI',
  channels: 2,
  track: 'both',
  trimSilence: false,
};

let app: WebhookApp;
let database: TestDatabase;
let store: Store;
let folder: string;
let callbacks: CallbackSender;

beforeEach(async () => {
  app = await startWebhookApp();
  onTestFinished(() => app.close());
  database = await testDatabase();
  store = await openStore({ ...database, ...world, key: Buffer.alloc(32) });
  onTestFinished(() => store.close());
  await store.insert(account, newRow(account, { sid: accountSid, accountSid, authToken: 'token' }, world));
  const parties = { to: '+15550001', from: '+15550002', direction: 'outbound-api' } as const;
  await store.journal.commit({ insert: newRow(call, { sid: callSid, accountSid, ...parties }, world) });
  folder = tempFolder();
  const client = createWebhookClient(allowNetworks('private'), 'Tandem/test');
  onTestFinished(() => client.close());
  callbacks = new CallbackSender({
    ...world,
    client,
    authToken: () => 'token',
    retries: 0,
    outbox: store.journal,
  });
});

const shelf = (files = new RecordingFiles(folder)) =>
  new RecordingShelf({ ...world, store, callbacks, files, baseUrl: () => 'https://tandem.example' });

const callback = (events: NonNullable<RecordingStart['callback']>['events']): Partial<RecordingStart> => ({
  callback: { url: `${app.url}/status`, method: 'POST', events },
});

const told = () => app.requests.map(({ parameters }) => parameters);
/** Resolves when the app was told so often. */
const tells = (count: number) => vi.waitFor(() => expect(app.requests).toHaveLength(count), 8000);
const rowOf = (sid: string) => store.find(recording, sid);

/** Our session, and the peer at its other end; each hears the other's tone. */
async function talking(): Promise<{ ours: MediaSession; peer: MediaSession }> {
  const engine = await createMediaEngine({
    address: '127.0.0.1',
    ports,
    log: silentLog,
  });
  onTestFinished(() => engine.close());
  const open = () => engine.open({ family: callSid, captureMs: 20_000 });
  const [ours, peer] = [await open(), await open()];
  ours.connect({ ...peer.local, payloadType: 0, dtmfPayloadType: 101 });
  peer.connect({ ...ours.local, payloadType: 0, dtmfPayloadType: 101 });
  return { ours, peer };
}

/** Resolves once the session has heard so much more. */
async function later(session: MediaSession, ms: number): Promise<void> {
  const before = (await session.captured()).length;
  await vi.waitFor(
    async () => expect((await session.captured()).length - before).toBeGreaterThanOrEqual(ms * 8),
    8000,
  );
}

describe('a recording', () => {
  it('keeps what was heard left and what was sent right, and tells its app', async () => {
    const { ours, peer } = await talking();
    void peer.play(tone(440));
    void ours.play(tone(1000));
    await Promise.all([hears(ours, 440), hears(peer, 1000)]);
    const shelved = shelf();
    const live = shelved.start(ours, { ...START, ...callback(['in-progress', 'completed']) });
    expect(live.url).toBe(`https://tandem.example/2010-04-01/Accounts/${accountSid}/Recordings/${live.sid}`);
    await live.written();
    expect(await rowOf(live.sid)).toMatchObject({ status: 'in-progress', duration: null, channels: 2 });
    await later(ours, 1200);
    const outcome = await live.stop();
    expect(outcome).toMatchObject({ status: 'completed', endedBy: 'stopped' });
    expect(await live.done).toEqual(outcome);
    const file = join(folder, 'recordings', accountSid, `${live.sid}.wav`);
    const modes = [file, dirname(file), join(folder, 'recordings')].map(
      (path) => statSync(path).mode & 0o777,
    );
    expect(modes).toEqual([0o600, 0o700, 0o700]);
    const [heard, sent] = readRecording(file).map((samples) => samples.subarray(800)) as [
      Int16Array,
      Int16Array,
    ];
    // A machine that is busy leaves gaps.
    expect(toneLevel(heard, 440)).toBeGreaterThan(0.15);
    expect(toneLevel(heard, 1000)).toBeLessThan(0.02);
    expect(toneLevel(sent, 1000)).toBeGreaterThan(0.15);
    expect(toneLevel(sent, 440)).toBeLessThan(0.02);
    const durationS = Math.round((heard.length + 800) / 8000);
    expect(durationS).toBeGreaterThan(0);
    expect(outcome.durationS).toBe(durationS);
    expect(await rowOf(live.sid)).toMatchObject({
      status: 'completed',
      duration: durationS,
      errorCode: null,
    });

    await shelved.close();
    await tells(2);
    const same = {
      AccountSid: accountSid,
      CallSid: callSid,
      RecordingSid: live.sid,
      RecordingUrl: live.url,
      RecordingChannels: '2',
      RecordingSource: 'StartCallRecordingAPI',
      RecordingTrack: 'both',
      RecordingStartTime: new Date(live.row.startTime ?? 0).toUTCString().replace('GMT', '+0000'),
    };
    expect(told()).toEqual([
      { ...same, RecordingStatus: 'in-progress' },
      { ...same, RecordingStatus: 'completed', RecordingDuration: String(durationS) },
    ]);
    const where = [{ field: 'callSid', operator: '=', value: callSid } as const];
    await vi.waitFor(async () => {
      expect((await store.list(callEvent, { limit: 10, where })).rows).toHaveLength(2);
      expect(await store.journal.countWaiting()).toBe(0);
    }, 8000);
    expect(shelved.size).toBe(0);
  });

  it('is paused, with or without its time, resumed and stopped by whom it belongs to', async () => {
    const { ours, peer } = await talking();
    void peer.play(tone(440));
    await hears(ours, 440);
    const shelved = shelf();
    const older = shelved.start(ours, START);
    const live = shelved.start(ours, { ...START, ...callback(['in-progress']) });
    const change = (sid: string, update: Parameters<RecordingShelf['change']>[2]) =>
      shelved.change(callSid, sid, update);
    expect(await change('Twilio.CURRENT', { status: 'paused' })).toMatchObject({
      sid: live.sid,
      status: 'paused',
    });
    expect(await rowOf(live.sid)).toMatchObject({ status: 'paused' });
    await later(ours, 400);
    expect(await change(live.sid, { status: 'in-progress' })).toMatchObject({ status: 'in-progress' });
    await later(ours, 400);
    expect(await change('Twilio.CURRENT', { status: 'paused', pauseBehavior: 'skip' })).toMatchObject({
      status: 'paused',
    });
    await later(ours, 1500);
    expect(await change(live.sid, { status: 'stopped' })).toMatchObject({ status: 'stopped' });
    await live.done;
    expect(await change(live.sid, { status: 'paused' })).toBe('not-found');
    expect(await shelved.change(`CA${'2'.repeat(32)}`, older.sid, { status: 'stopped' })).toBe('not-found');
    expect(await change('Twilio.CURRENT', { status: 'paused' })).toMatchObject({ sid: older.sid });
    await shelved.close();
    const samplesOf = (sid: string) => readRecording(join(folder, 'recordings', accountSid, `${sid}.wav`))[0];
    const [silent, whole] = [samplesOf(live.sid), samplesOf(older.sid)] as [Int16Array, Int16Array];
    expect(toneLevel(silent.subarray(800, 2400), 440)).toBeLessThan(0.02);
    expect(whole.length - silent.length).toBeGreaterThanOrEqual(8000);
    await tells(1);
    expect(told().map(({ RecordingStatus }) => RecordingStatus)).toEqual(['in-progress']);
    expect(await rowOf(live.sid)).toMatchObject({ status: 'completed' });
    expect(await rowOf(older.sid)).toMatchObject({ status: 'completed' });
  });

  it('of one track has one channel, and ends by a key', async () => {
    const { ours, peer } = await talking();
    void peer.play(tone(440));
    await hears(ours, 440);
    const live = shelf().start(ours, {
      ...START,
      source: 'RecordVerb',
      track: 'inbound',
      finishOnKeys: '#',
    });
    await later(ours, 400);
    void peer.sendDigits('#');
    expect(await live.done).toMatchObject({ endedBy: 'key', key: '#', status: 'completed' });
    expect(await rowOf(live.sid)).toMatchObject({ channels: 1, track: 'inbound' });
    expect(readRecording(join(folder, 'recordings', accountSid, `${live.sid}.wav`))).toHaveLength(1);
  });

  it('of silence alone is absent where silence is left out, but for a Record verb', async () => {
    const { ours } = await talking();
    const shelved = shelf();
    const start = { ...START, trimSilence: true, maxLengthMs: 1000, ...callback(['absent']) };
    const [absent, kept] = [
      shelved.start(ours, start),
      shelved.start(ours, { ...start, source: 'RecordVerb' }),
    ];
    await later(ours, 300);
    await Promise.all([absent.stop(), kept.stop()]);
    expect(await absent.done).toMatchObject({ status: 'absent', durationS: 0 });
    expect(await kept.done).toMatchObject({ status: 'completed', durationS: 0 });
    expect(await rowOf(absent.sid)).toMatchObject({ status: 'absent', errorCode: 16102 });
    await shelved.close();
    await tells(1);
    expect(told()).toEqual([
      expect.objectContaining({ RecordingSid: absent.sid, RecordingStatus: 'absent', ErrorCode: '16102' }),
    ]);
  });

  it('that no disk takes is absent, and the call goes on', async () => {
    const { ours, peer } = await talking();
    void peer.play(tone(440));
    await hears(ours, 440);
    class FullDisk extends RecordingFiles {
      override prepare(): string {
        return '/dev/full';
      }
    }
    writeFileSync(join(folder, 'recordings'), 'no folder');
    const shelves = [shelf(new FullDisk(folder)), shelf()];
    for (const shelved of shelves) {
      const live = shelved.start(ours, { ...START, ...callback(['absent']) });
      expect(await live.done).toMatchObject({ status: 'absent', endedBy: 'failed' });
      expect(await rowOf(live.sid)).toMatchObject({ status: 'absent', errorCode: 15000 });
      await shelved.close();
    }
    await tells(2);
    expect(told().map(({ ErrorCode }) => ErrorCode)).toEqual(['15000', '15000']);
    await hears(ours, 440);
  });
});

describe('what an earlier run left open', () => {
  const files = () => new RecordingFiles(folder);
  const stored = async (values: object) => {
    const statusCallback = {
      statusCallback: `${app.url}/status`,
      statusCallbackEvents: ['completed', 'absent'],
    };
    const about = {
      accountSid,
      callSid,
      source: 'OutboundAPI',
      channels: 1,
      ...statusCallback,
      ...values,
    } as const;
    const row = newRow(recording, about as never, world);
    await store.journal.commit({ records: [{ definition: recording, row }] });
    // A run that is no more.
    await store.update(recording, row.sid, { node: 'earlier' });
    return row;
  };

  it('has its real duration, its end and its callback', async () => {
    const { ours } = await talking();
    const real = shelf().start(ours, { ...START, channels: 1 });
    await later(ours, 200);
    await real.stop();
    const row = await stored({ status: 'in-progress' });
    // As a kill leaves it: samples, and a header that knows of none.
    const bytes = readFileSync(files().path(real.row));
    bytes.writeUInt32LE(0, 40);
    mkdirSync(dirname(files().path(row)), { recursive: true });
    writeFileSync(files().path(row), Buffer.concat([bytes.subarray(0, 44), Buffer.alloc(3 * 16_000 + 1)]));
    const paused = await stored({ status: 'paused' });
    writeFileSync(files().path(paused), bytes.subarray(0, 44));
    const lost = await stored({ status: 'stopped' });
    await shelf().recover();
    expect(await rowOf(row.sid)).toMatchObject({ status: 'completed', duration: 3 });
    expect(await rowOf(paused.sid)).toMatchObject({ status: 'absent', errorCode: 16101 });
    // Where others share the database, they may have its file.
    const isSole = inject('postgres') === undefined;
    const given = isSole ? { status: 'absent', errorCode: 15000 } : { status: 'stopped', errorCode: null };
    expect(await rowOf(lost.sid)).toMatchObject(given);
    expect(readRecording(files().path(row))[0]).toHaveLength(3 * 8000);
    await tells(isSole ? 3 : 2);
    const about = ({
      RecordingSid,
      RecordingStatus,
      RecordingDuration,
    }: (typeof app.requests)[0]['parameters']) => [RecordingSid, RecordingStatus, RecordingDuration];
    const expected = [
      [row.sid, 'completed', '3'],
      [paused.sid, 'absent', '0'],
      ...(isSole ? [[lost.sid, 'absent', '0']] : []),
    ];
    expect(told().map(about)).toEqual(expected);
    await shelf().recover();
    await callbacks.close();
    expect(told().map(about)).toEqual(expected);
  });
});

it.runIf(inject('postgres') !== undefined)(
  'is left to the exchange that lives, and to the one that has its file',
  async () => {
    const { ours } = await talking();
    const live = shelf().start(ours, START);
    await live.written();
    const other = await openStore({
      ...database,
      ...world,
      path: join(tempFolder(), 'x'),
      key: Buffer.alloc(32),
    });
    onTestFinished(() => other.close());
    const files = new RecordingFiles(tempFolder());
    const theirs = new RecordingShelf({ ...world, store: other, callbacks, files, baseUrl: () => '' });
    await theirs.recover();
    expect(await rowOf(live.sid)).toMatchObject({ status: 'in-progress' });
    // As if the one that writes it were dead: its file is on another disk.
    await other.update(recording, live.sid, { node: 'dead' });
    await theirs.recover();
    expect(await rowOf(live.sid)).toMatchObject({ status: 'in-progress' });
    await live.stop();
    expect(await rowOf(live.sid)).not.toMatchObject({ status: 'in-progress' });
  },
);

it('tells how a recording ended though the database is away', async () => {
  const clock = new FakeClock();
  const away = { ...store, journal: { ...store.journal, commit: () => new Promise<void>(() => {}) } };
  const result = { durationMs: 2000, bytes: 1, endedBy: 'closed', heardSpeech: true } as const;
  const session = { record: () => ({ done: Promise.resolve(result) }) } as unknown as MediaSession;
  const deps = {
    ...world,
    clock,
    store: away as unknown as Store,
    callbacks,
    files: new RecordingFiles(folder),
  };
  const live = new RecordingShelf({ ...deps, baseUrl: () => '' }).start(session, START);
  await vi.waitFor(() => expect(clock.pending).toBe(1));
  clock.advance(1000);
  expect(await live.done).toEqual({ status: 'completed', durationS: 2, endedBy: 'closed' });
});

it('lets no SID lead out of its folder', () => {
  const files = new RecordingFiles(folder);
  const sid = `RE${'a'.repeat(32)}`;
  expect(files.path({ accountSid, sid })).toBe(join(folder, 'recordings', accountSid, `${sid}.wav`));
  for (const key of [
    { accountSid: '..', sid },
    { accountSid, sid: '../x' },
    { accountSid, sid: `RE${'a'.repeat(31)}/` },
    { accountSid: `${accountSid}\n`, sid },
  ])
    expect(() => files.path(key)).toThrow(RangeError);
  expect(existsSync(join(folder, 'recordings'))).toBe(false);
});
