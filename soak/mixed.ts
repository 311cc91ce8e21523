// node soak/mixed.ts [minutes] [calls a second]: calls both ways over an Elastic trunk, recorded, refused,
// failed over, given up, transferred and rescued, while a carrier and a PBX die and come back, phones register again and
// again and the API is asked. Every request is answered, every call ends as it should and has its record, every failure
// says why, and nothing grows or stays; one JSON line with the result.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../src/config.ts';
import { silentLog } from '../src/lib/log.ts';
import { seededRandom, systemRandom } from '../src/lib/random.ts';
import { startTandem, type Tandem } from '../src/tandem.ts';
import { CountingClock } from '../test/support/counting-clock.ts';
import { absorb, type Judged, judge, openRtpPorts, type Sample, sampleOf } from './measure.ts';
import { Askers } from './mixed-askers.ts';
import { KINDS, type Kind } from './trunk-kinds.ts';
import { TrunkParty } from './trunk-party.ts';
import { openSite, type Site } from './trunk-traffic.ts';

export interface MixedOptions {
  readonly seconds: number;
  readonly callsPerSecond: number;
  /** Fires the timers that absorb retransmissions at the end, instead of waiting 64·T1 for them. */
  readonly hurry?: boolean;
  readonly progress?: (sample: Sample) => void;
}

export interface MixedResult {
  readonly name: 'mixed';
  readonly seconds: number;
  readonly calls: number;
  /** Of each kind of call, how many went as they should. */
  readonly went: Readonly<Record<string, number>>;
  /** What went otherwise, and how often. */
  readonly wrong: Readonly<Record<string, number>>;
  /** Records, by direction and status, where there are others than there should be: how many more. */
  readonly records: Readonly<Record<string, number>>;
  /** Recordings by status. */
  readonly recordings: Readonly<Record<string, number>>;
  /** Requests to the API and REGISTERs, by what they were answered with. */
  readonly answers: Readonly<Record<string, number>>;
  /** Of calls that did not complete or were rescued, how many were looked at, and which of them do not say why. */
  readonly explained: number;
  readonly unexplained: readonly string[];
  /** The longest that this process was kept from its turn: above 4 s targets are given up as silent. */
  readonly longestPauseMs: number;
  readonly middle: Judged['middle'];
  readonly end: Judged['end'];
  /** Nothing grew; a run of less than two minutes cannot show it, as transactions stay for 64·T1. */
  readonly isFlat: boolean;
  /** What should be nothing. */
  readonly left: Readonly<Record<string, number>>;
  readonly passed: boolean;
}

const SAMPLES = 30;
const SEED = 2026;
/** So long a call may take after the last was begun. */
const PATIENCE_MS = 60_000;
/** Targets and URLs whose health is asked after, at the end too: each may have a transaction. */
const ASKED_AFTER = 6;
/** The mortal ones die and come back so often. */
const LIVES = 4;
/** Failures whose route traces are read. */
const EXPLAINED = 300;
const RESCUE = /^the disaster recovery URL of the trunk is asked$/;

interface Running {
  readonly tandem: Tandem;
  readonly clock: CountingClock;
  readonly site: Site;
  readonly party: TrunkParty;
  readonly database: DatabaseSync;
  readonly traffic: Traffic;
  readonly askers: Askers;
}

/** Calls of all kinds that are under way, and what came of those that are over. */
class Traffic {
  readonly went: Record<string, number> = {};
  readonly wrong: Record<string, number> = {};
  /** Records that there should be. */
  readonly records: Record<string, number> = {};
  calls = 0;
  readonly #underWay = new Set<Promise<void>>();
  readonly #random = seededRandom(SEED);
  readonly #party: TrunkParty;
  readonly #site: Site;

  constructor(party: TrunkParty, site: Site) {
    this.#party = party;
    this.#site = site;
  }

  begin(): void {
    // Each kind comes first once, however short the soak is.
    const kind = KINDS[this.calls] ?? this.#draw();
    this.calls += 1;
    for (const record of kind.records) add(this.records, record);
    const call = this.#run(kind).finally(() => this.#underWay.delete(call));
    this.#underWay.add(call);
  }

  /** Resolves with how many calls are still under way: none, or those that are lost. */
  async finish(): Promise<number> {
    await Promise.race([Promise.all(this.#underWay), sleep(PATIENCE_MS, undefined, { ref: false })]);
    return this.#underWay.size;
  }

  async #run(kind: Kind): Promise<void> {
    const { fault, records = [] } = await kind.run(this.#party, this.#site);
    for (const record of records) add(this.records, record);
    if (fault === undefined) add(this.went, kind.name);
    else add(this.wrong, `${kind.name}: ${fault}`);
  }

  #draw(): Kind {
    const total = KINDS.reduce((sum, { weight }) => sum + weight, 0);
    let at = this.#random.fraction() * total;
    return KINDS.find(({ weight }) => (at -= weight) < 0) ?? (KINDS[0] as Kind);
  }
}

const add = (counts: Record<string, number>, name: string, more = 1): void => {
  counts[name] = (counts[name] ?? 0) + more;
};

/** Runs the traffic against an exchange of its own, on SQLite. */
export async function soakMixed(options: MixedOptions): Promise<MixedResult> {
  await using opened = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'tandem-mixed-'));
  opened.defer(() => rmSync(folder, { recursive: true }));
  const clock = new CountingClock();
  const config = readConfig({
    TANDEM_DATA: folder,
    TANDEM_HTTP_PORT: '0',
    TANDEM_SIP_PORT: '0',
    TANDEM_HEALTH_INTERVAL_S: '5',
    TANDEM_SESSION_EXPIRES_S: '90',
  });
  const tandem = await startTandem(config, { clock, random: systemRandom(), log: silentLog });
  opened.defer(() => tandem.stop(0));
  const site = await openSite(tandem, opened);
  const [address = '', port = ''] = tandem.sip.split(':');
  const party = await TrunkParty.open({ transport: 'udp', address, port: Number(port) });
  opened.defer(() => party.close());
  const database = new DatabaseSync(join(folder, 'tandem.sqlite'), { readOnly: true });
  opened.defer(() => database.close());
  const traffic = new Traffic(party, site);
  const askers = new Askers(tandem, party, site);
  const running = { tandem, clock, site, party, database, traffic, askers };
  return await conclude(running, options, await run(running, options));
}

