import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { silentLog } from '../../lib/log.ts';
import { seededRandom } from '../../lib/random.ts';
import {
  connectionPolicyTarget,
  insecureTarget,
  newRow,
  originationUrl,
  trunk,
} from '../../resources/index.ts';
import type { CallReport, Target } from '../../routing/index.ts';
import type { Endpoint, RequestOptions, RequestOutcome, UserAgent } from '../../sip/index.ts';
import type { Directory } from '../../store/index.ts';
import { type HealthSettings, HealthWatch } from './health-watch.ts';

const POLICY = `NY${'1'.repeat(32)}`;
const FAILED: CallReport = { type: 'call-failed', why: 'no response within 4 s' };
const OUTCOMES = {
  ok: { kind: 'response', response: { status: 200 } },
  503: { kind: 'response', response: { status: 503 } },
  refused: { kind: 'transport', message: 'ECONNREFUSED' },
} as unknown as Record<string, RequestOutcome>;

interface TargetSpec {
  readonly sid: string;
  readonly uri: string;
  readonly enabled?: boolean;
  readonly insecure?: boolean;
}

let clock: FakeClock;
/** What the directory holds; tests change it while the watch runs. */
let specs: TargetSpec[];
/** By address and port; `silent` is never told. */
let behaviour: Map<string, 'ok' | '503' | 'refused' | 'silent'>;
let asked: RequestOptions[];
let addresses: (uri: string) => readonly Endpoint[];

beforeEach(() => {
  clock = new FakeClock();
  specs = [];
  behaviour = new Map();
  asked = [];
  addresses = (uri) => [{ transport: 'udp', address: uri.replace(/^sip:/, ''), port: 5060 }];
});

const agent = {
  request(options: RequestOptions, done: (outcome: RequestOutcome) => void): void {
    asked.push(options);
    const how = behaviour.get(options.destination.address) ?? 'ok';
    if (how === 'silent') return;
    clock.after(5, () => {
      done(OUTCOMES[how] as RequestOutcome);
    });
  },
} as unknown as UserAgent;

const rowOf = ({ sid, uri, enabled = true }: TargetSpec) =>
  newRow(
    connectionPolicyTarget,
    { sid, accountSid: 'AC1', connectionPolicySid: POLICY, target: uri, enabled },
    { clock, random: seededRandom(1) },
  );

const SECURE_TRUNK = `TK${'1'.repeat(32)}`;

const urlOf = ({ sid, uri: sipUrl, enabled = true }: TargetSpec) =>
  newRow(
    originationUrl,
    {
      sid,
      accountSid: 'AC1',
      trunkSid: SECURE_TRUNK,
      friendlyName: '',
      sipUrl,
      priority: 1,
      weight: 1,
      enabled,
    },
    { clock, random: seededRandom(1) },
  );

const isUrl = ({ sid }: TargetSpec): boolean => sid.startsWith('OU');

const directory = {
  all: (definition: unknown) =>
    definition === originationUrl
      ? specs.filter(isUrl).map(urlOf)
      : specs.filter((spec) => !isUrl(spec)).map(rowOf),
  find: (definition: unknown, sid: string) => {
    if (definition === trunk) return { secure: true };
    const spec = specs.find((each) => each.sid === sid);
    if (!spec || isUrl(spec) !== (definition === originationUrl)) return undefined;
    return isUrl(spec) ? urlOf(spec) : rowOf(spec);
  },
  findBy: (definition: unknown, { targetSid }: { targetSid: string }) => {
    expect(definition).toBe(insecureTarget);
    return specs.filter(({ sid, insecure }) => sid === targetSid && insecure);
  },
} as unknown as Directory;

function watch(settings: Partial<HealthSettings> = {}): HealthWatch {
  return new HealthWatch({
    agent,
    directory,
    clock,
    log: silentLog,
    random: seededRandom(1),
    fromDomain: '192.0.2.99',
    locate: async (uri) => addresses(uri),
    settings: { intervalMs: 30_000, failures: 3, recoveryMs: 15_000, silenceMs: 4_000, ...settings },
  });
}

