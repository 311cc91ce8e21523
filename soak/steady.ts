// node soak/steady.ts [minutes] [calls a second]: calls at a steady rate, each with its app told of four events.
// Heap after collection, handles, timers, SIP tables and the rows of what is under way stay as they were after the first
// third; one JSON line with the result.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../src/config.ts';
import { silentLog } from '../src/lib/log.ts';
import { systemRandom } from '../src/lib/random.ts';
import { startTandem, type Tandem } from '../src/tandem.ts';
import { startCallLoad } from '../test/support/call-load.ts';
import { CountingClock } from '../test/support/counting-clock.ts';
import { startStatelessUas } from '../test/support/stateless-uas.ts';
import { type Judged, judge, type Sample, sampleOf } from './measure.ts';

export interface SteadyOptions {
  readonly seconds: number;
  readonly callsPerSecond: number;
  readonly progress?: (sample: Sample) => void;
}

export interface SteadyResult {
  readonly name: 'steady';
  readonly seconds: number;
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly middle: Judged['middle'];
  readonly end: Judged['end'];
  readonly passed: boolean;
}

const SAMPLES = 30;
/** What a caller's place is held up by: a call and its four callbacks. */
const PLACES_PER_RATE = 2;
const EVENTS = ['initiated', 'ringing', 'answered', 'completed'];

/** Runs the calls against an exchange of its own, on SQLite. */
export async function soakSteadily(options: SteadyOptions): Promise<SteadyResult> {
  await using opened = new AsyncDisposableStack();
  const { seconds, callsPerSecond } = options;
  const folder = mkdtempSync(join(tmpdir(), 'tandem-steady-'));
  opened.defer(() => rmSync(folder, { recursive: true }));
  const uas = await startStatelessUas();
  opened.defer(() => uas.close());
  const clock = new CountingClock();
  const config = readConfig({
    TANDEM_DATA: folder,
    TANDEM_HTTP_PORT: '0',
    TANDEM_SIP_PORT: '0',
    TANDEM_HEALTH_INTERVAL_S: '0',
    // The exchange itself keeps the pace.
    TANDEM_CALLS_PER_SECOND: String(callsPerSecond),
  });
  const tandem = await startTandem(config, { clock, random: systemRandom(), log: silentLog });
  opened.defer(() => tandem.stop(0));
  const load = await startCallLoad(tandem, callsPerSecond * PLACES_PER_RATE);
  opened.defer(() => load.close());
  const byoc = await load.trunkTo([{ Target: uas.uri }]);
  const database = new DatabaseSync(join(folder, 'tandem.sqlite'), { readOnly: true });
  opened.defer(() => database.close());
  const startMs = performance.now();
  let calls = 0;
  const samples: Sample[] = [];
  const placing = load.place(Number.POSITIVE_INFINITY, {
    isOver: () => samples.length === SAMPLES,
    order: () => ({ To: '+15550001234', Byoc: byoc, StatusCallbackEvent: EVENTS }),
    ended: () => void (calls += 1),
  });
  while (samples.length < SAMPLES) {
    await sleep((seconds * 1000) / SAMPLES);
    const sample = { done: calls, ...sampleWithRows(tandem, clock, database) };
    samples.push(sample);
    options.progress?.(sample);
  }
  await placing;
  const perSecond = (calls * 1000) / (performance.now() - startMs);
  const { middle, end, isFlat } = judge(samples);
  return {
    name: 'steady',
    seconds,
    middle,
    end,
    passed: isFlat,
    calls,
    callsPerSecond: Math.round(perSecond * 10) / 10,
  };
}

function sampleWithRows(tandem: Tandem, clock: CountingClock, database: DatabaseSync): Sample {
  const count = (sql: string) => Number(Object.values(database.prepare(sql).get() ?? {})[0]);
  return {
    ...sampleOf(tandem, clock),
    dialogRows: count('select count(*) from live_dialogs'),
    outboxRows: count('select count(*) from webhooks where next_attempt_at is not null'),
    liveRows: count(`select count(*) from calls where status in ('queued', 'ringing', 'in-progress')`),
  };
}

if (import.meta.main) {
  const [minutes = '10', callsPerSecond = '50'] = process.argv.slice(2);
  const result = await soakSteadily({
    seconds: Number(minutes) * 60,
    callsPerSecond: Number(callsPerSecond),
    progress: (sample) => process.stderr.write(`${JSON.stringify(sample)}\n`),
  });
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (!result.passed) process.exitCode = 1;
}