async function run(running: Running, options: MixedOptions) {
  const { tandem, clock, traffic, askers, site } = running;
  const { seconds, callsPerSecond } = options;
  const samples: Sample[] = [];
  const startMs = performance.now();
  const passedS = (): number => (performance.now() - startMs) / 1000;
  let longestPauseMs = 0;
  askers.start();
  while (passedS() < seconds) {
    while (traffic.calls < passedS() * callsPerSecond) traffic.begin();
    await liveAndDie(site.mortal, passedS() / seconds);
    if (samples.length < (passedS() * SAMPLES) / seconds) {
      const sample = { done: traffic.calls, ...sampleOf(tandem, clock) };
      samples.push(sample);
      options.progress?.(sample);
    }
    const restMs = 1000 / callsPerSecond / 4;
    const restedMs = performance.now();
    await sleep(restMs);
    longestPauseMs = Math.max(longestPauseMs, Math.round(performance.now() - restedMs - restMs));
  }
  await askers.stop();
  return { ...judge(samples), longestPauseMs };
}

/** Alive in the first half of each of its lives, dead in the other. @param passed share of the time */
const liveAndDie = (mortal: Site['mortal'], passed: number): Promise<void> =>
  (passed * LIVES) % 1 < 0.5 ? mortal.comeBack() : mortal.die();

async function conclude(
  running: Running,
  options: MixedOptions,
  judged: Awaited<ReturnType<typeof run>>,
): Promise<MixedResult> {
  const { tandem, clock, database, traffic, askers } = running;
  const lost = await traffic.finish();
  while (tandem.counts().calls > 0) await sleep(20);
  await absorb(clock, options.hurry ?? false);
  const { unexplained, explained } = await explain(running);
  const counts = tandem.counts();
  const rows = {
    records: differences(tally(database, 'direction, status', 'calls'), traffic.records),
    recordings: tally(database, 'status', 'recordings'),
  };
  const live = tally(database, `'rows'`, 'live_dialogs');
  await tandem.stop(0);
  const left = {
    ...counts,
    transactions: Math.max(0, counts.transactions - ASKED_AFTER),
    lost,
    liveDialogRows: live['rows'] ?? 0,
    rtpPorts: openRtpPorts(),
    timers: clock.pending,
    unanswered: askers.unanswered,
  };
  const { middle, end, isFlat, longestPauseMs } = judged;
  const { calls, went, wrong } = traffic;
  const isClean = [left, rows.records, wrong].every((each) => Object.values(each).every((n) => n === 0));
  return {
    name: 'mixed',
    seconds: options.seconds,
    calls,
    went,
    wrong,
    ...rows,
    answers: askers.answers,
    explained,
    unexplained,
    longestPauseMs,
    middle,
    end,
    isFlat,
    left,
    passed: isFlat && isClean && unexplained.length === 0 && askers.faults === 0,
  };
}

function tally(database: DatabaseSync, columns: string, table: string): Record<string, number> {
  const rows = database.prepare(`select ${columns}, count(*) as n from ${table} group by ${columns}`).all();
  return Object.fromEntries(
    rows.map(({ n, ...names }) => [Object.values(names).join(' '), Number(n)] as const),
  );
}

function differences(
  are: Readonly<Record<string, number>>,
  should: Readonly<Record<string, number>>,
): Record<string, number> {
  const names = [...new Set([...Object.keys(are), ...Object.keys(should)])];
  const more = names.map((name) => [name, (are[name] ?? 0) - (should[name] ?? 0)] as const);
  return Object.fromEntries(more.filter(([, count]) => count !== 0));
}

/** Reads the route traces of the last calls that did not complete, or were rescued: what became of each, and why. */
async function explain({ tandem, database, askers }: Running) {
  const failed = database
    .prepare(
      `select sid, status, direction from calls where status <> 'completed' or direction = 'inbound'
       order by position desc limit ?`,
    )
    .all(EXPLAINED);
  const unexplained: string[] = [];
  for (const { sid, status, direction } of failed) {
    const trace = await askers.ask(`${tandem.http}/tandem/v1/Calls/${sid}/RouteTrace`);
    const { events = [] } = trace as { events?: readonly { readonly text: string }[] };
    const reason = direction === 'inbound' ? RESCUE : new RegExp(`^${status}( \\(\\d+\\))?: .`);
    const isSaid = events.some(({ text }) => reason.test(text));
    if (!isSaid) unexplained.push(`${sid} ${status}: ${events.map(({ text }) => text).join('; ')}`);
  }
  return { explained: failed.length, unexplained };
}

if (import.meta.main) {
  const [minutes = '10', callsPerSecond = '10'] = process.argv.slice(2);
  const result = await soakMixed({
    seconds: Number(minutes) * 60,
    callsPerSecond: Number(callsPerSecond),
    progress: (sample) => process.stderr.write(`${JSON.stringify(sample)}\n`),
  });
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (!result.passed) process.exitCode = 1;
}