/** Moves time on in small steps, and lets promises settle between them. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    clock.advance(100);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }
}

const target = (sid: string, uri: string, insecure = false): Target => ({
  sid,
  uri,
  insecure,
  priority: 1,
  weight: 1,
  enabled: true,
});

const urisAsked = () => asked.map(({ uri }) => uri);

describe('the round of OPTIONS', () => {
  it('asks every enabled target once an interval, and a URI that several name once', async () => {
    specs = [
      { sid: 'NE1', uri: 'sip:a.example' },
      { sid: 'NE2', uri: 'sip:a.example' },
      { sid: 'NE3', uri: 'sip:b.example' },
      { sid: 'NE4', uri: 'sip:c.example', enabled: false },
    ];
    const health = watch();
    health.start();
    await pass(300_000);
    const count = (uri: string) => urisAsked().filter((each) => each === uri).length;
    // Jitter is half to one and a half of each step.
    for (const uri of ['sip:a.example', 'sip:b.example']) {
      expect(count(uri)).toBeGreaterThanOrEqual(6);
      expect(count(uri)).toBeLessThanOrEqual(20);
    }
    expect(Math.abs(count('sip:a.example') - count('sip:b.example'))).toBeLessThanOrEqual(1);
    expect(count('sip:c.example')).toBe(0);
    expect(asked[0]).toMatchObject({ method: 'OPTIONS', from: 'sip:192.0.2.99' });
    expect(health.of({ uri: 'sip:a.example' }).state).toBe('up');
    expect(health.counts()).toMatchObject({ states: { up: 2, down: 0 }, transitions: { up: 2 } });
    health.stop();
    expect(clock.pending).toBe(0);
  });

  it('asks origination URLs as calls reach them', async () => {
    specs = [
      { sid: 'OU1', uri: 'sip:pbx.example;transport=udp' },
      { sid: 'OU2', uri: 'sip:off.example', enabled: false },
    ];
    addresses = () => [{ transport: 'tls', address: 'pbx.example', port: 5061 }];
    const health = watch();
    health.start();
    await pass(60_000);
    expect(new Set(urisAsked())).toEqual(new Set(['sip:pbx.example;transport=tls']));
    expect(health.of({ uri: 'sip:pbx.example;secure=true' }).state).toBe('up');
    health.stop();
  });

  it('follows the directory: new targets are asked, removed and disabled ones are not, and are forgotten', async () => {
    specs = [{ sid: 'NE1', uri: 'sip:a.example' }];
    const health = watch();
    health.start();
    await pass(60_000);
    specs = [
      { sid: 'NE1', uri: 'sip:a.example', enabled: false },
      { sid: 'NE2', uri: 'sip:b.example' },
    ];
    await pass(60_000);
    const before = asked.length;
    await pass(60_000);
    expect(new Set(urisAsked().slice(before))).toEqual(new Set(['sip:b.example']));
    expect(health.of({ uri: 'sip:a.example' }).state).toBe('unknown');
    expect(health.counts().states).toEqual({ unknown: 0, up: 1, down: 0, 'half-open': 0 });
    health.stop();
  });

  it('has no more than 64 under way, however many targets are silent', async () => {
    specs = Array.from({ length: 500 }, (_, index) => ({ sid: `NE${index}`, uri: `sip:h${index}.example` }));
    behaviour = new Map(specs.map(({ uri }) => [uri.replace('sip:', ''), 'silent']));
    const health = watch({ intervalMs: 1000 });
    health.start();
    let most = 0;
    for (let turn = 0; turn < 50; turn++) {
      const before = asked.length;
      await pass(100);
      most = Math.max(most, asked.length - before);
    }
    // A silent one holds its place for 4 s; in 5 s there are two turns for each place.
    expect(asked.length).toBeLessThanOrEqual(128);
    expect(most).toBeLessThanOrEqual(64);
    health.stop();
    expect(clock.pending).toBe(0);
  });

  it('asks the further addresses of a target, and looks at no certificate of an insecure one', async () => {
    specs = [{ sid: 'NE1', uri: 'sip:a.example;transport=tls', insecure: true }];
    addresses = () =>
      ['192.0.2.1', '192.0.2.2'].map((address) => ({
        transport: 'tls',
        address,
        port: 5061,
        host: 'a.example',
      }));
    behaviour.set('192.0.2.1', 'refused');
    const health = watch();
    health.start();
    await pass(60_000);
    expect(asked.slice(0, 2).map(({ destination }) => [destination.address, destination.insecure])).toEqual([
      ['192.0.2.1', true],
      ['192.0.2.2', true],
    ]);
    expect(health.of({ uri: 'sip:a.example;transport=tls', insecure: true }).state).toBe('up');
    expect(health.of({ uri: 'sip:a.example;transport=tls' }).state).toBe('unknown');
    health.stop();
  });

  it('sends the URI without its headers', async () => {
    specs = [{ sid: 'NE1', uri: 'sip:user@a.example:5070;transport=udp?X-Secret=1' }];
    const health = watch();
    health.start();
    await pass(60_000);
    expect(urisAsked()[0]).toBe('sip:user@a.example:5070;transport=udp');
    health.stop();
  });
});

describe('a target that is down', () => {
  const DOWN = 'sip:a.example';
  const takeDown = (health: HealthWatch) => {
    for (let call = 0; call < 3; call++) health.report(target('NE1', DOWN), FAILED);
  };

  beforeEach(() => {
    specs = [{ sid: 'NE1', uri: DOWN }];
  });

  it('is asked after the recovery time though no round runs, until it answers', async () => {
    behaviour.set('a.example', 'silent');
    const health = watch({ intervalMs: 0 });
    health.start();
    expect(clock.pending).toBe(0);
    takeDown(health);
    expect(health.of({ uri: DOWN }).state).toBe('down');
    expect(asked).toEqual([]);
    await pass(24_000);
    expect(asked).toHaveLength(1);
    behaviour.set('a.example', '503');
    await pass(30_000);
    expect(health.of({ uri: DOWN })).toMatchObject({
      state: 'down',
      why: 'still down: OPTIONS is answered 503',
    });
    behaviour.delete('a.example');
    await pass(24_000);
    expect(health.of({ uri: DOWN }).state).toBe('up');
    expect(health.counts().transitions.down).toBeGreaterThanOrEqual(2);
    const before = asked.length;
    await pass(60_000);
    expect(asked).toHaveLength(before);
    expect(clock.pending).toBe(0);
  });

  it('is half-open while it is asked', async () => {
    behaviour.set('a.example', 'silent');
    const health = watch({ intervalMs: 0 });
    takeDown(health);
    for (let tenth = 0; asked.length === 0; tenth++) {
      expect(tenth).toBeLessThan(300);
      await pass(100);
    }
    expect(health.of({ uri: DOWN }).state).toBe('half-open');
    health.stop();
  });

  it('is forgotten, and asked no more, when nothing names it any longer', async () => {
    behaviour.set('a.example', 'silent');
    const health = watch({ intervalMs: 0 });
    takeDown(health);
    specs = [];
    await pass(60_000);
    expect(asked).toEqual([]);
    expect(clock.pending).toBe(0);
    expect(health.counts().states.down).toBe(0);
  });

  it('is not a SIP URI that was called without a policy', () => {
    const health = watch();
    for (let call = 0; call < 9; call++) health.report({ ...target('', DOWN), sid: null }, FAILED);
    expect(health.of({ uri: DOWN }).state).toBe('unknown');
    expect(health.counts().states.down).toBe(0);
  });

  it('does not stay in memory for ever: places that no target names are let go', () => {
    const health = watch({ intervalMs: 0 });
    for (let index = 0; index < 5000; index++) {
      health.report(target(`NE${index}`, `sip:h${index}.example`), { type: 'call-heard', what: '200 OK' });
    }
    expect(health.counts().states.up).toBeLessThanOrEqual(1000);
  });
});
