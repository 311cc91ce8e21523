// Thousands of real calls against SIPp: the shares of a seeded draw, a target that is killed on the way, 486.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Random, seededRandom, systemRandom } from '../../src/lib/random.ts';
import { countDraws, judgeShares, type Target } from '../../src/routing/index.ts';
import { type CallLoad, startCallLoad } from '../support/call-load.ts';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { bound, freePort } from './program.ts';
import { hasSipp } from './sipp.ts';
import { CALLEES } from './sipp-callee.ts';

const SEED = 70_20_10;
const CALLS = 5000;
const PARALLEL = 40;

/** Draws come from the seed in the order in which calls are routed; tags and branches from the system. */
const drawsOf = (seed: number): Random => ({ ...systemRandom(), fraction: seededRandom(seed).fraction });

/** SIPp as UAS for exactly so many calls, however long they take. */
class Answering {
  readonly port: number;
  readonly uri: string;
  /** 0 when every call went well and there were neither more nor fewer. */
  readonly exit: Promise<number>;
  readonly #child: ChildProcess;

  constructor(port: number, calls: number, cwd: string) {
    this.port = port;
    this.uri = `sip:127.0.0.1:${port}`;
    const file = join(cwd, 'scenario.xml');
    writeFileSync(file, CALLEES.answersAtOnce);
    const args = ['-sf', file, '-i', '127.0.0.1', '-p', `${port}`, '-m', `${calls}`, '-nostdin'];
    this.#child = spawn('sipp', args, { cwd, stdio: 'ignore' });
    this.exit = new Promise((resolve) => this.#child.once('exit', (code) => resolve(code ?? -1)));
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

describe.skipIf(!hasSipp)('calls to SIPp', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-load-'));
  const running: Answering[] = [];
  let exchange: Exchange;
  let load: CallLoad;

  async function answering(calls: number): Promise<Answering> {
    const sipp = new Answering(freePort(), calls, folder);
    running.push(sipp);
    // A call before it listens would go on to another target, and spoil the draw.
    await bound(sipp.port, 'udp');
    return sipp;
  }

  beforeEach(async () => {
    exchange = await startExchange({}, { random: drawsOf(SEED) });
    load = await startCallLoad(exchange.tandem, PARALLEL);
  });

  afterEach(async () => {
    for (const sipp of running.splice(0)) sipp.kill();
    await load.close();
    await exchange.stop();
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it('of 5,000, each target gets exactly what the seeded draw of 70/20/10 gives it', async () => {
    const targets = [70, 20, 10].map(
      (weight): Target => ({ sid: `NE${weight}`, uri: '', priority: 1, weight, enabled: true }),
    );
    const hits = countDraws(targets, CALLS, drawsOf(SEED));
    expect(judgeShares(targets, hits).pValue).toBeGreaterThan(0.01);
    const sipps = await Promise.all(hits.map(answering));
    const byoc = await load.trunkTo(
      targets.map(({ weight }, place) => ({ Target: (sipps[place] as Answering).uri, Weight: `${weight}` })),
    );
    const statuses = await load.place(CALLS, {
      order: (number) => ({ To: `+1555${String(number).padStart(7, '0')}`, Byoc: byoc }),
    });
    expect(statuses).toEqual({ completed: CALLS });
    expect(await Promise.all(sipps.map(({ exit }) => exit))).toEqual([0, 0, 0]);
  });

  it('a target that is killed in the middle costs no call', async () => {
    const [doomed, steady] = [await answering(CALLS), await answering(CALLS)];
    const byoc = await load.trunkTo([doomed, steady].map(({ uri }) => ({ Target: uri })));
    const sids: string[] = [];
    const statuses = await load.place(600, {
      order: () => ({ To: '+15550001234', Byoc: byoc }),
      ended: (done, sid) => {
        if (done === 300) doomed.kill();
        sids.push(sid);
      },
    });
    expect(statuses).toEqual({ completed: 600 });
    const traces = await Promise.all(sids.map((sid) => exchange.trace(sid)));
    const tried = traces.filter(({ attempts }) => attempts.length > 1);
    expect(tried.length).toBeGreaterThan(0);
    expect(tried.every(({ attempts }) => attempts[0]?.uri === doomed.uri)).toBe(true);
    // Once it is known to be down, no call is sent there first.
    const warned = traces.filter(({ targets }) => /down|half-open/.test(targets[0]?.health ?? ''));
    expect(warned.length).toBeGreaterThan(0);
    expect(warned.every(({ attempts }) => attempts.length === 1 && attempts[0]?.uri === steady.uri)).toBe(
      true,
    );
  });

  it('486 is never tried again, in 500 calls', async () => {
    const [busy, other] = [await exchange.carrier({ always: 'busy' }), await exchange.carrier()];
    const byoc = await load.trunkTo(
      [busy, other].map(({ uri }, Priority) => ({ Target: uri, Priority: `${Priority}` })),
    );
    const statuses = await load.place(500, { order: () => ({ To: '+15550001234', Byoc: byoc }) });
    expect(statuses).toEqual({ busy: 500 });
    expect([busy.invites(), other.invites()]).toEqual([500, 0]);
  });
});
