// Recording by trunk: its five modes, both directions, and what lies on which channel of the file.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hearsTone, Softphone, type TakenCall } from '../support/softphone.ts';
import { hasTone, OUTSIDE_HZ, PHONE_HZ, TrunkScene } from '../support/trunk-scene.ts';

const RINGING_HZ = 1700;
const patience = { timeout: 8000 };
const tone = (hz: number) => ({ kind: 'tone', frequenciesHz: [hz], durationMs: 20_000 }) as const;

let scene: TrunkScene;
let callee: Softphone;
beforeEach(async () => {
  [scene, callee] = await Promise.all([TrunkScene.open(), Softphone.open()]);
});
afterEach(async ({ task }) => {
  await scene.close(task.result?.state === 'fail');
  await callee.close();
});

const record = (mode: string, trim = 'do-not-trim') =>
  scene.exchange.client.trunking.v1
    .trunks(scene.trunk.sid)
    .recordings()
    .update({ mode: mode as 'do-not-record', trim: trim as 'do-not-trim' });

/** A call whose callee is heard while it rings, and then otherwise. */
async function talk(): Promise<void> {
  const taking = await callee.expects({ early: true });
  await scene.route('', callee.uri());
  await scene.urls(callee.uri());
  const caller = await scene.callsOut();
  const taken = await taking();
  void taken.session.play(tone(RINGING_HZ));
  await expect.poll(() => hearsTone(caller, RINGING_HZ), patience).toBe(true);
  await answer(taken);
  await caller.answered;
  await Promise.all([
    caller.session.play({ ...tone(PHONE_HZ), durationMs: 1500 }),
    taken.session.play({ ...tone(OUTSIDE_HZ), durationMs: 1500 }),
  ]);
  caller.hangUp();
  await scene.ended();
}

/** Nothing of the ringing is under way any more when the callee picks up. */
async function answer(taken: TakenCall): Promise<void> {
  await taken.session.play({ kind: 'silence', durationMs: 500 });
  taken.pickUp();
}

/** The only recording of a call, by default of the only one, and its channels. */
async function recorded(of?: string) {
  const { client, folder, account } = scene.exchange;
  const callSid = of ?? (await scene.sid());
  await expect
    .poll(async () => (await client.recordings.list({ callSid })).map(({ status }) => status), patience)
    .toEqual(['completed']);
  const [row] = await client.recordings.list({ callSid });
  const wav = readFileSync(join(folder, 'recordings', account.accountSid, `${row?.sid}.wav`));
  const channels = wav.readUInt16LE(22);
  const samples = Array.from({ length: channels }, (_, channel) =>
    Int16Array.from({ length: (wav.length - 44) / 2 / channels }, (_, at) =>
      wav.readInt16LE(44 + (at * channels + channel) * 2),
    ),
  );
  return { row, samples };
}

const tonesIn = (samples: Int16Array): number[] =>
  [PHONE_HZ, OUTSIDE_HZ, RINGING_HZ].filter((hz) => hasTone(samples, hz));

describe('a trunk whose calls are recorded', () => {
  it.each([
    ['record-from-ringing', [[PHONE_HZ, OUTSIDE_HZ, RINGING_HZ]]],
    ['record-from-ringing-dual', [[PHONE_HZ], [OUTSIDE_HZ, RINGING_HZ]]],
    ['record-from-answer', [[PHONE_HZ, OUTSIDE_HZ]]],
    ['record-from-answer-dual', [[PHONE_HZ], [OUTSIDE_HZ]]],
  ])('by %s has the caller first, then the callee', async (mode, tones) => {
    await record(mode);
    await talk();
    const { row, samples } = await recorded();
    expect(row).toMatchObject({ source: 'Trunking', channels: tones.length });
    expect(samples.map(tonesIn)).toEqual(tones);
  });

  it('by do-not-record has no recording', async () => {
    await record('do-not-record');
    await talk();
    expect(await scene.exchange.client.recordings.list()).toEqual([]);
  });

  it('from ringing keeps what was heard of a call that nobody answered', async () => {
    await record('record-from-ringing');
    const taking = await callee.expects({ early: true });
    await scene.urls(callee.uri());
    const caller = await scene.callsIn();
    const taken = await taking();
    await taken.session.play({ ...tone(RINGING_HZ), durationMs: 1500 });
    await expect.poll(() => hearsTone(caller, RINGING_HZ), patience).toBe(true);
    caller.cancel();
    expect((await scene.ended()).direction).toBe('trunking-originating');
    expect((await recorded()).samples.map(tonesIn)).toEqual([[RINGING_HZ]]);
  });

  it('from ringing does not go on in disaster recovery', async () => {
    await record('record-from-ringing');
    const [pbx, other] = [
      await scene.peer({ kind: 'refuse', status: 403, after: 'ringing' }),
      await scene.peer(),
    ];
    await scene.urls(pbx.uri);
    scene.twiml['/rescue'] = `<Dial><Sip>${other.uri}</Sip></Dial>`;
    const trunk = scene.exchange.client.trunking.v1.trunks(scene.trunk.sid);
    await trunk.update({ disasterRecoveryUrl: `${scene.app.url}/rescue` });
    const caller = await scene.callsIn();
    await expect.poll(() => hearsTone(caller, OUTSIDE_HZ), patience).toBe(true);
    caller.hangUp();
    await scene.exchange.quiet();
    const [row, ...more] = await scene.exchange.client.recordings.list();
    expect([row?.source, more]).toEqual(['Trunking', []]);
    expect((await recorded(row?.callSid)).samples.map(tonesIn)).toEqual([[]]);
  });

  it.each([
    ['trim-silence', true],
    ['do-not-trim', false],
  ])('with %s leaves silence out at its ends, or not', async (trim, isTrimmed) => {
    await record('record-from-answer', trim);
    const taking = await callee.expects();
    await scene.urls(callee.uri());
    const caller = await scene.callsIn();
    await caller.answered;
    const { session } = await taking();
    await session.play({ kind: 'silence', durationMs: 1000 });
    await session.play({ ...tone(OUTSIDE_HZ), durationMs: 1000 });
    await session.play({ kind: 'silence', durationMs: 1000 });
    caller.hangUp();
    await scene.ended();
    const [samples = new Int16Array()] = (await recorded()).samples;
    expect(hasTone(samples.subarray(0, 4000), OUTSIDE_HZ)).toBe(isTrimmed);
    expect(hasTone(samples.subarray(-4000), OUTSIDE_HZ)).toBe(isTrimmed);
    expect(hasTone(samples, OUTSIDE_HZ)).toBe(true);
  });
});
