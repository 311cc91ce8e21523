// A recording under way, over a media session of the test's own.
import { expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { silentLog } from '../../lib/log.ts';
import { seededRandom } from '../../lib/random.ts';
import type { MediaRecording } from '../../media/index.ts';
import { newRow, recording } from '../../resources/index.ts';
import { type RecordingDeps, ShelvedRecording } from './live.ts';

const url = 'https://tandem.example/RE1';

function started() {
  const world = { clock: new FakeClock(), random: seededRandom(1) };
  const values = { accountSid: `AC${'1'.repeat(32)}`, callSid: `CA${'1'.repeat(32)}`, channels: 1 };
  const row = newRow(recording, { ...values, source: 'OutboundAPI' }, world);
  const { promise, resolve: done } = Promise.withResolvers<object>();
  const media = { done: promise, pause() {}, resume() {}, stop() {} } as unknown as MediaRecording;
  const store = { journal: { commit: async () => {} } };
  const deps = { ...world, log: silentLog, store, callbacks: {} } as unknown as RecordingDeps;
  const live = new ShelvedRecording(deps, { row, url, media, isTrimmed: true });
  return { live, done, clock: world.clock, sid: row.sid };
}

it('is told of before it is complete, by how long it is until now', () => {
  const { live, clock, sid } = started();
  const steps: readonly (readonly [() => void, number])[] = [
    [() => {}, 3],
    // What is left out is not counted, silence is.
    [() => live.pause('skip'), 3],
    [() => live.resume(), 6],
    [() => live.pause('silence'), 9],
    [() => void live.stop(), 9],
  ];
  for (const [step, durationS] of steps) {
    step();
    clock.advance(3000);
    expect(live.recorded).toEqual({ sid, url, durationS });
  }
});

it.each([
  ['what is left without the silence', 5000, 5],
  ['nothing', 0, undefined],
])('tells of %s once it is complete', async (_what, durationMs, durationS) => {
  const { live, done, clock, sid } = started();
  clock.advance(9000);
  done({ durationMs, endedBy: 'closed' });
  await live.done;
  expect(live.recorded).toEqual(durationS && { sid, url, durationS });
});
